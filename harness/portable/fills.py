"""Fills: the numbers in a tensor, the same bits on every machine. Standard library and NumPy only, Python 3.8 on.

All of it is integer arithmetic on the raw stream of a counter-based generator (Philox4x64-10; Salmon et al., "Parallel
random numbers: as easy as 1, 2, 3", SC 2011), scaled by powers of two. No floating-point function is involved whose
result could depend on the instruction set, and NumPy guarantees the raw stream, not that of its `Generator`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal, Tuple

import numpy as np

from .dtypes import COMPLEX, FLOATING, INTEGRAL, finfo

if TYPE_CHECKING:
    from collections.abc import Sequence

IMAGINARY = 1 << 32
"""Added to a stream: where the imaginary parts of its numbers come from."""

Fill = Literal["integers", "reals", "offset", "wide", "ones", "special", "ends"]
FILLS: Tuple[Fill, ...] = ("integers", "reals", "offset", "wide", "ones", "special", "ends")
"""Every fill, simplest first."""

WHOLE_FILLS = ("integers", "ones", "ends")
"""The fills of whole numbers."""

_MASK = (1 << 64) - 1


def values(  # noqa: PLR0913, PLR0917 - a plain function over plain data, called across processes
    fill: str,
    dtype: str,
    shape: Sequence[int],
    seed: int,
    stream: int,
    terms: int = 1,
    between: tuple[float, float] | None = None,
    distinct: int = 0,
) -> Any:
    """A C-ordered float64 array (complex128 for a complex dtype) of that shape whose elements are exact in `dtype`.

    `seed` and `stream` are the generator's key: one stream per tensor. `terms` is the length of the longest reduction,
    from which `integers` takes its density. With `between` every number lies there, both ends included. Without it a
    dtype that is not floating gets 0 to 3 (bool: 0 and 1) whatever the fill, valid as an index into anything of size
    4. With `distinct` no whole number of the range occurs twice in that many of the last dimensions. Raises ValueError
    for an unknown fill, and where the dtype has no number in the range, or too few.
    """
    if fill not in FILLS:
        raise ValueError(f"there is no fill {fill!r}; there are {', '.join(FILLS)}")
    if dtype in COMPLEX:
        options = (shape, seed)
        both = np.empty(tuple(shape), np.complex128)  # a sum with 1j times an infinity would be NaN in both parts
        both.real = values(fill, COMPLEX[dtype], *options, stream, 2 * terms, between)
        both.imag = values(fill, COMPLEX[dtype], *options, stream + IMAGINARY, 2 * terms, between)
        return both
    count = 1
    for size in shape:
        count *= int(size)
    if distinct and between is not None:
        return _distinct_values(dtype, tuple(shape), (seed, stream), between, distinct)
    raw = _raw(seed, stream, count)
    flat = _plain_values(fill, dtype, raw, terms) if between is None else _range_values(fill, dtype, raw, between)
    return np.ascontiguousarray(flat, dtype=np.float64).reshape(tuple(shape))


def grid(fill: str, dtype: str, between: tuple[float, float]) -> tuple[int, int, int]:
    """First, last and exponent e of the numbers i * 2**e, first <= i <= last, that a tensor of that range is made of.

    Whole numbers for a dtype that is not floating, and for `WHOLE_FILLS` where the range has one besides zero; else
    every number with p significant bits at the end of the range that is farther from zero, which are exact everywhere
    in it. The first is larger than the last where there is none.
    """
    low, high = between
    whole = math.ceil(low), math.floor(high)
    if dtype in INTEGRAL:
        return max(whole[0], INTEGRAL[dtype][0]), min(whole[1], INTEGRAL[dtype][1]), 0
    if fill in WHOLE_FILLS and whole[0] <= whole[1] and whole != (0, 0):
        return (*whole, 0)
    _mantissa, reach = math.frexp(max(abs(low), abs(high)))  # below 2**reach
    exponent = max(reach - finfo(dtype).precision, finfo(dtype).least_exponent)
    return math.ceil(math.ldexp(low, -exponent)), math.floor(math.ldexp(high, -exponent)), exponent


def _range_values(fill: str, dtype: str, raw: Any, between: tuple[float, float]) -> Any:
    first, last, exponent = grid(fill, dtype, between)
    if first > last:
        raise ValueError(f"{dtype} has no number between {between[0]!r} and {between[1]!r}")
    if fill == "ones":
        return np.full(raw.size, math.ldexp(min(max(first, round(math.ldexp(1, -exponent))), last), exponent))
    drawn = first + (raw % np.uint64(last - first + 1)).astype(np.int64)
    if fill == "ends":
        side = _bits(raw, 61, 3)
        drawn = np.where(side < 3, first, np.where(side < 6, last, drawn))
    return np.ldexp(drawn.astype(np.float64), exponent)


def _distinct_values(
    dtype: str, shape: tuple[int, ...], key: tuple[int, int], between: tuple[float, float], distinct: int
) -> Any:
    """The first of a random permutation of the range, for each slice over the last `distinct` dimensions."""
    first, last, _exponent = grid("integers", dtype, between)
    inner = math.prod(shape[len(shape) - distinct :])
    slices = math.prod(shape[: len(shape) - distinct])
    if last - first + 1 < inner:
        raise ValueError(f"{dtype} has fewer than {inner} numbers between {between[0]!r} and {between[1]!r}")
    raw = _raw(*key, slices * (last - first + 1)).reshape(slices, last - first + 1)
    return (first + raw.argsort(axis=1, kind="stable")[:, :inner]).astype(np.float64).reshape(shape)


def _plain_values(fill: str, dtype: str, raw: Any, terms: int) -> Any:
    if dtype not in FLOATING:
        return (raw & np.uint64(1 if dtype == "bool" else 3)).astype(np.float64)
    if fill == "ones":
        return np.ones(raw.size)
    if fill in ("integers", "ends"):
        return _integers(raw, *density(dtype, terms))
    if fill == "offset":
        return _offset(raw, finfo(dtype).precision)
    if fill == "wide":
        reach = 6 if dtype == "float16" else 12
        return _mantissas(raw, finfo(dtype).precision, -reach, 2 * reach)
    reals = _mantissas(raw, finfo(dtype).precision, -3, 4)
    return _sprinkle_specials(reals, raw, dtype) if fill == "special" else reals


def _raw(seed: int, stream: int, count: int) -> Any:
    key = np.array([seed & _MASK, stream & _MASK], dtype=np.uint64)
    return np.random.Philox(key=key).random_raw(count)


def _bits(raw: Any, first: int, count: int) -> Any:
    """`count` bits of each word from bit `first` on."""
    return (raw >> np.uint64(first)) & np.uint64((1 << count) - 1)


def _signs(raw: Any) -> Any:
    return 1.0 - 2.0 * _bits(raw, 63, 1).astype(np.float64)


def density(dtype: str, terms: int) -> tuple[int, float]:
    """Largest magnitude m and share d of nonzero elements of an `integers` fill.

    Magnitudes are uniform on 1..m, of mean a = (m+1)/2. A sum of `terms` products of two such tensors has magnitudes
    that add up to terms*(d*a)**2 on average; d keeps that at 2**p/2, five standard deviations or more below 2**p for
    every p here, so every partial sum is exact in precision p. m is lowered before the tensor gets sparse.
    """
    room = 2.0 ** (finfo(dtype).precision - 1) / max(int(terms), 1)
    for largest in (3, 2, 1):
        share = min(1.0, room**0.5 / ((largest + 1) / 2.0))
        if share >= 0.5:
            return largest, share
    return 1, share


def _integers(raw: Any, largest: int, share: float) -> Any:
    kept = _bits(raw, 0, 32) < np.uint64(int(share * 2.0**32))
    magnitude = np.uint64(1) + _bits(raw, 32, 24) % np.uint64(largest)
    numbers = np.where(kept, _signs(raw) * magnitude.astype(np.float64), 0.0)
    if numbers.size and (numbers == numbers[0]).all() and (numbers.size > 1 or numbers[0] == 0.0):
        # A tensor that is constant, or zero, tests nothing: one element, chosen by the stream, moves towards +-1 or 0.
        numbers[int(raw[0] >> np.uint64(8)) % numbers.size] = 1.0 if abs(numbers[0]) != 1.0 else 0.0
    return numbers + 0.0  # no negative zero


def _mantissas(raw: Any, precision: int, lowest: int, exponents: int) -> Any:
    """+-m * 2**e with a random mantissa 1 <= m < 2 of `precision` bits and e uniform on `exponents` from `lowest`."""
    mantissa = 1.0 + np.ldexp(_bits(raw, 0, precision - 1).astype(np.float64), 1 - precision)
    exponent = lowest + (_bits(raw, 53, 10) % np.uint64(exponents)).astype(np.int32)
    return _signs(raw) * np.ldexp(mantissa, exponent)


def _offset(raw: Any, precision: int) -> Any:
    """98 to 102 in steps of the spacing of floats there, 2**(7 - p)."""
    steps = 1 << (precision - 5)  # 4 wide, in units of the spacing
    return 98.0 + np.ldexp((raw % np.uint64(steps)).astype(np.float64), 7 - precision)


def _sprinkle_specials(reals: Any, raw: Any, dtype: str) -> Any:
    """`reals` with a special value in about one element of eight, and in at least one."""
    small, large = finfo(dtype).smallest_subnormal, finfo(dtype).largest_subnormal
    nan, infinity, most = float("nan"), float("inf"), finfo(dtype).max
    table = np.array([nan, infinity, -infinity, -0.0, 0.0, small, -small, large, -large, most, -most])
    rehashed = raw * np.uint64(0x9E3779B97F4A7C15)  # an odd multiplier permutes the words: bits the reals did not use
    chosen = _bits(rehashed, 61, 3) == np.uint64(0)
    if chosen.size and not chosen.any():
        chosen[int(raw[0] >> np.uint64(8)) % chosen.size] = True
    return np.where(chosen, table[(_bits(rehashed, 40, 16) % np.uint64(table.size)).astype(np.intp)], reals)
