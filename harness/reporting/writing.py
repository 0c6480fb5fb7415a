"""Writing a record: whether it can be is found out before the run, and what a run has measured is not lost after it."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from harness.errors import UserError
from harness.reporting.record import Record

FIRST_BLOCK: Final = 2**16
"""Bytes that are written before the run to see that the disk takes any."""


@dataclass(frozen=True)
class WrittenRecord:
    """Where a record went. `path` is None where it went nowhere; `problem` says why it is not where it should be."""

    path: Path | None
    problem: str = ""

    def __str__(self) -> str:
        """One line to print."""
        if not self.problem:
            return f"record: {self.path}"
        return f"ERROR: {self.problem}; {f'it is in {self.path}' if self.path else 'it is lost'}"


def prepare_record(path: Path) -> None:
    """Make the directories of a record, and find out whether its file can be written, and one beside it.

    A file that was not there before is not there afterwards. Raises UserError.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and not path.is_file():
            raise UserError(f"the record {path} cannot be written: it is no regular file; give the name of a file")
        with _file_beside(_target(path)) as file:
            file.write_bytes(bytes(FIRST_BLOCK))
        is_new = not path.exists()
        path.open("a").close()
        if is_new:
            _target(path).unlink()
    except OSError as error:
        raise UserError(f"the record {path} cannot be written: {error.strerror}") from None


def previous_path(path: Path) -> Path:
    """Where the file of an earlier run lies that a later one has put aside."""
    target = _target(path)
    return target.with_name(f"{target.name}.previous")


def put_aside(path: Path) -> None:
    """Rename the file of an earlier run, if there is one, so that it is not taken for this run's. Raises OSError."""
    with contextlib.suppress(FileNotFoundError):
        _target(path).replace(previous_path(path))


def put_back(path: Path) -> None:
    """Undo `put_aside`, where nothing else has taken the place. Raises OSError."""
    if not path.exists() and previous_path(path).exists():
        previous_path(path).replace(_target(path))


def write_record(record: Record, path: Path) -> WrittenRecord:
    """Write a record to `path`, whole or not at all; where that fails, to a file of its own for temporary files."""
    text = record.text()
    try:
        _replace(path, text)
    except OSError as error:
        problem = f"the record {path} could not be written: {error.strerror}"
        return WrittenRecord(_write_elsewhere(text), problem)
    return WrittenRecord(path)


def _replace(path: Path, text: str) -> None:
    """Put the text in place of the file, or of what a link there leads to. Raises OSError and leaves it as it was."""
    path.parent.mkdir(parents=True, exist_ok=True)
    target, is_new = _target(path), not path.exists()
    target.open("a").close()  # for the permissions that a file gets which is simply opened
    with _file_beside(target) as file:
        file.write_text(text, "utf-8")
        shutil.copymode(previous_path(path) if is_new and previous_path(path).exists() else target, file)
        file.replace(target)


def _target(path: Path) -> Path:
    """The file itself, where the path is that of a link."""
    return Path(os.path.realpath(path))


@contextlib.contextmanager
def _file_beside(path: Path) -> Iterator[Path]:
    """A new file in the same directory, which is gone afterwards unless it has another name by then."""
    number, name = tempfile.mkstemp(prefix=f".{path.name[:50]}.", dir=path.parent)
    os.close(number)
    try:
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


def _write_elsewhere(text: str) -> Path | None:
    """The file among the temporary ones that took the text; None where none could."""
    with contextlib.suppress(OSError):
        number, name = tempfile.mkstemp(prefix="equivalence-record-", suffix=".json")
        os.close(number)
        Path(name).write_text(text, "utf-8")
        return Path(name)
    return None
