"""How workers end: crashes, hangs, kills from outside, and what becomes of them in a trial."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from harness.core import Case, Example, Expression, Reference
from harness.execution import Result
from tests.trial.toy import ToyExecutor
from tests.trial.trials import REPRODUCER, SMALLEST, known_issue, many_channels, right, try_case


def test_a_crash_is_shrunk_in_isolation_and_stops_the_trial() -> None:
    """After a few deaths nothing more is run; the failure has the smallest sizes that kill a fresh worker."""
    outcome = try_case(ToyExecutor(lambda e, cell, _: "died" if e.sizes["C"] > 2 and cell == "high" else ""))
    (failure,) = outcome.failures
    assert failure.finding.kind == "crash"
    assert failure.example.sizes["C"] == 3
    (note,) = outcome.notes
    assert note.startswith("stopped after 3 crashes or hangs, ")
    assert f" {outcome.examples.total()} of " in note


def test_a_known_crash_is_not_run_again() -> None:
    """Examples under a crash's condition go without that cell; only the reproducer runs there, in a fresh worker."""

    def dies(example: Example, cell: str, layout: str) -> str:
        del layout
        return "died" if example.sizes["W"] > 2 and cell == "high" else ""

    executor = ToyExecutor(dies)
    outcome = try_case(executor, known_issue(REPRODUCER, oracle="crash", tensors=("*",), cells=("high",)))
    assert outcome.status == "known issue"
    assert outcome.failures == []
    assert [example for example, cells in executor.ran if example.sizes["W"] > 2 and "high" in cells] == [REPRODUCER]


def test_what_is_known_to_kill_every_cell_is_not_run() -> None:
    """Not even its reference is asked for; it is counted as kept from running, and as a known issue in each cell."""
    executor = ToyExecutor(many_channels("died"))
    reproducer = REPRODUCER.but(sizes=SMALLEST | {"C": 3})
    outcome = try_case(
        executor, known_issue(reproducer, oracle="crash", tensors=("*",), when=Expression.parse("C > 2"))
    )
    kept = outcome.examples["kept from running"]
    assert kept > 0
    assert [outcome.cells[cell]["known issue"] for cell in ("low", "high")] == [kept, kept]
    assert [example for example, _ in executor.ran if example.sizes["C"] > 2] == [reproducer]


@pytest.mark.parametrize("end", ["killed", "hung"])
def test_a_worker_ended_from_outside_is_an_incident(end: str) -> None:
    """The example runs again in a fresh worker, whose answer counts; nothing fails and nothing is left out."""
    ended: list[Example] = []

    def once(example: Example, cell: str, layout: str) -> str:
        del layout
        if cell == "high" and (not ended or ended == [example]):
            ended[:] = [example]
            return end
        return ""

    outcome = try_case(ToyExecutor(once, alone=right))
    assert outcome.status == "passed"
    assert sum(outcome.cells["high"].values()) == outcome.examples.total() == 30
    (incident,) = outcome.incidents
    assert "did not come back in a fresh worker" in incident
    assert ended[0].to_json() in incident


def test_a_worker_that_dies_of_the_trace_is_an_incident() -> None:
    """The profiler, by which operators are traced, is no kernel: the example runs again without it, and that counts."""
    outcome = try_case(ToyExecutor(right, traced=many_channels("died")))
    assert outcome.failures == []
    assert outcome.incidents != []
    assert all("did not come back in a fresh worker" in incident for incident in outcome.incidents)


def test_a_kernel_that_dies_where_it_is_traced_dies_without_the_trace() -> None:
    """A crash is a crash of the kernel where fresh workers, in which nothing is traced, die of it too."""
    wrong = many_channels("died")
    outcome = try_case(ToyExecutor(wrong, traced=wrong))
    assert [failure.finding.oracle for failure in outcome.failures] == ["crash"]
    assert outcome.incidents == []


def test_two_workers_killed_together_are_an_incident() -> None:
    """The first fresh worker may have been killed along with the one it stands in for: a second is asked."""
    calls = iter(["killed"] * 2)

    def killed(example: Example, cell: str, layout: str) -> str:
        del example, layout
        return next(calls, "") if cell == "high" else ""

    outcome = try_case(ToyExecutor(many_channels("killed"), alone=killed))
    assert outcome.status == "passed"
    assert outcome.incidents != []


@pytest.mark.parametrize(("end", "kind"), [("killed", "crash"), ("hung", "hang")])
def test_a_kernel_that_always_ends_its_worker_is_a_failure(end: str, kind: str) -> None:
    """Out of memory and endless loops come back in a fresh worker: a finding, shrunk like any other."""
    outcome = try_case(ToyExecutor(many_channels(end)))
    (failure,) = outcome.failures
    assert failure.finding.kind == kind
    assert failure.example.sizes["C"] == 3
    assert outcome.incidents == []


def test_a_crash_seen_once_remains_a_failure() -> None:
    """Nobody sends a segmentation fault from outside: where it does not come back, it is said to be seen once."""
    outcome = try_case(ToyExecutor(many_channels("died"), alone=right))
    assert [failure.confirmed for failure in outcome.failures] == ["not again in a fresh worker: seen once"]


def test_a_reference_that_was_killed_is_asked_again() -> None:
    """Without a reference nothing is judged; the fresh one makes the example count."""

    class Forgetful(ToyExecutor):
        def run(self, *arguments: Any, **options: Any) -> Any:
            for index, result in enumerate(super().run(*arguments, **options)):
                yield replace(result, reference=Reference("died")) if index == 2 else result

    outcome = try_case(Forgetful(right))
    assert "the reference died" not in outcome.untrusted
    assert sum(outcome.cells["high"].values()) == 30


def test_shrinking_keeps_out_of_a_known_crash() -> None:
    """While another fault shrinks, no candidate is run in the cell that it is known to kill."""
    narrow = REPRODUCER.but(sizes=SMALLEST | {"C": 2})
    entry = known_issue(narrow, oracle="crash", tensors=("*",), cells=("high",), when=Expression.parse("W < 3"))

    def both(example: Example, cell: str, layout: str) -> str:
        if cell == "high" and example.sizes["W"] < 3:
            return "died"
        return "value" if example.sizes["H"] > 2 and layout == "drawn" else ""

    executor = ToyExecutor(both)
    outcome = try_case(executor, entry)
    assert outcome.failures[0].example.sizes["H"] == 3
    ran_there = [example for example, cells in executor.ran if example.sizes["W"] < 3 and "high" in cells]
    assert set(map(Example.to_json, ran_there)) <= {narrow.to_json()}


def test_a_hang_is_shrunk_in_haste_and_confirmed_at_leisure() -> None:
    """Candidates get a tenth of the time limit; the first and the last get all of it."""
    executor = ToyExecutor(many_channels("hung"))
    (failure,) = try_case(executor).failures
    assert failure.example.sizes["C"] == 3
    hasty = [index for index, limit in enumerate(executor.limits) if limit == 2.0]
    assert hasty
    assert None in executor.limits[: hasty[0]]
    leisurely = [example for example, limit in executor.isolated if limit is None]
    assert leisurely[0] == failure.original
    assert leisurely[-1] == failure.example


def test_a_slow_candidate_is_no_hang() -> None:
    """What outlasts the shorter limit but not the longer is not shown as the minimal example."""
    hangs = many_channels("hung")

    class Slow(ToyExecutor):
        def run_isolated(self, case: Case, example: Example, *, limit: float | None = None, **options: Any) -> Result:
            if limit is not None and example.sizes["C"] > 1:
                return self._result(example, options["cells"], lambda *_: "hung")
            return super().run_isolated(case, example, limit=limit, **options)

    (failure,) = try_case(Slow(hangs)).failures
    assert failure.example == failure.original
    assert failure.example.sizes["C"] > 2
