"""The view of two builds compared: findings told apart, known issues by their reproducers, drift, what is lacking."""

from __future__ import annotations

from typing import Any

from syrupy.assertion import SnapshotAssertion

from harness.core import Example, PlaceReplay, PlaceState
from harness.reporting import (
    BaselineRecord,
    Record,
    against_summary,
    item_text,
    operator_item_record,
    parse_item,
)
from harness.trial import (
    BuildChange,
    BuildComparison,
    ChangedFinding,
    Outcome,
    ReferenceDifference,
    ReplayedPlace,
    TensorDrift,
)
from tests.reporting.records import BUILD, CASE, LEVELS, operator_item, record

EXAMPLE = Example(CASE, "float32", {"N": 1, "C": 9}, {"input": "channels_last"})
FAILS, PASSES = PlaceReplay(PlaceState.FAILS), PlaceReplay(PlaceState.DOES_NOT_FAIL)
ABSENT = PlaceReplay(PlaceState.NOT_AVAILABLE)


def finding(change: BuildChange, tensor: str = "output[0]", **changes: Any) -> ChangedFinding:
    """A finding of that change in one example at one level."""
    fields: dict[str, Any] = {"oracle": "values", "cells": ("avx2",), "issues": (), "examples": 1, "example": EXAMPLE}
    message = f"{tensor} differs from the float64 reference"
    return ChangedFinding(change, tensor=tensor, **{"message": message, **fields, **changes})


def comparison() -> BuildComparison:
    """One of everything."""
    compared = BuildComparison("PyTorch 2.8", examples=7)
    compared.note_findings(
        [
            finding(BuildChange.IN_BOTH, "grad:input"),
            finding(BuildChange.NEW, issues=("accepted",)),
            finding(BuildChange.NEW, fails=True),
            finding(BuildChange.NEW, fails=True, cells=("sse41",)),
            finding(BuildChange.GONE, oracle="crash", tensor="", message="signal 11 (SIGSEGV) in layout drawn"),
            finding(BuildChange.IN_BOTH, issues=("format",), examples=3),
            finding(BuildChange.NEW, issues=("format",)),
        ]
    )
    compared.places = {
        "arrived": ReplayedPlace(FAILS, PASSES),
        "left/1": ReplayedPlace(PASSES, FAILS),
        "left/2": ReplayedPlace(PASSES, PASSES),
        "format/1": ReplayedPlace(FAILS, FAILS),
        "format/2": ReplayedPlace(FAILS, PASSES),
        "operator": ReplayedPlace(FAILS, ABSENT),
    }
    compared.note_drift("output[0]", TensorDrift(0.5, "avx2", EXAMPLE))
    compared.note_drift("output[0]", TensorDrift(0.25, "sse41", EXAMPLE))
    compared.note_drift("grad:input", TensorDrift(1.75, "sse41", EXAMPLE))
    compared.note_drift("grad:weight", TensorDrift(0.0, "sse41", EXAMPLE))
    compared.references["grad:input"] = ReferenceDifference("the float64 references differ in 1 of 9", EXAMPLE)
    return compared


def compared_record() -> Record:
    """A record of two builds: an item with one of everything, and two that the baseline lacks."""
    outcomes = [Outcome(CASE, "float32", against=comparison())]
    outcomes += [
        Outcome(CASE, dtype, against=BuildComparison("PyTorch 2.8", "no kernel")) for dtype in ("bool", "int8")
    ]
    baseline = BaselineRecord(build=BUILD.model_copy(update={"torch": "2.8"}), levels=LEVELS, interpreter="/old/python")
    return record(*map(operator_item_record, outcomes)).model_copy(update={"against": baseline})


def test_the_view_of_two_builds(snapshot: SnapshotAssertion) -> None:
    """What fails comes first; a known issue that shows in both anywhere is in both, whatever else differs."""
    assert against_summary(compared_record()) == snapshot


def test_nothing_to_tell_apart(snapshot: SnapshotAssertion) -> None:
    """Two builds that do the same to the bit."""
    same = operator_item_record(Outcome(CASE, "float32", against=BuildComparison("PyTorch 2.8", examples=9)))
    both = compared_record()
    assert against_summary(both.model_copy(update={"items": {"relu": same}})) == snapshot


def test_a_run_of_one_build_has_no_such_view() -> None:
    """Nor does its record, which is as before."""
    assert against_summary(record(operator_item())) == ""
    assert operator_item().against is None


def test_the_comparison_is_kept_whole() -> None:
    """An item travels between processes with it."""
    item = operator_item_record(Outcome(CASE, "float32", against=comparison()))
    assert parse_item(item_text(item)) == item
    assert item.against is not None
    assert {name: drift.ratio for name, drift in item.against.drift.items()} == {"grad:input": 1.8, "output[0]": 0.5}
    assert item.against.references["grad:input"].message == "the float64 references differ in 1 of 9"
    assert [each.change for each in item.against.findings if each.fails] == [BuildChange.NEW]
    assert item.against.findings[0].cells == ("avx2", "sse41")
    assert item.against.places["operator"].change is None
