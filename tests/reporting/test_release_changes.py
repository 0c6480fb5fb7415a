"""What differs in a release that golden/ was not verified with, each with what accepts it."""

from __future__ import annotations

from dataclasses import replace

from harness.core import (
    Example,
    FactChange,
    FactDifference,
    FactKind,
    Finding,
    NotCompared,
    ReproducerCheck,
    ReproducerState,
)
from harness.reporting import operator_item_record, release_summary, terminal_summary
from harness.reporting.release_changes import ReleaseRecord, release_record
from harness.trial import Failure, Outcome, Review
from tests.reporting.records import CASE, record

EXAMPLE = Example(CASE, "float32", {"W": 1}, {"input": "channels_last"})
FINDING = Finding("values", "output[0]", "layout", {"avx2": 3.0}, message="output[0] differs")
FAILURE = Failure(FINDING, EXAMPLE, EXAMPLE, (), "again")
STALE = ReproducerCheck(ReproducerState.STALE, "it passes")
UPDATE = "python -m pytest suites/operators/pooling.yaml --eq-update-golden"


def difference(fact: FactKind, change: FactChange, message: str = "it differs") -> FactDifference:
    """One fact that is otherwise, and not judged."""
    return FactDifference(fact, change, message, judged=False)


def everything() -> Outcome:
    """An item of which all sorts of facts differ."""
    moved = difference(FactKind.LAYOUT, FactChange.MOVED)
    snapshot = difference(FactKind.SNAPSHOT, FactChange.MOVED, "a digest differs")
    return Outcome(
        CASE,
        "float32",
        failures=[FAILURE],
        reproducers={"old-fault": STALE, "other": replace(STALE, state=ReproducerState.STILL_FAILS)},
        faults=[difference(FactKind.DOUBLE_BACKWARD, FactChange.NEW, "double backward is refused")],
        golden=Review(differences=[moved, moved, snapshot]),
    )


def release(torch: str, verified: list[str] | None, *outcomes: Outcome) -> ReleaseRecord:
    """What a run with these outcomes shows of a release."""
    return release_record(torch, verified, map(operator_item_record, outcomes), "r.json")


def test_each_change_has_what_accepts_it() -> None:
    """New ones first, then gone and moved; facts of one sort and item are one line with their number."""
    lacking = [Outcome(CASE, dtype, lack="no kernel") for dtype in ("float16", "bfloat16")]
    changes = release("2.11.0+cpu", ["2.15"], everything(), *lacking).changes
    assert [(str(each.change), str(each.fact), each.about, each.count, each.accept) for each in changes] == [
        (
            "new",
            "double backward",
            "max_pool2d[float32]",
            1,
            'an entry in golden/double_backward.yaml with torch: "==2.11"',
        ),
        ("new", "known issue", "max_pool2d[float32]", 1, "equivalence issues propose r.json"),
        ("gone", "known issue", "old-fault", 1, "equivalence issues propose r.json"),
        ("gone", "layout contract", "max_pool2d", 2, UPDATE),
        ("moved", "layout contract", "max_pool2d[float32]", 2, UPDATE),
        ("moved", "snapshot", "max_pool2d[float32]", 1, f"{UPDATE} -k max_pool2d"),
    ]


def test_a_known_issue_that_is_gone_is_listed_once() -> None:
    """However many items run its reproducer."""
    outcomes = [Outcome(CASE, dtype, reproducers={"old-fault": STALE}) for dtype in ("float32", "float64")]
    assert [each.about for each in release("2.11.0", ["2.15"], *outcomes).changes] == ["old-fault"]


def test_a_verified_release_and_a_project_that_keeps_nothing_have_no_list() -> None:
    """There what differs is a failure of its item."""
    assert release("2.15.0+cpu", ["2.11", "2.15"], everything()).changes == ()
    assert release("2.11.0", None, everything()).changes == ()
    assert len(release("2.11.0", [], everything()).changes) == 5


def test_a_run_on_another_release_ends_with_the_list() -> None:
    """The releases, each change with what accepts it, and how many there are of each."""
    shown = record().model_copy(update={"release": release("2.11.0", ["2.15"], everything())})
    lines = release_summary(shown).splitlines()
    head = "PyTorch 2.11 is none of the releases that golden/ was verified with (2.15). What differs here:"
    assert lines[0] == head
    assert lines[-5:] == [
        "MOVED  layout contract  max_pool2d[float32] (2): it differs",
        f"    accept: {UPDATE}",
        "MOVED  snapshot  max_pool2d[float32]: a digest differs",
        f"    accept: {UPDATE} -k max_pool2d",
        "2 new, 1 gone, 2 moved",
    ]
    nothing = record().model_copy(update={"release": release("2.11.0", ["2.15"], Outcome(CASE, "float32"))})
    assert release_summary(nothing).strip() == f"{head} nothing"
    assert release_summary(record().model_copy(update={"release": release("2.15.0", ["2.15"], everything())})) == ""


def test_the_summary_counts_what_was_not_compared_and_what_is_not_available() -> None:
    """The same reason is one line over all items."""
    reason = "golden/contract/pooling.yaml is of PyTorch 2.15, this is 2.11"
    outcomes = [
        Outcome(CASE, dtype, not_compared=[NotCompared(FactKind.LAYOUT, 4, reason)]) for dtype in ("float32", "float64")
    ]
    lacking = [Outcome(CASE, dtype, lack="no kernel") for dtype in ("float16", "bfloat16")]
    text = terminal_summary(record(*map(operator_item_record, [*outcomes, *lacking])))
    assert f"not compared: 8 x layout contract: {reason}\n" in text
    assert "not available: 2 items: max_pool2d[float16], max_pool2d[bfloat16]: no kernel\n" in text
