"""What the differing elements hold, in words: a copy from elsewhere, no number, a zero of the other sign, one ulp."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

import numpy as np

from harness.core import Mismatch, PatternKind
from harness.core.observation import Array
from harness.oracles.describe_mask import Clause
from harness.oracles.rounding import round_to
from harness.oracles.ulps import bits, ulps_between
from harness.portable.dtypes import FLOATING, finfo, part_of
from harness.portable.poison import POISON_BYTES

FEWEST_COPIED: Final = 4
"""Elements that must lie elsewhere in what is due before they are called a copy: fewer agree by chance."""
FEWEST_ALIKE: Final = 2
"""Elements that must be off by the same before that is called a pattern."""
NARROWER: Final = {"float64": ("bfloat16", "float16", "float32"), "float32": ("bfloat16", "float16")}
"""Dtypes whose numbers a dtype has too, the least precise first."""
NEAR_ONE: Final = 0.001
"""A factor this near to 1 is told by how far from 1 it is."""
SPACINGS: Final = 4
"""How many spacings of its numbers an offset or a factor may vary: what was added has been rounded."""


class _Differing(NamedTuple):
    """The differing elements alone, one after the other, and the tensor that they are of."""

    got: Array
    expected: Array
    tensor: Mismatch

    @property
    def are_finite(self) -> bool:
        """Whether all numbers are finite, those that came and those that are due."""
        return bool(np.isfinite(self.got).all() and np.isfinite(self.expected).all())


_Rule = Callable[[_Differing], Clause | None]


def value_clause(mismatch: Mismatch) -> Clause | None:
    """What all differing elements have in common by their values; None where that is nothing."""
    differing = _Differing(mismatch.got[mismatch.mask], mismatch.expected[mismatch.mask], mismatch)
    with np.errstate(all="ignore"):
        return next(filter(None, (rule(differing) for rule in _RULES)), None)


def _describe_zero_sign(differing: _Differing) -> Clause | None:
    got, expected, _ = differing
    if got.dtype.kind == "f" and not got.any() and not expected.any():
        return Clause("zeros of the other sign", PatternKind.ZERO_SIGN)
    return None


def _describe_not_finite(differing: _Differing) -> Clause | None:
    got, expected, _ = differing
    if got.dtype.kind not in "fc":
        return None
    if np.isnan(got).all() and not np.isnan(expected).any():
        return Clause("NaN where a number is due", PatternKind.NAN)
    if np.isnan(expected).all() and not np.isnan(got).any():
        return Clause("a number where NaN is due", PatternKind.NAN)
    if np.isinf(got).all() and np.isfinite(expected).all():
        return Clause("infinite where a number is due", PatternKind.INFINITE)
    return None


def _describe_unwritten(differing: _Differing) -> Clause | None:
    """Memory as the harness fills it: every byte of every element the same."""
    got = differing.got
    if got.dtype.kind not in "fc" or not got.size:
        return None
    raw = bits(differing.tensor.dtype, got.view(np.float32) if got.dtype == np.complex64 else got.view(got.real.dtype))
    parts = np.ascontiguousarray(raw).view(np.uint8)
    is_poison = any((parts == byte).all() for byte in POISON_BYTES)
    return Clause("memory that nobody wrote", PatternKind.UNWRITTEN) if is_poison else None


def _describe_ulp(differing: _Differing) -> Clause | None:
    got, expected, tensor = differing
    if tensor.dtype not in FLOATING or not differing.are_finite:
        return None
    is_one = (ulps_between(tensor.dtype, got, expected) == 1).all()
    return Clause("off by one ulp", PatternKind.ONE_ULP) if is_one else None


def _describe_zeros(differing: _Differing) -> Clause | None:
    got = differing.got
    if not got.any() and got.size >= FEWEST_ALIKE and got.dtype.kind != "b":
        return Clause("zero where another number is due", PatternKind.ZERO)
    return None


def _describe_narrow(differing: _Differing) -> Clause | None:
    got, expected, tensor = differing
    for dtype in NARROWER.get(tensor.dtype, ()):
        is_narrow = np.isfinite(got).all() and (round_to(dtype, got) == got).all()
        if is_narrow and (round_to(dtype, expected) != expected).all():
            return Clause(f"numbers of {dtype} where {tensor.dtype} is due", PatternKind.NARROW)
    return None


def _describe_part(differing: _Differing) -> Clause | None:
    got, expected, _ = differing
    if got.dtype.kind != "c":
        return None
    if (got == np.conj(expected)).all():
        return Clause("the imaginary part has the other sign", PatternKind.COMPLEX_PART)
    for name, same, other in (("imaginary", np.real, np.imag), ("real", np.imag, np.real)):
        if (same(got) == same(expected)).all() and (other(got) != other(expected)).all():
            return Clause(f"only the {name} part", PatternKind.COMPLEX_PART)
    return None


def _describe_offset(differing: _Differing) -> Clause | None:
    got, expected, tensor = differing
    if got.dtype.kind not in "iuf" or got.size < FEWEST_ALIKE or not differing.are_finite:
        return None
    difference = got.astype(np.float64) - expected.astype(np.float64)
    slack = _slack(tensor.dtype) * np.maximum(np.abs(got), np.abs(expected)).astype(np.float64)
    middle = float(np.median(difference))
    if middle and (np.abs(difference - middle) <= slack).all() and (abs(middle) > slack).all():
        way = "large" if middle > 0 else "small"
        return Clause(f"each too {way} by {abs(middle):.3g}", PatternKind.OFFSET)
    return _describe_factor(got.astype(np.float64), expected.astype(np.float64), _slack(tensor.dtype))


def _describe_factor(got: Array, expected: Array, slack: float) -> Clause | None:
    if not expected.all():
        return None
    factors = got / expected
    factor = float(np.median(factors))
    if (np.abs(factors - factor) <= slack * abs(factor)).all() and abs(factor - 1) > 2 * slack:
        text = (
            f"1 {'-' if factor < 1 else '+'} {abs(factor - 1):.2g}" if abs(factor - 1) < NEAR_ONE else f"{factor:.4g}"
        )
        return Clause(f"each {text} times what is due", PatternKind.FACTOR)
    return None


def _slack(dtype: str) -> float:
    """The relative error that an offset or a factor may have for having been rounded."""
    return SPACINGS * 2 * finfo(part_of(dtype)).unit_roundoff if part_of(dtype) in FLOATING else 0.0


def _describe_copy(differing: _Differing) -> Clause | None:
    """Whether the elements are due elsewhere: a place further on, with dimensions exchanged, in another order."""
    got, _, tensor = differing
    if len(np.unique(got)) < FEWEST_COPIED - 1:
        return None
    for words, kind, source, has_source in _copies(tensor.expected):
        chosen = tensor.mask & has_source
        enough = np.count_nonzero(chosen) >= max(FEWEST_COPIED, np.count_nonzero(tensor.mask) / 2)
        if enough and (tensor.got[chosen] == source[chosen]).all():
            return Clause(words, kind)
    return None


def _copies(expected: Array) -> Iterator[tuple[str, PatternKind, Array, Array]]:
    """What may have been copied: words, the kind, the array as it would be, and which of its elements are known."""
    for dim, size in enumerate(expected.shape):
        for step in (1, -1, 2, -2):
            source = np.roll(expected, step, axis=dim)
            places = np.arange(size).reshape([size if axis == dim else 1 for axis in range(expected.ndim)])
            inside = np.broadcast_to((places - step >= 0) & (places - step < size), expected.shape)
            way = "before" if step > 0 else "after"
            words = f"what is due {abs(step)} {way} it along dim {dim}"
            yield words, PatternKind.SHIFTED, source, inside
    everywhere = np.ones(expected.shape, dtype=bool)
    for first in range(expected.ndim):
        for second in range(first + 1, expected.ndim):
            if expected.shape[first] == expected.shape[second] > 1:
                words = f"what is due with dims {first} and {second} exchanged"
                yield words, PatternKind.TRANSPOSED, np.swapaxes(expected, first, second), everywhere
    if expected.ndim > 2:
        last = np.moveaxis(expected, 1, -1)
        words = "what is due in channels-last order, read as contiguous"
        yield words, PatternKind.TRANSPOSED, last.reshape(expected.shape), everywhere
        words = "what is due in contiguous order, read as channels-last"
        yield words, PatternKind.TRANSPOSED, np.moveaxis(expected.reshape(last.shape), -1, 1), everywhere


_RULES: Final[tuple[_Rule, ...]] = (
    _describe_zero_sign,
    _describe_not_finite,
    _describe_unwritten,
    _describe_ulp,
    _describe_part,
    _describe_zeros,
    _describe_narrow,
    _describe_offset,
    _describe_copy,
)
"""The strictest first: what is off by one ulp is not said to be off by a factor as well."""
