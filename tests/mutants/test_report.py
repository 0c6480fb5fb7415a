"""What is printed of a run of mutants."""

from __future__ import annotations

from harness.mutants import MutantReport, MutantRow, MutantState, report_text
from harness.mutants.report import CatchRecord, PeerRecord

CATCH = CatchRecord(
    item="relu[float32]", oracle="values", tensor="output[0]", kind="layout", message="", example={}, elements=4
)


def row(name: str, examples: int, catch: CatchRecord | None) -> MutantRow:
    """A row of an activation's tail."""
    state = MutantState.MISSED if catch is None else MutantState.CAUGHT
    return MutantRow(
        name=name,
        family="activation",
        fault_class="tail",
        operator="relu",
        state=state,
        examples=examples,
        seconds=0.25,
        catch=catch,
        peers={
            "fixed shapes": PeerRecord(is_caught=True, examples=3, message="output[0] is not channels-last"),
            "Hypothesis": PeerRecord(is_caught=False, examples=100, message=""),
        },
    )


def report(*rows: MutantRow) -> MutantReport:
    """A run of these mutants."""
    return MutantReport(
        torch="2.15.0",
        onednn="3.13",
        cpu="A CPU",
        levels=["avx2"],
        seed=0,
        most_examples=None,
        seconds=3.0,
        rows=list(rows),
    )


def test_a_line_says_how_each_was_caught() -> None:
    """Class, examples, seconds, elements, oracle, tensor and item."""
    line = next(line for line in report_text(report(row("tail_of_8", 2, CATCH))).splitlines() if "tail_of_8" in line)
    words = line.split()
    assert words[:6] == ["tail_of_8", "tail", "caught", "2", "0.2", "4"]
    assert " ".join(words[6:]) == "caught missed values of output[0], relu[float32]"


def test_what_was_missed_is_named_in_the_end() -> None:
    """It is counted, and is what the exit code is about."""
    run = report(row("caught", 2, CATCH), row("hidden", 80, None))
    assert "1 of 2 caught" in report_text(run)
    assert "missed: hidden" in report_text(run)
    assert [each.name for each in run.missed_rows] == ["hidden"]


def test_what_this_machine_cannot_run_is_neither_caught_nor_missed() -> None:
    """It is named in the end with the number that ran, its line says why, and the exit code is not about it."""
    lack = "it bites at ATEN_CPU_CAPABILITY avx512 alone, and no level that is run has that"
    idle = row("needs_more", 0, None).model_copy(update={"state": MutantState.NOT_RUN, "lack": lack, "peers": {}})
    run = report(row("caught", 2, CATCH), idle)
    assert "1 of 1 caught" in report_text(run)
    assert "not run: needs_more" in report_text(run)
    assert any("needs_more" in line and lack in line for line in report_text(run).splitlines())
    assert not run.missed_rows


def test_the_median_is_of_what_was_caught() -> None:
    """What was missed has no first finding."""
    rows = [row("a", 1, CATCH), row("b", 3, CATCH), row("c", 80, None)]
    assert "to the first finding: 2 examples" in report_text(report(*rows))


def test_what_others_catch_is_counted_beside_it() -> None:
    """Of the same mutants, each way to test for itself."""
    text = report_text(report(row("a", 1, CATCH), row("b", 80, None)))
    assert "fixed shapes: 2 of 2 caught" in text
    assert "Hypothesis: 0 of 2 caught" in text
