"""Many runs: since when each thing fails, and what a folder of records holds."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from harness.core import ItemStatus
from harness.errors import UserError
from harness.reporting import write_record
from harness.reporting.comparison import RecordedRun, history_of, history_text, read_runs
from tests.reporting.comparison.runs import POOL, failing_item, failure, item, recorded_run

FAILS, PASSES = failing_item(), item()
UNSEEN = item(status=ItemStatus.NOT_RUN)


def runs(*items: object) -> list[RecordedRun]:
    """A run a day, each with one item."""
    return [recorded_run(each, day=day) for day, each in enumerate(items)]  # type: ignore[arg-type] # items


@pytest.mark.parametrize(
    ("items", "since", "count"),
    [
        ([PASSES, FAILS, FAILS], 1, 2),
        ([FAILS, PASSES, FAILS], 2, 1),
        ([FAILS, FAILS], 0, 2),
        ([PASSES, FAILS, UNSEEN, FAILS], 1, 2),
        ([PASSES, UNSEEN, FAILS, UNSEEN], 2, 1),
    ],
)
def test_since_when_something_fails(items: list[object], since: int, count: int) -> None:
    """From the first run of the unbroken row; a run that did not look at the item neither breaks it nor counts."""
    series = runs(*items)
    (story,) = history_of(series).lasting
    assert (story.since, story.runs) == (series[since], count)
    assert story.breakage.item == POOL


def test_what_is_gone_is_over_since_the_first_run_without_it() -> None:
    """It is listed with the runs in which it was seen."""
    series = runs(FAILS, FAILS, PASSES, PASSES)
    history = history_of(series)
    assert history.lasting == []
    (story,) = history.past
    assert (story.last, story.gone, story.runs) == (series[1], series[2], 2)


def test_a_failure_with_nothing_before_it_is_as_old_as_the_history() -> None:
    """The text does not say that it began there."""
    assert "FAILS in all since 2026-11-20" in history_text(history_of(runs(FAILS, FAILS)))
    assert "FAILS since 2026-11-21" in history_text(history_of(runs(PASSES, FAILS)))


def test_the_text_of_a_history(snapshot: SnapshotAssertion) -> None:
    """A line of figures for each run, then what fails and since when, then what is over."""
    series = [
        recorded_run(FAILS, item(dtype="float64"), day=0),
        recorded_run(PASSES, failing_item(failure(tensor="grad:input"), dtype="float64"), day=1),
        recorded_run(PASSES, failing_item(failure(tensor="grad:input"), dtype="float64"), day=2, torch="2.10"),
    ]
    assert history_text(history_of(series, ["notes.json: no record"])) == snapshot


def test_the_records_of_a_folder_are_read_in_the_order_of_their_time(tmp_path: Path) -> None:
    """Where records do not say when they were made the time of the file does; other files of JSON are passed over."""
    for age, name in enumerate(("c", "a", "deeper/b")):
        file = tmp_path / f"{name}.json"
        write_record(recorded_run(FAILS).record, file)
        os.utime(file, (1_700_000_000 + age, 1_700_000_000 + age))
    (tmp_path / "failure.json").write_text("[]")
    (tmp_path / "broken.json").write_text('{"schema": 2}')
    (tmp_path / "folder.json").mkdir()
    series, problems = read_runs(tmp_path)
    assert [Path(run.name).stem for run in series] == ["c", "a", "b"]
    assert len(problems) == 1
    assert "broken.json is no record of schema 3" in problems[0]


def test_a_record_says_itself_when_it_was_made(tmp_path: Path) -> None:
    """A copy is as old as the run; a date that is none counts for nothing."""
    for name, date in (("new", "2026-11-20T04:30:00+00:00"), ("old", "2026-11-19T04:30:00Z"), ("odd", "yesterday")):
        write_record(recorded_run(PASSES).record.model_copy(update={"date": date}), tmp_path / f"{name}.json")
    os.utime(tmp_path / "odd.json", (1, 1))
    series, _ = read_runs(tmp_path)
    assert [Path(run.name).stem for run in series] == ["odd", "old", "new"]
    assert series[-1].day == "2026-11-20 04:30"


@pytest.mark.parametrize(("name", "message"), [("nowhere", "there is no folder"), ("", "holds no record")])
def test_a_folder_without_records_is_refused(tmp_path: Path, name: str, message: str) -> None:
    """The message names the folder."""
    with pytest.raises(UserError, match=f"(?s){message}|{re.escape(str(tmp_path))}.*{message}") as refusal:
        read_runs(tmp_path / name)
    assert str(tmp_path) in str(refusal.value)
