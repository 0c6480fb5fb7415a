"""Two runs compared: new, gone, moved, and what became of headroom, speed and coverage."""

from __future__ import annotations

import re
from dataclasses import replace

from syrupy.assertion import SnapshotAssertion

from harness.core import CellState, ItemStatus, PatternKind, Severity
from harness.reporting.comparison import (
    Breakage,
    BreakageKind,
    RunComparison,
    compare_runs,
    comparison_markdown,
    comparison_short_text,
    comparison_text,
    item_breakages,
)
from harness.reporting.foreign_text import HIDDEN
from harness.reporting.operator_item import CornerCoverageRecord
from tests.reporting.comparison.runs import (
    CASE,
    POOL,
    failing_item,
    failing_model,
    failure,
    item,
    recorded_run,
    stale_item,
)
from tests.reporting.html_report.hostile import hostile_record
from tests.reporting.records import MODEL, golden_item, model_item

OTHER = "suites/operators/pooling.yaml::avg_pool2d"


def eventful() -> RunComparison:
    """Two runs between which everything happens that can."""
    old = recorded_run(
        failing_item(failure(tensor="grad:input"), failure(cells=("sse41", "avx2"))),
        item(OTHER, ratios={"output[0]": 0.2}, seconds=6.0),
        failing_item(dtype="float64").model_copy(update={"case": OTHER, "dtype": "float64"}),
        item(dtype="bfloat16", hits={"avx2": {"pooling:simple:any": 1}}),
        item(dtype="uint8"),
    )
    new = recorded_run(
        failing_item(failure("output[0] differs, otherwise worded", cells=("avx2",)), operators=()),
        item(OTHER, ratios={"output[0]": 0.75}, seconds=40.0),
        stale_item(dtype="bfloat16"),
        item(dtype="uint8", status=ItemStatus.KNOWN_ISSUE, cells={"avx2": {CellState.KNOWN_ISSUE: 1}}),
        failing_model(),
        day=1,
        torch="2.10",
    )
    return compare_runs(old, new)


def test_what_fails_only_in_the_new_run_is_new() -> None:
    """What is wrong stands before what is stale; the item's status says whether OLD passed it, or had not looked."""
    comparison = eventful()
    appeared = [(change.breakage.item, change.breakage.kind, change.status) for change in comparison.appeared]
    assert appeared == [
        (f"{MODEL}[eval-eager-float32]", BreakageKind.FINDING, None),
        (f"{CASE}[bfloat16]", BreakageKind.STALE, ItemStatus.PASSED),
    ]
    assert comparison.is_worse


def test_the_most_serious_of_what_is_new_is_first() -> None:
    """In the order of severities, whatever the order of the record: a chat names the first five."""
    strides, crash = (
        failure().model_copy(update={"finding": failure().finding.model_copy(update={"oracle": oracle})})
        for oracle in ("strides", "crash")
    )
    ulp = failure(tensor="output[1]").model_copy(update={"pattern_kinds": (PatternKind.ONE_ULP,)})
    comparison = compare_runs(recorded_run(), recorded_run(failing_item(strides, ulp, failure(), crash)))
    assert [change.breakage.severity for change in comparison.appeared] == [
        Severity.CRASH,
        Severity.WRONG_VALUES,
        Severity.ACCURACY,
        Severity.LAYOUT,
    ]


def test_what_is_gone_was_looked_at() -> None:
    """A failure whose item the new run has not checked is not gone: nothing is known of it."""
    comparison = eventful()
    assert [change.breakage.name for change in comparison.disappeared] == ["values grad:input"]
    assert [change.breakage.item for change in comparison.not_looked_at] == [f"{OTHER}[float64]"]


def test_what_the_budget_did_not_reach_is_not_gone() -> None:
    """An item that did not come to its end may have failed later."""
    comparison = compare_runs(recorded_run(failing_item()), recorded_run(item(complete=False)))
    assert comparison.disappeared == []
    assert [change.status for change in comparison.not_looked_at] == [ItemStatus.PASSED]


def test_the_same_fault_in_other_words_is_no_news() -> None:
    """Another seed words a finding otherwise; oracle, tensor and item are what it is known by."""
    comparison = compare_runs(recorded_run(failing_item()), recorded_run(failing_item(failure("worse than before"))))
    assert (comparison.lasting, comparison.is_worse) == (1, False)
    assert comparison.moved == []


def test_other_levels_are_a_move() -> None:
    """Only levels that both runs have count: what a machine lacks has not moved."""
    old = recorded_run(failing_item(failure(cells=("sse41", "avx2"))))
    moved = compare_runs(old, recorded_run(failing_item(failure(cells=("avx2",))))).moved
    assert [(pair.old.cells, pair.new.cells) for pair in moved] == [(("sse41", "avx2"), ("avx2",))]
    fewer = recorded_run(failing_item(failure(cells=("avx2",))))
    levels = {name: level for name, level in fewer.record.levels.items() if name != "sse41"}
    fewer.record.__dict__["levels"] = levels
    assert compare_runs(old, fewer).moved == []


def test_the_line_of_a_golden_file_is_no_part_of_what_a_difference_is() -> None:
    """An edit above it moves the line, and the difference is the same."""
    sentence = "golden/contract/pooling.yaml:{}: changed: was NHWC; now NCHW"

    def differing(line: int) -> Breakage:
        golden = item().golden.model_copy(update={"differing": (sentence.format(line),)})
        return next(item_breakages(POOL, item(status=ItemStatus.FAILED, golden=golden)))

    assert differing(12).key == differing(99).key
    assert differing(12).message != differing(99).message


def test_every_reason_to_fail_is_a_breakage() -> None:
    """Findings, golden differences, double backwards, stale known issues, models that do not run, nothing checked."""
    golden = item().golden.model_copy(update={"differing": ("a.yaml:1: changed",)})
    whole = stale_item(failures=(failure(),), golden=golden, faults=("double backward differs",))
    unchecked = item(status=ItemStatus.UNTRUSTED, untrusted={"same layout": 3})
    broken = model_item(status=ItemStatus.FAILED, problem="it raises", stale=("old-fault",))
    kinds = [breakage.kind for each in (whole, unchecked, broken) for breakage in item_breakages("x", each)]
    assert kinds == [
        BreakageKind.FINDING,
        BreakageKind.STALE,
        BreakageKind.GOLDEN,
        BreakageKind.DOUBLE_BACKWARD,
        BreakageKind.UNCHECKED,
        BreakageKind.PROBLEM,
        BreakageKind.STALE,
    ]
    assert [*item_breakages("x", item())] == []


def test_a_misfit_of_golden_is_a_breakage() -> None:
    """golden/ and a suite that have not the same cases any more are news, and count for no example."""
    misfit = "golden/contract/s.yaml:7: relu is no case of the suite"
    comparison = compare_runs(recorded_run(golden_item()), recorded_run(golden_item(misfits=(misfit,))))
    assert [change.breakage.message for change in comparison.appeared] == [misfit]
    assert comparison.new.figures.examples == 0


def test_headroom_speed_and_coverage_are_compared() -> None:
    """A ratio that grew, an item that takes longer than the rest of the run, what only one of the runs reached."""
    comparison = eventful()
    assert [(growth.old, growth.new) for growth in comparison.ratios] == [(0.2, 0.75)]
    assert [slowdown.item for slowdown in comparison.slowdowns] == [f"{OTHER}[float32]"]
    assert comparison.kernels_gone == ["pooling:simple:any"]
    assert comparison.kernels_new == ["convolution:jit:avx2"]
    assert [(change.old, change.new) for change in comparison.statuses] == [(ItemStatus.PASSED, ItemStatus.KNOWN_ISSUE)]


def test_a_machine_that_is_slower_everywhere_slows_no_item_down() -> None:
    """An item is listed for what it lost beside the run as a whole."""
    items = [item(), item(OTHER)]
    slower = [each.model_copy(update={"seconds": 30.0}) for each in items]
    assert compare_runs(recorded_run(*items), recorded_run(*slower)).slowdowns == []


def test_a_run_without_examples_can_be_compared() -> None:
    """Nothing is divided by what is not there."""
    nothing = recorded_run(item(examples={}, seconds=0.0, ratios={}, coverage=CornerCoverageRecord()))
    comparison = compare_runs(nothing, nothing)
    assert not comparison.is_worse
    assert "0 -> 0 examples" in comparison_text(comparison)


def test_a_hostile_record_adds_no_markup_to_a_comparison() -> None:
    """No element, no line and no control character is but the template's own, for a terminal and as Markdown."""
    hostile = compare_runs(recorded_run(item()), replace(recorded_run(), record=hostile_record()))
    assert hostile.is_worse
    markdown = comparison_markdown(hostile)
    assert re.findall("<[^>]*>", markdown) == []
    assert "&lt;script>" in markdown
    for text in (markdown, comparison_text(hostile), comparison_short_text(hostile)):
        assert HIDDEN.search(text) is None
        assert max(map(len, text.splitlines())) < 8_000


def test_the_text_of_a_comparison(snapshot: SnapshotAssertion) -> None:
    """For a terminal: both runs, each thing that is new, gone, moved or unknown, then the figures."""
    assert comparison_text(eventful()) == snapshot


def test_the_markdown_of_a_comparison(snapshot: SnapshotAssertion) -> None:
    """A heading that says the verdict, a table of figures, a list for each kind of change."""
    assert comparison_markdown(eventful()) == snapshot


def test_the_short_text_of_a_comparison(snapshot: SnapshotAssertion) -> None:
    """The verdict in the first line, and no more new failures than a chat has room for."""
    assert comparison_short_text(eventful()) == snapshot
    many = recorded_run(*(failing_item(dtype=f"d{number}") for number in range(9)))
    lines = comparison_short_text(compare_runs(recorded_run(), many)).splitlines()
    assert lines[0] == "RED: PyTorch 2.9 against 2.9: 9 new, 0 gone, 0 in both"
    assert lines[6] == "- and 4 more"
    assert len(lines) == 8
