"""The rule for nonlinear reductions: moves by roundings are the bound, and one layout is held against the other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from harness.core import Numerics
from harness.oracles.bounds import INNER, ROUNDINGS, STORAGE, UNJUDGED, normwise_allowance
from harness.oracles.compare import FEWEST, FLOOR, PEER
from tests.oracles.conftest import Stage

Build = Callable[..., Stage]
VALUES = np.linspace(1.0, 2.0, 16).reshape(1, 4, 2, 2)
MOVE = 2.0**-10
U = 2.0**-24


@pytest.fixture
def normal(stage: Build) -> Stage:
    """Sixteen elements, each of which roundings move by 2^-10."""
    scene: Stage = stage(VALUES, "normwise")
    scene.reference = replace(scene.reference, inner_sensitivity={"output[0]": np.full(VALUES.shape, MOVE)})
    return scene


def test_moves_and_the_rounding_of_the_result_add_up() -> None:
    """In float32 all of it is in one move; twice as much in float64, whose reference has the same error."""
    due, move = np.array([1.0]), np.array([MOVE])
    allowed = normwise_allowance(due, move, None, dtype="float32", accumulator="float32")
    np.testing.assert_allclose(allowed, INNER * MOVE + ROUNDINGS * U * (1 + INNER * MOVE), rtol=1e-12)
    twice = normwise_allowance(due, move, None, dtype="float64", accumulator="float64")
    np.testing.assert_allclose(twice, 2 * INNER * MOVE, rtol=1e-12)


def test_what_is_stored_counts_by_itself() -> None:
    """A half type's own roundings are added; a coarser accumulator scales the inner ones alone."""
    due, zero, move = np.array([0.0]), np.array([0.0]), np.array([MOVE])
    stored = normwise_allowance(due, zero, move, dtype="bfloat16", accumulator="float32")
    np.testing.assert_allclose(stored, STORAGE * MOVE * (1 + ROUNDINGS * 2.0**-8), rtol=1e-12)
    usual = normwise_allowance(due, move * U, zero, dtype="bfloat16", accumulator="float32")
    coarse = normwise_allowance(due, move * U, zero, dtype="bfloat16", accumulator="bfloat16")
    np.testing.assert_allclose(coarse, usual * 2.0**16, rtol=1e-6)


def test_a_move_that_is_no_number_judges_nothing() -> None:
    """Any number passes there; where the reference is none, only the same passes."""
    allowed = normwise_allowance(
        np.array([1.0, np.nan]), np.full(2, np.inf), None, dtype="float32", accumulator="float32"
    )
    assert allowed[0] == UNJUDGED
    assert np.isnan(allowed[1])


@pytest.mark.parametrize(("error", "count"), [(INNER * MOVE, 0), (INNER * MOVE * 1.01, 1)])
def test_an_element_is_held_to_its_own_moves(normal: Stage, error: float, count: int) -> None:
    """A single element beyond the allowance is a finding, one within it is not."""
    normal.poke("output[0]", (0, 1, 0, 1), float(VALUES[0, 1, 0, 1]) + error)
    assert len(normal.judge().findings) == count


@pytest.mark.parametrize(
    ("drawn", "contiguous", "is_fault"),
    [(0.55, 0.1, True), (0.45, 0.1, False), (0.9, 0.3, False), (0.1, 0.55, True)],
)
def test_a_layout_much_less_accurate_than_the_other_is_found(
    normal: Stage, drawn: float, contiguous: float, is_fault: bool
) -> None:
    """Within the bound everywhere, one layout's typical error may be PEER times the other's, or PEER * FLOOR."""
    assert PEER * FLOOR == 0.5
    for layout, part in (("drawn", drawn), ("contiguous", contiguous)):
        normal.alter(
            "output[0]", lambda record, by=part: _off(record, by * INNER * MOVE), layouts=(layout,)
        )  # all of it off by one part of the allowance
    findings = normal.judge().findings
    assert bool(findings) is is_fault
    if is_fault:
        worse = "drawn" if drawn > contiguous else "contiguous"
        assert (findings[0].kind, findings[0].layouts) == ("layout", (worse,))
        assert f"in layout {worse} output[0] is off by 0.55 of the bound" in findings[0].message


@pytest.mark.parametrize("count", [1, FEWEST - 1, FEWEST])
def test_few_elements_are_held_to_the_bound_alone(stage: Build, count: int) -> None:
    """A few say too little of the size of errors: what is within the bound passes, what is beyond it does not."""
    scene = stage(np.ones(count), "normwise")
    scene.reference = replace(scene.reference, inner_sensitivity={"output[0]": np.full(count, MOVE)})
    scene.alter("output[0]", lambda record: _off(record, 0.9 * INNER * MOVE))
    assert len(scene.judge().findings) == (count >= FEWEST)
    scene.alter("output[0]", lambda record: _off(record, 0.2 * INNER * MOVE))
    assert len(scene.judge().findings) == 1


def _off(record: Any, by: float) -> Any:
    return replace(record, values=record.values + np.float32(by))


def test_one_tensor_has_a_rule_of_its_own(stage: Build) -> None:
    """What `each` names is judged by that rule, with its own terms; all else by the case's."""
    single = Numerics("multilinear", "multilinear")
    numerics = Numerics("exact", "exact", each={"output[1]": single})
    assert (numerics.rule("output[1]"), numerics.rule("output[0]"), numerics.rule("grad:x")) == (
        "multilinear",
        "exact",
        "exact",
    )
    scene = stage({"output[0]": VALUES, "output[1]": VALUES}, numerics, terms=8)
    for tensor in ("output[0]", "output[1]"):
        scene.alter(tensor, lambda record: replace(record, values=np.nextafter(record.values, np.float32(9))))
    assert [finding.tensor for finding in scene.judge().findings] == ["output[0]"]
