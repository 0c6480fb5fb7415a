"""A trial over a toy laboratory: what is counted, what is reduced, what deviations change."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from harness.nouns import Deviation, Example, Expression
from harness.profiles import PROFILES
from harness.verdict import Outcome, Trial
from tests.verdict.laboratory import CASE, ToyLaboratory

PROFILE = replace(PROFILES["gate"], rows=20, random=10)
SMALLEST = {"N": 1, "C": 1, "H": 1, "W": 1}


def tried(laboratory: ToyLaboratory, *deviations: Deviation, **options: Any) -> Outcome:
    options.setdefault("profile", PROFILE)
    trial = Trial(CASE, "float32", laboratory, deviations, seed=1, **options)  # type: ignore[arg-type] # a stand-in
    return trial.run()


def wide(example: Example, cell: str, layout: str) -> str:
    return "value" if layout == "drawn" and example.sizes["W"] > 2 else ""


def deviation(witness: Example, **changes: Any) -> Deviation:
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
    outcome = tried(ToyLaboratory(lambda *_: ""))
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
    outcome = tried(ToyLaboratory(lambda _, cell, __: "value" if cell == "high" else ""))
    (failure,) = outcome.failures
    assert [(row.cell, row.verdict, row.kernels) for row in failure.rows] == [
        ("low", "passed", ("double:low",)),
        ("high", "failed", ("double:high",)),
    ]
    assert failure.finding.kind == "isa"


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
    outcome = tried(ToyLaboratory(lambda *_: ""), deviation(WITNESS))
    assert outcome.status == "failed"
    assert outcome.stale == ["wide"]
    assert "it passes" in outcome.witnesses["wide"]


def test_a_deviation_without_its_cell_says_so() -> None:
    """An entry for a level that this machine lacks is neither stale nor confirmed."""
    outcome = tried(ToyLaboratory(lambda *_: ""), deviation(WITNESS, cells=("amx",)))
    assert outcome.status == "passed"
    assert outcome.witnesses == {"wide": "not checked: no cell of amx on this machine"}


def test_a_crash_is_shrunk_in_isolation_and_stops_the_trial() -> None:
    """After a few deaths nothing more is run; the failure has the smallest sizes that kill a fresh worker."""
    outcome = tried(ToyLaboratory(lambda e, cell, _: "died" if e.sizes["C"] > 2 and cell == "high" else ""))
    (failure,) = outcome.failures
    assert failure.finding.kind == "crash"
    assert failure.example.sizes["C"] == 3
    assert outcome.notes == ["stopped after 3 crashes or hangs"]


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
    """A fault that a fresh worker shows only after an earlier example names that example."""
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
    assert '"N": 3' in failure.confirmed


def test_a_deadline_is_reported() -> None:
    """Running out of time is a note, not a failure."""
    outcome = tried(ToyLaboratory(lambda *_: ""), deadline=0.0)
    assert outcome.notes == ["the time budget was reached"]
    assert sum(outcome.cells["low"].values()) == 1


def test_saved_failures_run_first() -> None:
    """The replay profile runs saved examples and nothing drawn."""
    laboratory = ToyLaboratory(wide)
    outcome = tried(laboratory, profile=PROFILES["replay"], saved=[WITNESS])
    assert outcome.examples.total() == 1
    assert outcome.failures[0].example == WITNESS


def test_the_record_of_an_outcome_is_plain_data() -> None:
    """`as_json` has the status and the counts, and rounds ratios so that two runs give the same text."""
    outcome = tried(ToyLaboratory(wide))
    outcome.ratios["output[0]"] = 0.123456
    data = outcome.as_json()
    assert data["status"] == "failed"
    assert data["ratios"] == {"output[0]": 0.12}
    assert data["failures"][0]["example"]["sizes"]["W"] == 3
