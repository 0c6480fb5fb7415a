"""A record with the file that it came from and the time of its run."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from harness.core import ItemStatus
from harness.core.text_file import UnreadableFileError, read_text_file
from harness.errors import UserError
from harness.reporting.comparison.breakage import Breakages, record_breakages
from harness.reporting.comparison.run_figures import RunFigures, run_figures
from harness.reporting.reading import read_record
from harness.reporting.record import Record

HEAD: Final = '"schema"'
"""What stands among the first characters of a record."""

LONGEST_HEAD: Final = 100


@dataclass(frozen=True, eq=False)
class RecordedRun:
    """One run. `time` is in UTC: when the run began where the record says it, else when its file was written."""

    name: str
    time: dt.datetime
    record: Record

    @functools.cached_property
    def breakages(self) -> Breakages:
        """Everything for which an item fails."""
        return record_breakages(self.record)

    @functools.cached_property
    def figures(self) -> RunFigures:
        """What it comes to in figures."""
        return run_figures(self.record)

    @property
    def day(self) -> str:
        """The time as it is printed."""
        return self.time.strftime("%Y-%m-%d %H:%M")

    def status_of(self, item: str) -> ItemStatus | None:
        """What an item came to, by its node id; None where the run lacks it."""
        return self.record.items[item].status if item in self.record.items else None

    def has_looked_at(self, item: str) -> bool:
        """Whether the item came to its end and could have failed, so that what does not fail is not there."""
        record = self.record.items.get(item)
        return record is not None and record.status.is_checked and record.complete


def read_run(path: Path) -> RecordedRun:
    """The run of a record's file. Raises UserError as `read_record` does."""
    record = read_record(path)
    return RecordedRun(str(path), run_time(record, path), record)


def read_runs(folder: Path) -> tuple[Sequence[RecordedRun], Sequence[str]]:
    """The runs below a folder, the oldest first, and why records that cannot be read were left out.

    Other files of JSON, such as saved failures, are passed over.

    Raises UserError where there is no such folder, or no record in it.
    """
    if not folder.is_dir():
        raise UserError(f"there is no folder {folder}; name the one that your records are kept in")
    runs, problems = _read_all(file for file in sorted(folder.rglob("*.json")) if _looks_like_record(file))
    if not runs:
        raise UserError("\n".join([f"{folder} holds no record that can be read", *problems]))
    return sorted(runs, key=lambda run: (run.time, run.name)), problems


def _looks_like_record(file: Path) -> bool:
    """Whether it begins as records do; what cannot be read may be one, and reading it says why it is none."""
    try:
        return file.is_file() and HEAD in read_text_file(file)[:LONGEST_HEAD]
    except UnreadableFileError:
        return True


def _read_all(files: Iterable[Path]) -> tuple[list[RecordedRun], list[str]]:
    runs: list[RecordedRun] = []
    problems: list[str] = []
    for file in files:
        try:
            runs.append(read_run(file))
        except UserError as error:
            problems.append(str(error))
    return runs, problems


def run_time(record: Record, path: Path) -> dt.datetime:
    """When a run began; of a record that does not say it, when its file was last written."""
    try:
        time = dt.datetime.fromisoformat(record.date)
    except ValueError:
        return dt.datetime.fromtimestamp(path.stat().st_mtime, dt.UTC)
    return time if time.tzinfo is not None else time.replace(tzinfo=dt.UTC)
