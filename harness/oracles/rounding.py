"""The four floating dtypes: unit roundoff, precision, smallest numbers, and one correct rounding from float64."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Format:
    """A binary floating-point format: `precision` significand bits (the implicit one counted), subnormals in ulps.

    `smallest` is the exponent of the smallest subnormal; `carrier` the NumPy type that holds its values exactly.
    """

    precision: int
    smallest: int
    carrier: type[np.floating[Any]]
    largest: float


FORMATS: Final[dict[str, Format]] = {
    "float64": Format(53, -1074, np.float64, float(np.finfo(np.float64).max)),
    "float32": Format(24, -149, np.float32, float(np.finfo(np.float32).max)),
    "bfloat16": Format(8, -133, np.float32, (2 - 2**-7) * 2.0**127),
    "float16": Format(11, -24, np.float16, float(np.finfo(np.float16).max)),
}
"""IEEE 754 binary64, binary32 and binary16; bfloat16 is binary32 cut to 8 significand bits."""


PARTS: Final[dict[str, str]] = {"complex64": "float32", "complex128": "float64"}
"""The dtype of the real and the imaginary part of each complex dtype."""


def part_of(dtype: str) -> str:
    """The floating dtype that the numbers of `dtype` are kept in: its parts' for a complex one, else `dtype` itself."""
    return PARTS.get(dtype, dtype)


def accumulator_of(dtype: str) -> str:
    """The dtype that sums of `dtype` are expected to be kept in: float32 for the half types, else `dtype` itself."""
    return "float32" if dtype in ("bfloat16", "float16") else dtype


def unit_roundoff(dtype: str) -> float:
    """Return u = 2^-p, the largest relative error of one rounding to nearest (Higham, 2nd ed., Theorem 2.2)."""
    return 2.0 ** -FORMATS[dtype].precision


def tiny(dtype: str) -> float:
    """Half the smallest subnormal: the largest error of a rounding that underflows (Higham, 2nd ed., eq. 2.8).

    For float64 half of it is not a float64, so it is the smallest subnormal itself.
    """
    return float(np.ldexp(1.0, max(FORMATS[dtype].smallest - 1, -1074)))


def smallest_normal(dtype: str) -> float:
    """The smallest number of full precision: vectorised exponentials flush what is below it to zero."""
    return 2.0 ** (FORMATS[dtype].smallest + FORMATS[dtype].precision - 1)


def round_to(dtype: str, array: npt.ArrayLike) -> Array:
    """`array` (float64) rounded once to nearest even, to +-Inf beyond the largest; bfloat16 comes as float32.

    Of a complex array (complex128) each part is rounded. Never by way of float32 for bfloat16: rounding twice is wrong
    where the first rounding makes a tie.
    """
    if dtype in PARTS:
        return _complex(np.asarray(array, dtype=np.complex128), PARTS[dtype])
    wide = np.asarray(array, dtype=np.float64)
    if dtype == "float64":
        return wide
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        return (_bfloat16(wide) if dtype == "bfloat16" else wide).astype(FORMATS[dtype].carrier)


def _complex(wide: Array, part: str) -> Array:
    carrier = np.complex64 if part == "float32" else np.complex128
    rounded = np.empty(wide.shape, carrier)
    rounded.real, rounded.imag = round_to(part, wide.real), round_to(part, wide.imag)
    return rounded


_DROPPED: Final = np.uint64(53 - 8)
_HALF_LESS_ONE: Final = np.uint64((1 << (53 - 8 - 1)) - 1)
_KEPT: Final = np.uint64(((1 << 64) - 1) ^ ((1 << (53 - 8)) - 1))


def _bfloat16(wide: Array) -> Array:
    """Round to 8 bits on the bits of the float64; below 2^-126 to multiples of 2^-133 (scaling by 2^133 is exact)."""
    bits = np.ascontiguousarray(wide).reshape(wide.shape).view(np.uint64)
    odd = (bits >> _DROPPED) & np.uint64(1)
    normal = ((bits + _HALF_LESS_ONE + odd) & _KEPT).view(np.float64)
    subnormal = np.rint(wide * 2.0**133) * 2.0**-133
    rounded = np.where(np.abs(wide) < 2.0**-126, subnormal, normal)
    overflow = np.abs(rounded) >= 2.0**128
    rounded = np.where(overflow, np.copysign(np.inf, wide), rounded)
    return np.where(np.isnan(wide), wide, rounded)
