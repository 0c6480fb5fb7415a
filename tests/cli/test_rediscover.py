"""`equivalence rediscover`: records that are read again, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.cli import main
from harness.reporting import write_record
from harness.reporting.operator_item import FirstMeetingRecord
from tests.reporting.records import RUN, operator_item
from tests.reporting.records import record as record_of

PLACE = "max-pool-window-outside/1"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the command is run: a folder that is no project, for which the shipped known issues are read."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(name: str, *, rediscovers: bool = True, **meetings: FirstMeetingRecord) -> str:
    """A file with the record of a run of one item, which met these places."""
    run = RUN.model_copy(update={"rediscovers": rediscovers})
    record = record_of(operator_item(meetings=meetings))
    build = record.build.model_copy(update={"torch": "2.15.0"})
    write_record(record.model_copy(update={"run": run, "build": build}), Path(name))
    return name


def test_faults_that_no_run_met_end_it_with_1(capsys: pytest.CaptureFixture[str]) -> None:
    """The shipped fault of that item is in the table, with the runs that met it."""
    meeting = FirstMeetingRecord(example=6, seconds=1.5, oracle="crash")
    met, missed = write("met.json", **{PLACE: meeting}), write("missed.json")
    assert main(["rediscover", met]) == 0
    assert main(["rediscover", met, missed]) == 1
    rows = [line.split() for line in capsys.readouterr().out.splitlines() if line.endswith("max-pool-window-outside")]
    assert [(row[0], row[1]) for row in rows] == [("1/1", "6"), ("1/2", "6")]


def test_the_record_of_a_usual_run_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """In it a known crash is kept from running, and no meeting is noted: it would say that nothing is met."""
    assert main(["rediscover", write("usual.json", rediscovers=False)]) == 4
    assert "usual.json is the record of a usual run" in capsys.readouterr().err


@pytest.mark.parametrize("runs", ["0", "-1"])
def test_there_is_at_least_one_run(capsys: pytest.CaptureFixture[str], runs: str) -> None:
    """Of no run nothing can be said."""
    assert main(["rediscover", f"--runs={runs}"]) == 4
    assert f"--runs: {runs} is less than 1" in capsys.readouterr().err
