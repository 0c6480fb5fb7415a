"""The a-priori bounds hold for every correct computation, and not for much more."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core import Numerics
from harness.core.case import Magnitude
from harness.oracles import round_to
from harness.oracles.bounds import (
    UNJUDGED,
    UNLIMITED,
    elementwise_allowance,
    elementwise_gradient_allowance,
    gamma,
    multilinear_allowance,
)
from harness.portable.dtypes import accumulator_of

DTYPES = ("float32", "float64", "bfloat16", "float16")
Round = Callable[[float], float]


def rounder(dtype: str) -> Round:
    """Round one number to the dtype."""
    return lambda value: float(round_to(dtype, value))


def dot_product(products: list[tuple[float, float]], order: list[int], kept: str, blocks: int) -> float:
    """A dot product with every operation rounded to `kept`, in that order and in that many partial sums."""
    to = rounder(kept)
    partial = [0.0] * blocks
    for place, index in enumerate(order):
        a, b = products[index]
        partial[place % blocks] = to(partial[place % blocks] + to(a * b))
    total = 0.0
    for part in partial:
        total = to(total + part)
    return total


numbers = st.floats(-1e3, 1e3, width=16)


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_dot_product_in_any_order_stays_within_the_bound(dtype: str) -> None:
    """Whatever the order and the blocking, products and sums in the accumulator and one rounding never exceed it."""

    @given(st.data(), st.lists(st.tuples(numbers, numbers), min_size=1, max_size=40), st.integers(1, 5))
    def holds(data: st.DataObject, products: list[tuple[float, float]], blocks: int) -> None:
        order = data.draw(st.permutations(range(len(products))))
        got = rounder(dtype)(dot_product(products, order, accumulator_of(dtype), blocks))
        exact = sum((Fraction(a) * Fraction(b) for a, b in products), Fraction(0))
        magnitude = sum((abs(Fraction(a) * Fraction(b)) for a, b in products), Fraction(0))
        allowed = multilinear_allowance(
            np.array(float(exact)),
            np.array(float(magnitude)),
            len(products) + blocks - 1,
            dtype=dtype,
            accumulator=accumulator_of(dtype),
        )
        assert abs(got - float(exact)) <= allowed or (np.isinf(got) and np.isinf(rounder(dtype)(float(exact))))

    holds()


def test_a_sum_kept_in_the_half_type_needs_the_wider_bound() -> None:
    """Summing in bfloat16 breaks the bound of a float32 accumulator and keeps that of its own."""
    products = [(1.0, 1 / 3)] * 100
    got = dot_product(products, list(range(100)), "bfloat16", 1)
    exact = np.array(100 / 3)
    usual = multilinear_allowance(exact, exact, 100, dtype="bfloat16", accumulator="float32")
    widened = multilinear_allowance(exact, exact, 100, dtype="bfloat16", accumulator="bfloat16")
    assert usual < abs(got - exact) <= widened


def test_integers_below_two_to_the_precision_leave_no_room() -> None:
    """Where B <= 2^p the allowance is zero, and beyond it is the usual bound."""
    bound = np.array([0.0, 256.0, 257.0])
    allowed = multilinear_allowance(bound, bound, 4, dtype="bfloat16", accumulator="float32", integral=True)
    assert allowed[0] == allowed[1] == 0.0
    assert 1.0 < allowed[2] < 1.1
    coarse = multilinear_allowance(bound, bound, 4, dtype="float32", accumulator="bfloat16", integral=True)
    assert (coarse[:2] == 0).all()
    assert coarse[2] > 0


def test_gamma_is_infinite_where_the_terms_use_up_the_precision() -> None:
    """gamma_n = nu/(1 - nu), and infinite from nu = 1 on."""
    assert gamma([1, 128, 256, 300], 2.0**-8).tolist() == [1 / 255, 1.0, np.inf, np.inf]


def test_what_no_bound_holds_for_is_marked() -> None:
    """Too many terms: not judged. No magnitude at all: still exact. Partial sums that may overflow: unlimited."""
    reference, bound = np.array([1.0, 0.0, 1.0]), np.array([1.0, 0.0, 1e39])
    terms = np.array([256, 256, 2])
    many = multilinear_allowance(reference, bound, terms, dtype="bfloat16", accumulator="bfloat16")
    assert many[0] == UNJUDGED
    assert 0 < many[1] < 1e-39
    assert many[2] == UNLIMITED


def test_nothing_is_near_a_nan_or_an_infinity() -> None:
    """Where the reference is no number the allowance is none either."""
    reference = np.array([np.nan, np.inf, -np.inf, 1.0])
    allowed = multilinear_allowance(reference, np.abs(reference), 1, dtype="float32", accumulator="float32")
    assert np.isnan(allowed).tolist() == [True, True, True, False]


def test_float64_counts_the_error_of_the_reference_too() -> None:
    """In float64 the reference has erred as much as the result: the bound is twice the formula."""
    reference, bound = np.array([1.0]), np.array([4.0])
    u = 2.0**-53
    error = 3 * u / (1 - 3 * u) * 4
    allowed = multilinear_allowance(reference, bound, 3, dtype="float64", accumulator="float64")
    assert allowed[0] == pytest.approx(2 * (error + u * (1 + error)), rel=1e-12)


def test_products_that_underflow_in_a_float16_accumulator_are_allowed_for() -> None:
    """Each of n products may lose half the smallest subnormal of the accumulator."""
    product = 2.0**-13 * 2.0**-12
    reference = np.array([64 * product])
    assert float(round_to("float16", product)) == 0.0
    assert reference <= multilinear_allowance(reference, reference, 64, dtype="float16", accumulator="float16")


def test_the_intermediate_may_be_that_of_any_channel_in_the_same_place() -> None:
    """The largest finite |x| along dimension 1 counts for all channels, here of one row: (N, C, W) = (1, 2, 2)."""
    numerics = Numerics("elementwise", "elementwise", ulps=8.0, magnitude="channels")
    operand = np.array([[[-100.0, np.inf], [2.0, 1.0]]])
    allowed = elementwise_gradient_allowance(numerics, np.zeros((1, 2, 2)), operand, np.ones((1, 2, 2)), "float32")
    assert np.allclose(allowed / (8 * 2.0**-24), [[[100, 1], [100, 1]]], rtol=1e-6)


@pytest.mark.parametrize(
    ("magnitude", "intermediate"), [("none", [0, 0]), ("input", [3, 0]), ("one", [1, 1]), ("both", [4, 1])]
)
def test_elementwise_counts_ulps_of_the_result_and_of_the_intermediate(
    magnitude: Magnitude, intermediate: list[int]
) -> None:
    """Allow k u (|ref| + M) + tiny for each magnitude; an infinite input has no finite intermediate."""
    numerics = Numerics("elementwise", "elementwise", ulps=3.0, magnitude=magnitude)
    operand = np.array([-3.0, np.inf])
    allowed = elementwise_allowance(numerics, np.array([0.5, 0.5]), operand, "float32", "float32")
    assert allowed.tolist() == [3 * 2.0**-24 * (0.5 + m) + 2.0**-150 for m in intermediate]


def test_elementwise_has_a_bound_at_the_largest_number() -> None:
    """In float64 the number and its allowance add up to an infinity; the allowance by itself is finite."""
    largest = np.array([np.finfo(np.float64).max])
    numerics = Numerics("elementwise", "elementwise", ulps=4.0)
    allowed = elementwise_allowance(numerics, largest, largest, "float64", "float64")
    assert allowed.tolist() == [2 * 4 * 2.0**-53 * largest[0]]


@pytest.mark.parametrize(("dtype", "u"), [("bfloat16", 2.0**-8), ("float16", 2.0**-11)])
def test_elementwise_rounds_once_to_a_half_type(dtype: str, u: float) -> None:
    """The ulps are of float32, in which such kernels compute; a second rounding of the result's size is not allowed."""
    numerics = Numerics("elementwise", "elementwise", ulps=10.0, magnitude="one")
    (allowed,) = elementwise_allowance(numerics, np.array([0.5]), np.array([3.0]), dtype, "float32")
    assert 0.5 * u < allowed < 1.01 * 0.5 * u
    (unfused,) = elementwise_allowance(numerics, np.array([0.5]), np.array([3.0]), dtype, dtype)
    assert unfused > 10 * 0.5 * u


@pytest.mark.parametrize(("dtype", "factor"), [("float16", 1), ("float64", 2)])
def test_elementwise_gradients_count_the_rounded_saved_output(dtype: str, factor: int) -> None:
    """Allow k u (|ref| + |g| max(1, M)) + tiny, doubled in float64, NaN where the reference is."""
    numerics = Numerics("elementwise", "elementwise", ulps=2.0, magnitude="input")
    reference, operand = np.array([1.0, 1.0, np.nan]), np.array([0.5, -4.0, 1.0])
    u = {"float16": 2.0**-11, "float64": 2.0**-53}[dtype]
    floor = {"float16": 2.0**-25, "float64": 2.0**-1074}[dtype]
    allowed = elementwise_gradient_allowance(numerics, reference, operand, np.array([-3.0, 3.0, 1.0]), dtype)
    assert allowed[:2].tolist() == [factor * (2 * u * 4 + floor), factor * (2 * u * 13 + floor)]
    assert np.isnan(allowed[2])
