"""How many numbers of a dtype lie between two, by the order of their bits."""

from __future__ import annotations

from typing import Final

import numpy as np

from harness.core.observation import Array

_UNSIGNED: Final = {"float64": np.uint64, "float32": np.uint32, "float16": np.uint16}


def bits(dtype: str, values: Array) -> Array:
    """The bits of floating numbers as unsigned integers; of bfloat16, which comes in float32, its 16."""
    if dtype == "bfloat16":
        return np.asarray(np.ascontiguousarray(values, np.float32).view(np.uint32) >> 16, dtype=np.uint16)
    return np.ascontiguousarray(values).view(_UNSIGNED[str(values.dtype)])


def ulps_between(dtype: str, got: Array, expected: Array) -> Array:
    """How many steps from a number of the dtype to the next lead from `expected` to `got`; both zeros are the same.

    Both have the type that observations carry, and are finite.
    """
    first, second = _ordinals(dtype, got), _ordinals(dtype, expected)
    return np.where(first > second, first - second, second - first)


def _ordinals(dtype: str, values: Array) -> Array:
    """The numbers' places in the order of all numbers of the dtype, as unsigned 64-bit integers."""
    pattern = bits(dtype, values)
    half = np.uint64(1 << (8 * pattern.dtype.itemsize - 1))
    wide = pattern.astype(np.uint64)
    return np.where(wide >= half, half - (wide - half), half + wide)
