"""What a place of a fault comes to in a build that has it, has it not, or cannot make the call."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import pytest

from harness.core import Example, Expression, KnownIssue, PlaceState
from harness.core.finding import Oracle
from harness.execution import Executor
from harness.trial import replay_place
from tests.trial.toy import CASE, ToyExecutor, Wrong

EXAMPLE = Example(CASE.id, "float32", {"N": 1, "C": 1, "H": 1, "W": 2}, {"input": "channels_last"})


def known_issue(oracle: Oracle, cells: tuple[str, ...] = ("low", "high")) -> KnownIssue:
    """The output is wrong, or the call raises, in these cells."""
    return KnownIssue(
        id="toy",
        tensors=("*",),
        oracle=oracle,
        cells=cells,
        when=Expression.parse("True"),
        reason="a toy",
        link="no thread found",
        torch=">=99",
        cases=(CASE.id,),
        dtypes=("float32",),
        reproducer=EXAMPLE,
    )


class CheckedExecutor(ToyExecutor):
    """A toy executor of a build that lacks what `problems` say."""

    problems: tuple[str, ...] = ()

    def check(self, case: object) -> list[str]:
        """What keeps the case from being called."""
        del case
        return list(self.problems)


def replay(place: KnownIssue, wrong: Wrong, problems: tuple[str, ...] = ()) -> tuple[PlaceState, str]:
    """State and detail of the place in a build that is wrong in that way."""
    executor = CheckedExecutor(wrong)
    executor.problems = problems
    outcome = replay_place(place, CASE, cast("Executor", executor))
    return outcome.state, outcome.detail


def test_a_build_has_the_fault_whatever_its_entry_says_of_releases() -> None:
    """The entry is of releases that do not exist yet; the reproducer fails all the same."""
    state, detail = replay(known_issue("values"), lambda _, _cell, layout: "value" * (layout == "drawn"))
    assert (state, detail) == (PlaceState.FAILS, "")


def test_a_build_that_is_right_does_not_fail() -> None:
    """The detail says what came instead."""
    state, detail = replay(known_issue("values"), lambda *_: "")
    assert state is PlaceState.DOES_NOT_FAIL
    assert "it passes" in detail


def test_a_level_that_was_lost_leaves_the_question_open() -> None:
    """That the reproducer passes at the others does not make its entry stale: it may fail at that one."""
    executor = CheckedExecutor(lambda *_: "")
    executor.lost_levels = {"high": "host there is lost: no route"}
    outcome = replay_place(known_issue("values"), CASE, cast("Executor", executor))
    assert (outcome.state, outcome.detail) == (PlaceState.NOT_CHECKED, "high: host there is lost: no route")


def test_a_call_that_raises_everywhere_is_not_available() -> None:
    """A build in which the dtype is not implemented does not show that the fault is absent."""
    state, detail = replay(known_issue("values"), lambda *_: "raised")
    assert state is PlaceState.NOT_AVAILABLE
    assert detail


def test_a_call_that_raises_in_one_layout_does_not_fail_otherwise() -> None:
    """It is available: the other layout returns."""
    state, _ = replay(known_issue("values"), lambda _, _cell, layout: "raised" * (layout == "drawn"))
    assert state is PlaceState.DOES_NOT_FAIL


def test_a_callable_that_is_not_there_is_not_available() -> None:
    """What the build says of the callable is the detail."""
    state, detail = replay(known_issue("values"), lambda *_: "", ("there is no toy.double",))
    assert (state, detail) == (PlaceState.NOT_AVAILABLE, "there is no toy.double")


@pytest.mark.parametrize("oracle", ["values", "error"])
def test_a_place_of_other_levels_is_not_checked(oracle: Oracle) -> None:
    """Nothing is said of a place whose levels the machine lacks."""
    state, _ = replay(known_issue(oracle, cells=("highest",)), lambda *_: "value")
    assert state is PlaceState.NOT_CHECKED


def test_what_raises_as_its_entry_says_has_the_fault() -> None:
    """Where the fault is that the call raises in one layout, a call that raises there fails."""
    place = replace(known_issue("error"), tensors=("*",))
    state, _ = replay(place, lambda _, _cell, layout: "raised" * (layout == "drawn"))
    assert state is PlaceState.FAILS


def test_a_call_that_ends_its_worker_does_not_show_that_the_fault_is_absent() -> None:
    """It is asked again, for what spoils memory crashes or spoils numbers by chance; then nothing is said."""
    endings = ["died", "died", "died"]

    def spoil(example: Example, cell: str, layout: str) -> str:
        del example, cell
        if layout == "drawn" and endings:
            return endings.pop()
        return "value" if layout == "drawn" else ""

    assert replay(known_issue("values", cells=("low",)), spoil) == (PlaceState.FAILS, "")
    state, detail = replay(known_issue("values"), lambda _, _cell, layout: "died" * (layout == "drawn"))
    assert state is PlaceState.NOT_CHECKED
    assert "the worker died of SIGSEGV" in detail
