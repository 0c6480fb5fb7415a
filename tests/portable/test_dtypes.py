"""The one table of dtypes."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest

from harness.portable import dtypes
from harness.portable.dtypes import COMPLEX, DTYPES, FLOATING, INTEGRAL, Dtype, FloatingDtype, finfo

FORMATS_OF_NUMPY = ("float64", "float32", "float16")


@pytest.mark.parametrize("dtype", FORMATS_OF_NUMPY)
def test_the_facts_of_a_format_that_numpy_has_are_those_of_numpy(dtype: str) -> None:
    """Largest, smallest and subnormal numbers and the spacing at 1 are what `numpy.finfo` says."""
    numpy = np.finfo(dtype)
    assert finfo(dtype).max == float(numpy.max)
    assert finfo(dtype).unit_roundoff == float(numpy.eps) / 2
    assert finfo(dtype).smallest_normal == float(numpy.smallest_normal)
    assert finfo(dtype).smallest_subnormal == float(numpy.smallest_subnormal)
    assert finfo(dtype).largest_subnormal == float(np.nextafter(numpy.smallest_normal, np.dtype(dtype).type(0)))


def test_bfloat16_has_the_exponents_of_float32_and_eight_bits() -> None:
    """Its numbers are those of float32 whose lower 16 bits are zero."""
    bits = np.array([0x7F7F0000, 0x00800000, 0x007F0000, 0x00010000], np.uint32).view(np.float32)
    facts = finfo("bfloat16")
    assert bits.tolist() == [facts.max, facts.smallest_normal, facts.largest_subnormal, facts.smallest_subnormal]
    assert facts.unit_roundoff == 2.0**-8


def test_the_errors_of_one_rounding_are_those_of_the_formats() -> None:
    """Unit roundoffs, and half the smallest subnormal where that is a float64."""
    order = ("float64", "float32", "bfloat16", "float16")
    assert [finfo(dtype).unit_roundoff for dtype in order] == [2.0**-53, 2.0**-24, 2.0**-8, 2.0**-11]
    assert [finfo(dtype).underflow_error for dtype in order] == [2.0**-1074, 2.0**-150, 2.0**-134, 2.0**-25]


def test_sums_of_the_half_types_are_kept_in_float32() -> None:
    """All other dtypes are their own accumulator."""
    assert [dtypes.accumulator_of(dtype) for dtype in FLOATING] == ["float32", "float64", "float32", "float32"]


def test_every_dtype_is_of_one_sort() -> None:
    """The table's order is the order of the types that the schemas of suites and of known issues check against."""
    assert get_args(Dtype) == DTYPES == (*FLOATING, *COMPLEX, *INTEGRAL)
    assert get_args(FloatingDtype) == tuple(FLOATING)
    assert [dtype for dtype in DTYPES if dtypes.is_differentiable(dtype)] == [*FLOATING, *COMPLEX]


@pytest.mark.parametrize("dtype", [dtype for dtype in INTEGRAL if dtype not in ("bool", "int64")])
def test_the_range_of_an_integral_dtype_is_that_of_numpy(dtype: str) -> None:
    """int64 alone is narrower: its numbers are made in float64, which has no others."""
    assert INTEGRAL[dtype] == (np.iinfo(dtype).min, np.iinfo(dtype).max)
    assert INTEGRAL["int64"] == (-(2**53), 2**53)


def test_the_parts_of_a_complex_dtype_are_floating() -> None:
    """Any other dtype is its own part."""
    assert [dtypes.part_of(dtype) for dtype in ("complex64", "complex128", "float16", "int8")] == [
        "float32",
        "float64",
        "float16",
        "int8",
    ]


def test_every_number_of_a_dtype_fits_its_carrier() -> None:
    """NumPy has no bfloat16, all of whose numbers float32 has."""
    assert [dtypes.carrier_of(dtype) for dtype in DTYPES] == [
        "float32" if dtype == "bfloat16" else str(np.dtype(dtype)) for dtype in DTYPES
    ]
