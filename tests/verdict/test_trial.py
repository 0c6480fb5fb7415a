"""A trial over a toy laboratory: what is counted, what is reduced, what deviations change."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from harness.execution import Result
from harness.nouns import Deviation, Example, Expression, Numerics, Observation, Reference
from harness.profiles import PROFILES
from harness.verdict import Outcome, Trial
from tests.verdict.laboratory import CASE, ToyLaboratory, Wrong

PROFILE = replace(PROFILES["gate"], rows=20, random=10)
SMALLEST = {"N": 1, "C": 1, "H": 1, "W": 1}


def right(example: Example, cell: str, layout: str) -> str:
    """Nothing is wrong anywhere."""
    del example, cell, layout
    return ""


def tried(laboratory: ToyLaboratory, *deviations: Deviation, **options: Any) -> Outcome:
    """A trial over the toy."""
    options.setdefault("profile", PROFILE)
    case = options.pop("case", CASE)
    trial = Trial(case, "float32", laboratory, deviations, seed=1, **options)  # type: ignore[arg-type] # a stand-in
    return trial.run()


def wide(example: Example, cell: str, layout: str) -> str:
    """Wide channels-last images come out wrong, in every cell."""
    del cell
    return "value" if layout == "drawn" and example.sizes["W"] > 2 else ""


def many_channels(end: str) -> Wrong:
    """More than two channels end the worker like that."""

    def wrong(example: Example, cell: str, layout: str) -> str:
        del cell, layout
        return end if example.sizes["C"] > 2 else ""

    return wrong


def deviation(witness: Example, **changes: Any) -> Deviation:
    """An entry that accepts `wide`."""
    entry = Deviation(
        id="wide",
        case=CASE.id,
        dtypes=("float32",),
        tensors=("output[0]",),
        oracle="values",
        cells=("low", "high"),
        when=Expression.parse("W > 2"),
        reason="a toy is wrong for wide images",
        link="no thread found",
        witness=witness,
    )
    return replace(entry, **changes)


WITNESS = Example(CASE.id, "float32", SMALLEST | {"W": 3}, {"input": "channels_last", "grad_output": "contiguous"})


def test_a_right_operator_passes_in_every_cell() -> None:
    """No finding: both cells passed, examples of both phases are counted, pairs are covered."""
    outcome = tried(ToyLaboratory(right))
    assert outcome.status == "passed"
    assert outcome.examples == {"saved": 0, "declared": 0, "corners": 20, "drawn": 10}
    assert set(outcome.cells) == {"low", "high"}
    assert outcome.coverage["pairs"] > 0
    assert outcome.hits["low"]["double:low"] > 0


def test_a_fault_is_reduced_to_its_smallest_example() -> None:
    """One failure for the oracle and tensor, at the smallest sizes that show it, confirmed in a fresh worker."""
    outcome = tried(ToyLaboratory(wide))
    (failure,) = outcome.failures
    assert failure.example.sizes["W"] == 3
    assert {**failure.example.sizes, "W": 1} == SMALLEST
    assert failure.finding.key == ("values", "output[0]")
    assert failure.confirmed == "again in a fresh worker"
    assert [row.verdict for row in failure.rows] == ["failed", "failed"]


def test_a_fault_in_one_cell_names_that_cell() -> None:
    """The table says which cells pass and which fail, with the kernels of each."""

    def high(example: Example, cell: str, layout: str) -> str:
        both = min(example.sizes["C"], example.sizes["W"]) > 1 and example.layouts["input"] == "channels_last"
        return "value" if cell == "high" and both and layout == "drawn" else ""

    (failure,) = tried(ToyLaboratory(high)).failures
    assert [(row.cell, row.verdict, row.kernels) for row in failure.rows] == [
        ("low", "passed", ("double:low",)),
        ("high", "failed", ("double:high",)),
    ]
    assert failure.finding.kind == "layout"


def test_a_deviation_is_counted_not_failed() -> None:
    """A finding under the condition is counted, its witness replayed, and the hunt goes on around it."""
    outcome = tried(ToyLaboratory(wide), deviation(WITNESS))
    assert outcome.status == "deviation"
    assert outcome.deviations["wide"] > 0
    assert outcome.witnesses == {"wide": "still fails"}


def test_a_deviation_hides_nothing_outside_its_condition() -> None:
    """With a condition that is too narrow the rest still fails, at the smallest example outside it."""
    entry = deviation(WITNESS.but(sizes=SMALLEST | {"W": 5}), when=Expression.parse("W > 3"))
    outcome = tried(ToyLaboratory(wide), entry)
    assert outcome.status == "failed"
    assert outcome.failures[0].example.sizes["W"] == 3


def test_a_witness_that_passes_makes_the_entry_stale() -> None:
    """A witness that no longer fails fails the trial: the entry must go."""
    outcome = tried(ToyLaboratory(right), deviation(WITNESS))
    assert outcome.status == "failed"
    assert outcome.stale == ["wide"]
    assert "it passes" in outcome.witnesses["wide"]


def test_a_deviation_without_its_cell_says_so() -> None:
    """An entry for a level that this machine lacks is neither stale nor confirmed."""
    outcome = tried(ToyLaboratory(right), deviation(WITNESS, cells=("amx",)))
    assert outcome.status == "passed"
    assert outcome.witnesses == {"wide": "not checked: no cell of amx on this machine"}


def test_a_crash_is_shrunk_in_isolation_and_stops_the_trial() -> None:
    """After a few deaths nothing more is run; the failure has the smallest sizes that kill a fresh worker."""
    outcome = tried(ToyLaboratory(lambda e, cell, _: "died" if e.sizes["C"] > 2 and cell == "high" else ""))
    (failure,) = outcome.failures
    assert failure.finding.kind == "crash"
    assert failure.example.sizes["C"] == 3
    (note,) = outcome.notes
    assert note.startswith("stopped after 3 crashes or hangs, ")
    assert f" {outcome.examples.total()} of " in note


def test_a_known_crash_is_not_run_again() -> None:
    """Examples under a crash's condition go without that cell; only the witness runs there, in a fresh worker."""

    def dies(example: Example, cell: str, layout: str) -> str:
        del layout
        return "died" if example.sizes["W"] > 2 and cell == "high" else ""

    laboratory = ToyLaboratory(dies)
    outcome = tried(laboratory, deviation(WITNESS, oracle="crash", tensors=("*",), cells=("high",)))
    assert outcome.status == "deviation"
    assert outcome.failures == []
    assert [example for example, cells in laboratory.ran if example.sizes["W"] > 2 and "high" in cells] == [WITNESS]


def test_what_is_known_to_kill_every_cell_is_not_run() -> None:
    """Not even its reference is asked for; it is counted as kept from running, and as a deviation in each cell."""
    laboratory = ToyLaboratory(many_channels("died"))
    witness = WITNESS.but(sizes=SMALLEST | {"C": 3})
    outcome = tried(laboratory, deviation(witness, oracle="crash", tensors=("*",), when=Expression.parse("C > 2")))
    kept = outcome.examples["kept from running"]
    assert kept > 0
    assert [outcome.cells[cell]["deviation"] for cell in ("low", "high")] == [kept, kept]
    assert [example for example, _ in laboratory.ran if example.sizes["C"] > 2] == [witness]


def test_a_finding_seen_once_is_said_to_be_so() -> None:
    """What fails neither again nor in a fresh worker is reported as found, not as confirmed."""
    failed: list[Example] = []

    def once(example: Example, cell: str, layout: str) -> str:
        del cell
        if failed or layout == "contiguous":
            return ""
        failed.append(example)
        return "value"

    (failure,) = tried(ToyLaboratory(once)).failures
    assert failure.confirmed == "not again in a fresh worker: seen once"
    assert failure.example == failed[0]


def test_the_example_that_spoiled_the_worker_is_named() -> None:
    """A fault that a fresh worker shows only after an earlier example names that example, shrunk as well."""
    spoiled: list[Example] = []

    def spoils(example: Example, cell: str, layout: str) -> str:
        del cell, layout
        if example.sizes["N"] == 3:
            spoiled.append(example)
        return "value" if spoiled and example.sizes["N"] == 1 else ""

    def fresh(example: Example, cell: str, layout: str) -> str:
        seen = bool(spoiled)
        spoiled.clear()
        return spoils(example, cell, layout) or ("value" if seen and example.sizes["N"] == 1 else "")

    class Forgetful(ToyLaboratory):
        def isolated(self, *arguments: Any, **options: Any) -> Any:
            kept = list(spoiled)
            spoiled.clear()
            result = super().isolated(*arguments, **options)
            spoiled.extend(kept)
            return result

    (failure, *_) = tried(Forgetful(spoils, alone=fresh)).failures
    assert failure.confirmed.startswith("only after {")
    assert '"N": 3, "C": 1, ' in failure.confirmed


def test_a_deadline_is_reported() -> None:
    """Running out of time is a note, not a failure."""
    outcome = tried(ToyLaboratory(right), deadline=0.0)
    assert outcome.notes == ["the time budget was reached before this began"]
    assert outcome.status == "not run"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that moves one second each time it is read."""
    now = [0.0]

    def tick() -> float:
        now[0] += 1.0
        return now[0]

    monkeypatch.setattr("harness.verdict.trial.time.monotonic", tick)
    return now


def test_a_deadline_in_the_middle_is_reported(clock: list[float]) -> None:
    """What ran is counted and judged, and the note says how much of the plan that was."""
    outcome = tried(ToyLaboratory(right), deadline=clock[0] + 20)
    (note,) = outcome.notes
    assert note == f"the time budget was reached after {outcome.examples.total()} of 30 examples"
    assert 0 < outcome.examples.total() == sum(outcome.cells["low"].values()) < 30
    assert outcome.status == "passed"


def test_a_deadline_ends_shrinking(clock: list[float]) -> None:
    """A failure found just in time is reported as it was found, and the note says that it may not be the smallest."""
    outcome = tried(ToyLaboratory(wide), deadline=clock[0] + 30)
    assert outcome.status == "failed"
    assert outcome.notes[-1] == "the time budget was reached: a smaller example may fail too"


def test_nothing_to_run_is_not_a_failure() -> None:
    """The replay profile of a case without declared or saved examples has not run: neither a pass nor a failure."""
    outcome = tried(ToyLaboratory(right), profile=PROFILES["replay"])
    assert outcome.status == "not run"


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

    outcome = tried(ToyLaboratory(once, alone=right))
    assert outcome.status == "passed"
    assert sum(outcome.cells["high"].values()) == outcome.examples.total() == 30
    (incident,) = outcome.incidents
    assert "did not come back in a fresh worker" in incident
    assert ended[0].to_json() in incident


def test_two_workers_killed_together_are_an_incident() -> None:
    """The first fresh worker may have been killed along with the one it stands in for: a second is asked."""
    calls = iter(["killed"] * 2)

    def killed(example: Example, cell: str, layout: str) -> str:
        del example, layout
        return next(calls, "") if cell == "high" else ""

    outcome = tried(ToyLaboratory(many_channels("killed"), alone=killed))
    assert outcome.status == "passed"
    assert outcome.incidents != []


@pytest.mark.parametrize(("end", "kind"), [("killed", "crash"), ("hung", "hang")])
def test_a_kernel_that_always_ends_its_worker_is_a_failure(end: str, kind: str) -> None:
    """Out of memory and endless loops come back in a fresh worker: a finding, shrunk like any other."""
    outcome = tried(ToyLaboratory(many_channels(end)))
    (failure,) = outcome.failures
    assert failure.finding.kind == kind
    assert failure.example.sizes["C"] == 3
    assert outcome.incidents == []


def test_a_crash_seen_once_remains_a_failure() -> None:
    """Nobody sends a segmentation fault from outside: where it does not come back, it is said to be seen once."""
    outcome = tried(ToyLaboratory(many_channels("died"), alone=right))
    assert [failure.confirmed for failure in outcome.failures] == ["not again in a fresh worker: seen once"]


def test_a_reference_that_was_killed_is_asked_again() -> None:
    """Without a reference nothing is judged; the fresh one makes the example count."""

    class Forgetful(ToyLaboratory):
        def run(self, *arguments: Any, **options: Any) -> Any:
            for index, result in enumerate(super().run(*arguments, **options)):
                yield replace(result, reference=Reference("died")) if index == 2 else result

    outcome = tried(Forgetful(right))
    assert "the reference died" not in outcome.untrusted
    assert sum(outcome.cells["high"].values()) == 30


def test_shrinking_keeps_out_of_a_known_crash() -> None:
    """While another fault shrinks, no candidate is run in the cell that it is known to kill."""
    narrow = WITNESS.but(sizes=SMALLEST | {"C": 2})
    entry = deviation(narrow, oracle="crash", tensors=("*",), cells=("high",), when=Expression.parse("W < 3"))

    def both(example: Example, cell: str, layout: str) -> str:
        if cell == "high" and example.sizes["W"] < 3:
            return "died"
        return "value" if example.sizes["H"] > 2 and layout == "drawn" else ""

    laboratory = ToyLaboratory(both)
    outcome = tried(laboratory, entry)
    assert outcome.failures[0].example.sizes["H"] == 3
    ran_there = [example for example, cells in laboratory.ran if example.sizes["W"] < 3 and "high" in cells]
    assert set(map(Example.to_json, ran_there)) <= {narrow.to_json()}


def test_a_witness_that_comes_and_goes_is_not_stale() -> None:
    """A witness that passed once is tried many times in one fresh worker before it is called stale."""

    class Fickle(ToyLaboratory):
        def isolated(self, *arguments: Any, repeats: int = 1, **options: Any) -> Result:
            self.alone = wide if repeats > 1 else right
            return super().isolated(*arguments, repeats=repeats, **options)

    outcome = tried(Fickle(right), deviation(WITNESS))
    assert outcome.witnesses == {"wide": "still fails"}


def test_a_witness_of_another_dtype_is_left_to_its_own_trial() -> None:
    """An entry of several dtypes has one witness; the trials of the others say whose it is."""
    outcome = tried(ToyLaboratory(right), deviation(WITNESS.but(dtype="float64"), dtypes=("float32", "float64")))
    assert outcome.witnesses == {"wide": "its witness is float64"}


def test_an_admitted_accumulator_widens_the_bound_where_its_condition_holds() -> None:
    """Within the looser bound the example counts as a deviation; the same error elsewhere is a failure."""
    case = replace(CASE, numerics=Numerics("multilinear", "multilinear"), fills=("reals",))

    class Coarse(ToyLaboratory):
        """One bfloat16 rounding away from twice the input, for wide images."""

        def _result(self, example: Example, cells: Any, wrong: Any) -> Result:
            result = super()._result(example, cells, wrong)
            values = result.reference.values["output[0]"] / 3  # no integers: their sums would be exact
            reference = replace(
                result.reference,
                values={"output[0]": values},
                inputs={"input": values / 2},
                bound={"output[0]": np.abs(values)},
                terms={"output[0]": np.full(values.shape, 2.0)},
            )
            return replace(result, reference=reference, observations=tuple(map(self._off, result.observations)))

        def _off(self, seen: Observation) -> Observation:
            record = seen.tensors["output[0]"]
            error = np.float32(2.0**-8) if record.shape[3] > 2 else np.float32(0)
            wrong = replace(record, values=(record.values / 3 * (1 + error)).astype(np.float32))
            return replace(seen, tensors={"output[0]": wrong})

    admitted = deviation(WITNESS, accumulates_in="bfloat16")
    assert tried(Coarse(right), case=case).status == "failed"
    inside = tried(Coarse(right), admitted, case=case)
    assert inside.status == "deviation"
    assert inside.deviations["wide"] > 0
    assert inside.witnesses == {"wide": "still fails"}
    beside = tried(Coarse(right), replace(admitted, when=Expression.parse("W > 3")), case=case)
    assert beside.status == "failed"


def test_more_faults_than_are_reduced_are_named() -> None:
    """Beyond the first few faults a trial says only what else failed."""

    class Broken(ToyLaboratory):
        def _result(self, *arguments: Any) -> Result:
            result = super()._result(*arguments)
            values = {f"output[{index}]": result.reference.values["output[0]"] for index in range(5)}
            return replace(result, reference=replace(result.reference, values=values))

    outcome = tried(Broken(right))
    assert len(outcome.failures) == 3
    assert outcome.notes == ["also failed: shape of output[4]: output[4] is missing"]


def test_saved_failures_run_first() -> None:
    """The replay profile runs saved examples and nothing drawn."""
    laboratory = ToyLaboratory(wide)
    outcome = tried(laboratory, profile=PROFILES["replay"], saved=[WITNESS])
    assert outcome.examples.total() == 1
    assert outcome.failures[0].found == WITNESS


def test_the_record_of_an_outcome_is_plain_data() -> None:
    """`as_json` has the status and the counts, and rounds ratios so that two runs give the same text."""
    outcome = tried(ToyLaboratory(wide))
    outcome.ratios["output[0]"] = 0.123456
    data = outcome.as_json()
    assert data["status"] == "failed"
    assert data["ratios"] == {"output[0]": 0.12}
    assert data["failures"][0]["example"]["sizes"]["W"] == 3
