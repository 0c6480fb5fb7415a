"""NaN, infinities, signed zeros and numbers near the largest: what must be as in the reference, what alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from harness.oracles.expected import expected_values
from harness.oracles.special_values import adjust_for_special_fill
from harness.portable.dtypes import finfo
from tests.oracles.conftest import Stage

MOST = finfo("float32").max
NAN, INF = float("nan"), float("inf")


@pytest.fixture
def special(stage: Callable[..., Stage]) -> Callable[..., Stage]:
    """Build a stage of the `special` fill, with the numbers that the operand held."""

    def build(values: Any, operand: Any, rule: str = "elementwise", tensor: str = "output[0]", **options: Any) -> Stage:
        named = {tensor: np.asarray(values, dtype=np.float64)}
        scene = stage(named, rule, fill="special", **options)
        inputs = {"input": np.asarray(operand, dtype=np.float64)}
        sensitivity = {tensor: np.zeros(named[tensor].shape)}
        return replace(scene, reference=replace(scene.reference, inputs=inputs, inner_sensitivity=sensitivity))

    return build


def messages(stage: Stage) -> list[str]:
    """What is said about values."""
    return [finding.message for finding in stage.judge().findings if finding.oracle == "values"]


@pytest.mark.parametrize("rule", ["elementwise", "multilinear", "normwise"])
@pytest.mark.parametrize(("due", "got"), [(NAN, 0.0), (INF, NAN), (INF, 1.0), (INF, -INF), (0.5, NAN), (0.5, INF)])
def test_what_is_nan_or_infinite_must_be_as_in_the_reference(
    special: Callable[..., Stage], rule: str, due: float, got: float
) -> None:
    """Where no operand is near the largest number, one kind for another is a finding under every rule."""
    stage = special([1.0, due], [1.0, 2.0], rule, bound=[1.0, 1.0])
    assert not stage.judge().findings
    stage.poke("output[0]", 1, got)
    assert messages(stage)


@pytest.mark.parametrize("got", [NAN, INF, -INF])
def test_an_overflow_in_both_layouts_is_excused_where_an_operand_is_near_the_largest(
    special: Callable[..., Stage], got: float
) -> None:
    """The reference is finite there for want of float32's range; the other elements are still judged."""
    stage = special([1.0, 2.0], [1.0, MOST])
    stage.poke("output[0]", 1, got, layouts=("drawn", "contiguous"))
    assert not stage.judge().findings
    stage.poke("output[0]", 0, got, layouts=("drawn", "contiguous"))
    assert messages(stage)


@pytest.mark.parametrize("tensor", ["output[0]", "grad:input"])
def test_an_overflow_in_one_layout_is_a_finding(special: Callable[..., Stage], tensor: str) -> None:
    """A formula that overflows in one format and not in the other makes the answer depend on the format."""
    stage = special([1.0, 2.0], [1.0, MOST], tensor=tensor)
    stage.poke(tensor, 1, NAN)
    (finding,) = stage.judge().findings
    assert (finding.kind, finding.layouts) == ("layout", ("drawn",))
    assert finding.message.endswith("in 1 of 2 elements (got nan, contiguous gives 2.0 at [1])")


def test_infinities_of_either_sign_are_not_alike(special: Callable[..., Stage]) -> None:
    """An excused infinity must be the same one in both layouts."""
    stage = special([2.0], [MOST])
    stage.poke("output[0]", 0, INF, layouts=("drawn",))
    stage.poke("output[0]", 0, -INF, layouts=("contiguous",))
    assert messages(stage)


def test_a_nan_of_the_reference_is_never_excused(special: Callable[..., Stage]) -> None:
    """An infinity or a number in place of a NaN fails, near the largest number too."""
    stage = special([NAN], [MOST])
    stage.poke("output[0]", 0, INF, layouts=("drawn", "contiguous"))
    assert messages(stage)


@pytest.mark.parametrize(("rule", "fails"), [("elementwise", True), ("multilinear", False), ("normwise", False)])
def test_the_sign_of_zero_is_fixed_where_a_zero_comes_of_a_zero(
    special: Callable[..., Stage], rule: str, *, fails: bool
) -> None:
    """A function of one operand keeps it; a sum's depends on its order, and on what else is added."""
    stage = special([-0.0, 1.0], [-0.0, 1.0], rule)
    stage.poke("output[0]", 0, 0.0, layouts=("drawn", "contiguous"))
    assert bool(messages(stage)) is fails


def test_the_sign_of_a_zero_that_comes_of_an_underflow_is_free(special: Callable[..., Stage]) -> None:
    """Only a zero of the operand fixes a zero of the result."""
    stage = special([-0.0, 1.0], [-1e-45, 1.0])
    stage.poke("output[0]", 0, 0.0)
    assert not messages(stage)


@pytest.mark.parametrize("fill", ["reals", "wide"])
def test_other_fills_are_judged_as_before(special: Callable[..., Stage], fill: str) -> None:
    """No fill but `special` excuses a NaN or asks for the sign of zero."""
    stage = special([-0.0, 2.0], [-0.0, MOST])
    stage.example = replace(stage.example, fill=fill)
    stage.poke("output[0]", 0, 0.0, layouts=("drawn", "contiguous"))
    assert not messages(stage)
    stage.poke("output[0]", 1, NAN, layouts=("drawn", "contiguous"))
    assert messages(stage)


@pytest.mark.parametrize(("bound", "excused"), [(0.49 * MOST, False), (0.51 * MOST, True), (NAN, True)])
@pytest.mark.parametrize("tensor", ["output[0]", "grad:input"])
def test_a_sum_may_overflow_where_its_magnitudes_do(
    special: Callable[..., Stage], tensor: str, bound: float, *, excused: bool
) -> None:
    """Some order of summation overflows where the sum of magnitudes nearly does, and layouts sum in other orders."""
    stage = special([2.0, 1.0], [3.0, 1.0], "multilinear", tensor, bound=[bound, 1.0])
    stage.poke(tensor, 0, INF)
    assert bool(messages(stage)) is not excused


@pytest.mark.parametrize("due", [NAN, INF, -INF])
@pytest.mark.parametrize(("scaled", "excused"), [(1.0, True), (INF, False), (NAN, False)])
def test_a_float64_reference_that_overflows_in_its_own_order_asks_for_nothing(
    special: Callable[..., Stage], due: float, scaled: float, *, excused: bool
) -> None:
    """Another order of the sum may give any number; what an infinite operand makes of it is fixed."""
    stage = special([due, 1.0], [1.0, 1.0], "multilinear", dtype="float64", bound=[INF, 1.0])
    stage.reference = replace(stage.reference, scaled={"output[0]": np.array([scaled, 1.0])})
    assert not messages(stage)
    stage.poke("output[0]", 0, 9.8e307)
    assert bool(messages(stage)) is not excused


def test_where_channels_are_mixed_an_operand_reaches_all_of_its_place(special: Callable[..., Stage]) -> None:
    """The gradient of a gated channel is a multiple of the channel that it gates."""
    stage = special([[[1.0, 2.0], [3.0, 4.0]]], [[[MOST, 1.0], [1.0, 1.0]]])
    numerics = replace(stage.case.numerics, magnitude="channels")
    stage.case = replace(stage.case, numerics=numerics)
    for place in ((0, 0, 0), (0, 1, 0)):
        stage.poke("output[0]", place, INF, layouts=("drawn", "contiguous"))
    assert not messages(stage)
    stage.poke("output[0]", (0, 1, 1), INF, layouts=("drawn", "contiguous"))
    assert messages(stage)


def test_a_half_type_overflows_where_its_accumulator_does(special: Callable[..., Stage]) -> None:
    """Magnitudes beyond float16's largest number are no excuse: its sums are kept in float32."""
    stage = special([2.0, 1.0], [3.0, 1.0], "multilinear", dtype="float16", bound=[1e5, 1.0])
    stage.poke("output[0]", 0, INF)
    assert messages(stage)


@pytest.mark.parametrize(
    ("operand", "excused"),
    [([[MOST], [1.0]], [True, True, False, False]), ([MOST, 1.0, 1.0], [True] * 4), ([[1.0, 1.0]], [False] * 4)],
)
def test_an_operand_reaches_the_elements_of_its_own_place(
    special: Callable[..., Stage], operand: Sequence[Any], excused: Sequence[bool]
) -> None:
    """Along its own dimensions where they are the result's, and everything where they are others."""
    for flat, free in enumerate(excused):
        stage = special([[1.0, 2.0], [3.0, 4.0]], operand)
        stage.poke("output[0]", divmod(flat, 2), NAN, layouts=("drawn", "contiguous"))
        assert bool(messages(stage)) is not free


def test_complex_numbers_are_judged_as_by_any_fill(special: Callable[..., Stage]) -> None:
    """What an overflow makes of a product of complex numbers is nobody's promise, so nothing is asked of it."""
    stage = special([1.0, 2.0], [1.0, MOST], dtype="float32")
    values = np.array([1.0 + 1j, 2.0])
    reference = replace(stage.reference, values={"output[0]": values}, dtypes={"output[0]": "complex64"})
    standard = expected_values(stage.case, stage.example, reference, "output[0]")
    assert adjust_for_special_fill(standard, stage.case, stage.example, reference, "output[0]") is standard


@pytest.mark.parametrize(("largest", "excused"), [(finfo("float64").max, True), (1.0, False)])
def test_an_infinity_may_meet_finite_summands_that_have_overflowed_to_the_other_side(
    special: Callable[..., Stage], largest: float, *, excused: bool
) -> None:
    """The reference had them overflow before and is NaN; another order keeps the infinity, and neither is asked for."""
    stage = special([NAN, 1.0], [largest, 1.0], "multilinear", dtype="float64", bound=[INF, 1.0])
    stage.reference = replace(stage.reference, scaled={"output[0]": np.array([INF, 1.0])})
    stage.poke("output[0]", 0, INF)
    assert bool(messages(stage)) is not excused
