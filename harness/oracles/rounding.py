"""One correct rounding from float64 to each floating and complex dtype."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from harness.core.observation import Array
from harness.portable.dtypes import COMPLEX, carrier_of


def round_to(dtype: str, array: npt.ArrayLike) -> Array:
    """`array` (float64) rounded once to nearest even, to +-Inf beyond the largest; bfloat16 comes as float32.

    Of a complex array (complex128) each part is rounded. Never by way of float32 for bfloat16: rounding twice is wrong
    where the first rounding makes a tie.
    """
    if dtype in COMPLEX:
        return _complex(np.asarray(array, dtype=np.complex128), COMPLEX[dtype])
    wide = np.asarray(array, dtype=np.float64)
    if dtype == "float64":
        return wide
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        return (_bfloat16(wide) if dtype == "bfloat16" else wide).astype(carrier_of(dtype))


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
