"""Rounding to the four dtypes."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.oracles import round_to
from harness.oracles.bounds import exact_up_to
from harness.portable.dtypes import FLOATING, accumulator_of, carrier_of, finfo

HALVES = ("bfloat16", "float16")


def slowly(dtype: str, value: float) -> float:
    """Round to nearest even with exact fractions: the quantum is that of the binade, or of the subnormals."""
    if math.isnan(value) or math.isinf(value) or value == 0:
        return value
    form = finfo(dtype)
    _, exponent = math.frexp(value)
    quantum = Fraction(2) ** max(exponent - form.precision, form.least_exponent)
    rounded = round(Fraction(value) / quantum) * quantum  # Fraction rounds halves to even
    if abs(rounded) > Fraction(form.max):
        return math.copysign(math.inf, value)
    return math.copysign(float(rounded), value)


@st.composite
def near_ties(draw: st.DrawFn, dtype: str) -> float:
    """A double at, or a hair beside, the middle between two neighbours of the dtype."""
    form = finfo(dtype)
    exponent = draw(st.integers(form.least_exponent - 3, math.frexp(form.max)[1] + 1))
    odd = 2 * draw(st.integers(0, 2**form.precision)) + 1
    middle = math.ldexp(odd, max(exponent - form.precision - 1, -1070))
    towards = draw(st.sampled_from((middle, 0.0, math.inf)))
    return math.copysign(math.nextafter(middle, towards), draw(st.sampled_from((1, -1))))


@pytest.mark.parametrize("dtype", ["float32", *HALVES])
def test_any_double_is_rounded_once_to_nearest_even(dtype: str) -> None:
    """Rounding agrees with exact fractions, for any double and at the ties where rounding twice goes wrong."""

    @given(st.one_of(st.floats(width=64), near_ties(dtype)))
    def agrees(value: float) -> None:
        got, due = float(round_to(dtype, value)), slowly(dtype, value)
        assert got == due or (math.isnan(got) and math.isnan(due))
        assert math.isnan(due) or math.copysign(1, got) == math.copysign(1, due)

    agrees()


def test_bfloat16_is_not_rounded_by_way_of_float32() -> None:
    """A double just above a bfloat16 tie goes up, though float32 would put it on the tie and then down."""
    above = 1 + 2.0**-8 + 2.0**-40
    assert round_to("bfloat16", above) == 1 + 2.0**-7
    assert round_to("bfloat16", float(np.float32(above))) == 1.0


@pytest.mark.parametrize("dtype", FLOATING)
def test_infinities_and_nans_stay_what_they_are(dtype: str) -> None:
    """Inf, -Inf and every NaN keep their kind, shape and the carrier's type."""
    noisy = np.array([[0x7FF0000000000001, 0xFFFFFFFFFFFFFFFF]], dtype=np.uint64).view(np.float64)
    assert np.isnan(round_to(dtype, noisy)).all()
    assert round_to(dtype, [np.inf, -np.inf]).tolist() == [np.inf, -np.inf]
    assert round_to(dtype, noisy).shape == (1, 2)
    assert round_to(dtype, noisy).dtype == carrier_of(dtype)


@pytest.mark.parametrize("dtype", HALVES)
def test_overflow_begins_half_an_ulp_above_the_largest(dtype: str) -> None:
    """The largest number stays; what lies midway to the next power of two becomes infinite."""
    largest = finfo(dtype).max
    middle = largest * (1 + finfo(dtype).unit_roundoff / (2 - 2 * finfo(dtype).unit_roundoff))
    assert round_to(dtype, largest) == largest
    assert round_to(dtype, np.nextafter(middle, 0)) == largest
    assert round_to(dtype, middle) == np.inf


def test_non_contiguous_arrays_and_scalars_are_rounded_too() -> None:
    """Rounding reads logical values, whatever the strides and the rank."""
    array = np.arange(1.0, 7.0).reshape(2, 3).T
    assert not array.flags.c_contiguous
    assert np.array_equal(round_to("bfloat16", array * (1 + 2.0**-20)), array)
    assert round_to("bfloat16", 3.0).shape == ()


def test_integers_are_exact_up_to_the_precision_of_the_dtype() -> None:
    """2^p of each dtype, which is never larger than that of its accumulator."""
    order = ("float64", "float32", "bfloat16", "float16")
    assert [exact_up_to(name, accumulator_of(name)) for name in order] == [2**53, 2**24, 2**8, 2**11]
