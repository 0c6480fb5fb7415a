"""The parts of examples that are known to crash or hang, over the toy executor."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import cast

import pytest

from harness.core import CellState, Example, KnownIssue
from harness.execution import Executor
from harness.trial import Outcome, PartwiseRunner, judge_result
from tests.trial.toy import CASE, ToyExecutor, Wrong, WrongPart
from tests.trial.trials import REPRODUCER, SMALLEST, known_issue, right, try_case

ENTRY = known_issue(REPRODUCER, id="dies", oracle="crash", tensors=("*",))
HIGH = known_issue(REPRODUCER, id="dies", oracle="crash", tensors=("*",), cells=("high",))


def dies_where_wide(example: Example, cell: str, layout: str) -> str:
    """The whole call ends the worker under the entry's condition."""
    del layout
    return "died" if example.sizes["W"] > 2 and cell == "high" else ""


def in_gradient(forward: Wrong = right) -> WrongPart:
    """The gradient of the input ends the worker where the image is wide; without it the call is as `forward` says."""

    def wrong(example: Example, cell: str, layout: str, without: Collection[str]) -> str:
        fatal = example.path == "plain" and "input" not in without
        return (fatal and dies_where_wide(example, cell, layout)) or forward(example, cell, layout)

    return wrong


def tall(example: Example, cell: str, layout: str) -> str:
    """Tall channels-last images come out wrong."""
    del cell
    return "value" if layout == "drawn" and example.sizes["H"] > 2 else ""


def trial(executor: ToyExecutor, entry: KnownIssue = HIGH) -> Outcome:
    """A trial with that entry."""
    return try_case(executor, entry)


def wide(runs: Iterable[tuple[Example, str, tuple[str, ...]]]) -> list[tuple[Example, str, tuple[str, ...]]]:
    """Those of examples under the entry's condition."""
    return [run for run in runs if run[0].sizes["W"] > 2]


def test_the_part_that_dies_is_learnt_from_the_reproducer_and_not_run_again() -> None:
    """Forward and gradient of the reproducer run by themselves, once; all else runs without that gradient."""
    executor = ToyExecutor(dies_where_wide, part=in_gradient())
    outcome = trial(executor)
    learnt, later = executor.ran_in_parts[:2], executor.ran_in_parts[2:]
    assert learnt == [(REPRODUCER, "high", ("input",)), (REPRODUCER, "high", ())]
    assert later
    assert {without for _, _, without in later} == {("input",)}
    assert {cell for _, cell, _ in later} == {"high"}
    assert (outcome.status, outcome.failures, outcome.notes) == ("known issue", [], [])


def test_what_ran_in_parts_is_counted_once_for_each_cell() -> None:
    """An example that ran without a part is a known issue there, and is counted under the entry."""
    executor = ToyExecutor(dies_where_wide, part=in_gradient())
    outcome = trial(executor)
    parts = len(executor.ran_in_parts) - 2
    assert outcome.in_parts == {"high": parts}
    assert outcome.cells["high"]["known issue"] == parts == outcome.known_issues["dies"]
    assert sum(outcome.cells["high"].values()) == sum(outcome.cells["low"].values()) == 32


def test_a_fault_behind_a_known_crash_is_found_where_the_crash_is() -> None:
    """The forward is wrong in the very region and cell of the entry, and nowhere else."""

    def wrong(example: Example, cell: str, layout: str) -> str:
        return tall(example, cell, layout) if cell == "high" and example.sizes["W"] > 2 else ""

    executor = ToyExecutor(dies_where_wide, part=in_gradient(wrong))
    outcome = trial(executor)
    (failure,) = outcome.failures
    assert failure.finding.key == ("values", "output[0]")
    assert (set(failure.finding.cells), failure.finding.kind) == ({"high"}, "layout")
    assert failure.confirmed == "again in a fresh worker"
    assert failure.example.sizes == SMALLEST | {"H": 3, "W": 3}
    assert [row.cell for row in failure.rows if row.verdict == "failed"] == ["high"]
    whole = [example for example, cells in executor.ran if "high" in cells and example.sizes["W"] > 2]
    assert whole == [REPRODUCER]


def test_a_fault_behind_a_crash_in_every_cell_is_found() -> None:
    """Where no cell can run the whole, the reference runs in a fork, and the parts are judged by it."""

    def dies(example: Example, cell: str, layout: str) -> str:
        return dies_where_wide(example, "high", layout) if cell else ""

    def part(example: Example, cell: str, layout: str, without: Collection[str]) -> str:
        return in_gradient(tall)(example, "high" if cell else "", layout, without)

    outcome = trial(ToyExecutor(dies, part=part), ENTRY)
    assert {failure.finding.key for failure in outcome.failures} == {("values", "output[0]")}
    assert set(outcome.failures[0].finding.cells) == {"low", "high"}
    assert outcome.in_parts["low"] == outcome.in_parts["high"] > 0
    assert "kept from running" not in outcome.examples


def test_where_the_forward_dies_nothing_is_run() -> None:
    """No part is left, and the region is kept from running as a whole."""
    executor = ToyExecutor(dies_where_wide)
    outcome = trial(executor)
    assert [example for example, _, _ in wide(executor.ran_in_parts)] == [REPRODUCER]
    assert outcome.in_parts == {}
    assert outcome.known_issues["dies"] == outcome.cells["high"]["known issue"] > 0


def test_where_nothing_dies_by_itself_nothing_is_run() -> None:
    """Which part to leave out is not known: the reproducer is tried many times over, and the region not run."""
    executor = ToyExecutor(dies_where_wide, part=lambda *_: "")
    outcome = trial(executor)
    assert executor.ran_in_parts == [(REPRODUCER, "high", ("input",)), (REPRODUCER, "high", ())] * 2
    assert outcome.in_parts == {}


def test_what_died_as_a_whole_is_observed_in_parts_beside_it() -> None:
    """A replay runs the whole example: to the death that is known come the parts, and what is wrong with them."""
    executor = ToyExecutor(dies_where_wide, part=in_gradient(tall))
    runner = PartwiseRunner(CASE, cast("Executor", executor), [HIGH])
    example = REPRODUCER.but(sizes=SMALLEST | {"C": 2, "H": 3, "W": 3})
    result = runner.add_observations(executor.run_isolated(CASE, example))
    assert [(each.cell, each.status, each.omitted) for each in result.observations if each.layout == "drawn"] == [
        ("low", "ok", ()),
        ("high", "died", ()),
        ("high", "ok", ("grad:input",)),
    ]
    judged = judge_result(CASE, result, [HIGH])
    assert [finding.key for finding in judged.failures] == [("values", "output[0]")]
    assert [(name, finding.oracle) for name, finding in judged.partition.accepted] == [("dies", "crash")]
    assert judged.states() == {"low": CellState.PASSED, "high": CellState.FAILED}
    assert runner.add_observations(result).observations == result.observations


def test_nothing_runs_in_parts_where_a_death_would_be_that_of_pytest() -> None:
    """In pytest's own process a region that crashes is left alone."""
    executor = ToyExecutor(dies_where_wide, part=in_gradient(), is_isolating=False)
    outcome = trial(executor)
    assert executor.ran_in_parts == []
    assert outcome.known_issues["dies"] == outcome.cells["high"]["known issue"] > 0


def test_an_entry_whose_reproducer_is_of_another_case_is_learnt_from_the_first_examples() -> None:
    """The first example that is under the entry is run part by part; later ones are not."""
    elsewhere = replace(HIGH, reproducer=REPRODUCER.but(case="suites/operators/toy.yaml::other"))
    executor = ToyExecutor(dies_where_wide, part=in_gradient())
    outcome = trial(executor, elsewhere)
    first, second = executor.ran_in_parts[:2]
    assert first[0] == second[0]
    assert (first[2], second[2]) == (("input",), ())
    assert {without for _, _, without in executor.ran_in_parts[2:]} == {("input",)}
    assert outcome.in_parts["high"] > 0


def test_a_part_that_dies_unexpectedly_is_learnt_and_noted() -> None:
    """Another part than the reproducer's ends the worker: the entry accepts it, a note says so, and it runs no more."""

    def part(example: Example, cell: str, layout: str, without: Collection[str]) -> str:
        if example.sizes["W"] > 3:
            return "died"
        return in_gradient()(example, cell, layout, without)

    executor = ToyExecutor(dies_where_wide, part=part)
    outcome = trial(executor)
    assert outcome.failures == []
    (note,) = outcome.notes
    assert note.startswith("known issue dies: the call itself ends the worker too: {")
    last = [index for index, (example, _, _) in enumerate(executor.ran_in_parts) if example.sizes["W"] > 3][-1]
    assert last == len(executor.ran_in_parts) - 1


@pytest.mark.parametrize("path", ["no_grad", "inference_mode"])
def test_an_example_without_that_part_is_run_whole_and_passes(path: str) -> None:
    """Where no gradient is asked for nothing is left out: it runs in a fork and counts as any other."""
    executor = ToyExecutor(dies_where_wide, part=in_gradient())
    outcome = try_case(executor, HIGH, saved=[REPRODUCER.but(path=path)])
    assert (REPRODUCER.but(path=path), "high", ()) in executor.ran_in_parts
    assert sum(outcome.in_parts.values()) == outcome.known_issues["dies"]
