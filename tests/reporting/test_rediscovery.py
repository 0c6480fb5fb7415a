"""How well runs meet what is known: which faults count, in how many runs, after how many examples."""

from __future__ import annotations

from typing import Any

import pytest

from harness.core import Example, Expression, KnownFault, KnownIssue, Severity
from harness.core.finding import Oracle
from harness.reporting import Record, rediscovery_report
from harness.reporting.operator_item import FirstMeetingRecord
from tests.reporting.records import CASE, RUN, operator_item
from tests.reporting.records import record as record_of


def place(number: int = 1, **changes: Any) -> KnownIssue:
    """A place that a run at avx2 of max_pool2d in float32 can show."""
    fields: dict[str, Any] = {
        "id": "padding",
        "tensors": ("output[0]",),
        "oracle": "values",
        "cells": ("avx2",),
        "when": Expression.parse("W > 2"),
        "reason": "a reason",
        "link": "no thread found",
        "cases": (CASE,),
        "dtypes": ("float32",),
        "reproducer": Example(CASE, "float32", {"W": 3}, {}),
        "place": number,
    }
    return KnownIssue(**(fields | changes))


def fault(*places: KnownIssue, name: str = "padding", severity: Severity = Severity.ACCURACY) -> KnownFault:
    """A fault with these places."""
    return KnownFault(name, "a summary", severity, "a reason", "no thread found", places)


def run_record(seed: int, **meetings: tuple[int, float, Oracle]) -> Record:
    """The record of a run that met these places; ``place1`` is padding/1."""
    first = {
        f"padding/{name.removeprefix('place')}": FirstMeetingRecord(example=example, seconds=seconds, oracle=oracle)
        for name, (example, seconds, oracle) in meetings.items()
    }
    run = RUN.model_copy(update={"seed": seed, "rediscovers": True})
    return record_of(operator_item(meetings=first)).model_copy(update={"run": run})


def test_a_fault_is_met_where_one_of_its_places_is() -> None:
    """In each run it is the earliest of them; a run in which no place was met counts as one that missed it."""
    records = [
        run_record(1, place1=(40, 4.0, "values"), place2=(7, 9.0, "strides")),
        run_record(2, place1=(9, 1.0, "values")),
        run_record(3),
    ]
    (met,) = rediscovery_report(records, [fault(place(1), place(2))]).faults
    assert [meeting and meeting.example for meeting in met.first] == [7, 9, None]
    assert met.examples == 8
    assert met.seconds == 5.0
    assert met.oracles == ("strides", "values")
    assert not met.is_reliable


@pytest.mark.parametrize(("runs", "met", "is_reliable"), [(5, 4, True), (5, 3, False), (1, 1, True), (1, 0, False)])
def test_four_of_five_runs_are_enough(runs: int, met: int, is_reliable: bool) -> None:
    """What comes by chance may stay away once in five runs."""
    records = [run_record(seed, **({"place1": (3, 0.5, "values")} if seed < met else {})) for seed in range(runs)]
    report = rediscovery_report(records, [fault(place())])
    assert report.faults[0].is_reliable is is_reliable
    assert len(report.reliable) == int(is_reliable)


@pytest.mark.parametrize(
    "change", [{"cells": ("amx",)}, {"torch": "<2.0"}, {"cases": ("suites/x.yaml::y",)}, {"dtypes": ("float16",)}]
)
def test_what_the_runs_cannot_show_is_left_out(change: dict[str, Any]) -> None:
    """A place of a level that did not run, another release, another case or dtype is no miss."""
    report = rediscovery_report([run_record(1)], [fault(place(1, **change)), fault(place(2), name="other")])
    assert [each.name for each in report.faults] == ["other"]


def test_the_percentiles_are_over_faults_and_runs() -> None:
    """The 90th percentile of five numbers lies six tenths of the way from the fourth to the fifth, as NumPy has it."""
    records = [run_record(seed, place1=(number, 1.0, "values")) for seed, number in enumerate((1, 2, 3, 4, 14))]
    examples = rediscovery_report(records, [fault(place())]).examples
    assert examples is not None
    assert examples.median == 3
    assert examples.high == pytest.approx(10.0)


def test_the_text_names_the_worst_first_and_what_was_missed() -> None:
    """A place that was missed stands below its fault, one that was met does not."""
    crash = fault(place(9, id="hole"), name="hole", severity=Severity.CRASH)
    records = [run_record(seed, place1=(6, 1.0, "values")) for seed in (1, 2)]
    text = rediscovery_report(records, [fault(place(1), place(2)), crash]).text()
    assert "faults that this machine can show: 2; met in at least 2 of 2 runs: 1 (50.0 %)" in text
    rows = [line.split() for line in text.splitlines() if "/" in line.split(" ")[0]]
    assert [(row[0], row[-1]) for row in rows] == [("0/2", "hole"), ("2/2", "padding"), ("0/2", "padding/2")]
