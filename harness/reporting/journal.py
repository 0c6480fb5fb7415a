"""The journal of a run: what heads its record, and a line for each item as soon as it ends.

It lies beside the record until that is written. Whatever ends the run, what was done is in it, and a later run can go
on from there. Each line is on the disk before the next item counts; only the last can be torn.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal, Self

from pydantic import Field, ValidationError

from harness.core.json_text import count_values, parse_json
from harness.core.text_file import read_text_file, real_path
from harness.errors import UserError
from harness.reporting.record import Record, TaggedItem
from harness.reporting.recorder import Recorder, RecordHead
from harness.reporting.run_differences import run_differences
from harness.suites import StrictSchema

VERSION: Final = 1
"""Raised by one whenever a line changes its meaning."""

MOST_ENTRY_VALUES: Final = 21_000
"""Values of a line; an item of a record has a little less."""


class JournalEntry(StrictSchema):
    """One item that has ended, with what its report needs if a later run repeats it."""

    item: str = Field(description="The node id")
    outcome: Literal["passed", "failed", "skipped"] = Field(description="As pytest has it")
    reason: str = Field(description="The story of a failure, or why it was skipped")
    properties: tuple[tuple[str, str | int | float], ...] = Field(description="What JUnit has of it")
    record: TaggedItem


class JournalHead(StrictSchema):
    """The first line."""

    journal: Literal[1] = VERSION
    head: RecordHead

    def differences(self, other: JournalHead) -> list[str]:
        """A line for each thing in which two runs differ; when, where and into which file they write is none."""
        return run_differences(self.identity(), other.identity())

    def identity(self) -> dict[str, Any]:
        """What must be the same in two runs that are one."""
        head = self.model_copy(update={"head": replace(self.head, date="", machine="", file="")})
        identity: dict[str, Any] = json.loads(head.model_dump_json())["head"]
        return identity


@dataclass(frozen=True)
class Journal:
    """What a journal holds: the last line of each item by node id. `size` is in bytes, without a torn last line."""

    path: Path
    head: JournalHead
    entries: Mapping[str, JournalEntry]
    size: int

    def record(self) -> Record:
        """The record of what was done, which is not complete."""
        recorder = Recorder()
        recorder.open((), self.head.head)
        for name, entry in self.entries.items():
            recorder.add(name, entry.record)
        return recorder.record()


def journal_path(record: Path) -> Path:
    """Where the journal of a record lies: beside it, or beside what a link there leads to."""
    target = real_path(record)
    return target.with_name(f"{target.name}.partial")


def read_journal(path: Path) -> Journal:
    """The journal in a file. Raises UserError for any other, and UnreadableFileError where there is none."""
    return parse_journal(path, read_text_file(path))


def is_journal(text: str) -> bool:
    """Whether a text begins as a journal does, and a record does not."""
    return text.startswith('{"journal":')


def parse_journal(path: Path, text: str) -> Journal:
    """The journal that is the text of a file, where its last line may be torn. Raises UserError."""
    whole, _, _torn = text.rpartition("\n")
    lines = whole.split("\n")
    head, entries, size = _parse_head(path, lines[0]), dict[str, JournalEntry](), len(lines[0].encode()) + 1
    for number, line in enumerate(lines[1:], 2):
        try:
            entry = _parse_entry(line)
        except ValueError as error:
            if number == len(lines):  # a disk that lost its power may have the line's length without its bytes
                break
            raise UserError(f"{path}:{number}: no line of a journal: {_first_line(error)}") from None
        entries[entry.item] = entry
        size += len(line.encode()) + 1
    return Journal(path, head, entries, size)


def _parse_head(path: Path, line: str) -> JournalHead:
    try:
        return JournalHead.model_validate_json(line)
    except ValidationError as error:
        raise UserError(f"{path} is no journal of a run: {_first_line(error)}") from None


def _parse_entry(line: str) -> JournalEntry:
    """The item of a line. Raises ValueError, of which pydantic's ValidationError is one."""
    if count_values(parse_json(line)) > MOST_ENTRY_VALUES:
        raise ValueError(f"more than {MOST_ENTRY_VALUES} values")
    return JournalEntry.model_validate_json(line)


def _first_line(error: ValueError) -> str:
    """What is wrong, in a line."""
    if isinstance(error, ValidationError):
        detail = error.errors(include_url=False)[0]
        return f"{' -> '.join(map(str, detail['loc']))}: {detail['msg']}"
    return str(error)


class JournalWriter:
    """The journal of the run that goes on. One process at a time has it; raises UserError where another one does."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self.problem = ""
        """Why lines are missing; empty where none is."""
        self._descriptor = descriptor

    @classmethod
    def create(cls, path: Path, head: JournalHead) -> Self:
        """A new journal. Raises OSError."""
        writer = cls(path, _open_locked(path))
        os.ftruncate(writer._descriptor, 0)
        writer._write(head.model_dump_json(ensure_ascii=True))
        return writer

    @classmethod
    def resume(cls, journal: Journal) -> Self:
        """The journal of an earlier run, to which this one adds, without a torn last line. Raises OSError."""
        writer = cls(journal.path, _open_locked(journal.path))
        os.ftruncate(writer._descriptor, journal.size)
        os.lseek(writer._descriptor, 0, os.SEEK_END)
        return writer

    @staticmethod
    def check_unused(path: Path) -> None:
        """Raise UserError where another run writes the journal there, and OSError."""
        os.close(_open_locked(path))

    def add(self, entry: JournalEntry) -> None:
        """Put a line on the disk. Where that fails the run goes on, and `problem` says why the journal does not."""
        if self.problem:
            return
        try:
            self._write(entry.model_dump_json(by_alias=True, ensure_ascii=True))
        except OSError as error:
            self.problem = f"the journal {self.path} could not be written: {error.strerror}; it ends at {entry.item}"

    def _write(self, line: str) -> None:
        data = line.encode() + b"\n"
        while data:
            data = data[os.write(self._descriptor, data) :]
        os.fsync(self._descriptor)

    def close(self) -> None:
        """Leave the journal to whoever goes on from it."""
        os.close(self._descriptor)

    def discard(self) -> None:
        """Remove the journal: all that it held is in the record."""
        self.path.unlink(missing_ok=True)
        self.close()


def _open_locked(path: Path) -> int:
    """A descriptor of the file, which no other process has. Raises UserError where one does, and OSError."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise UserError(f"another run writes {path}; give this one a record of its own with --eq-record") from None
    return descriptor
