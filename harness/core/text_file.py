"""The one door through which files come in: regular files of UTF-8 text, none of them endless."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final

from harness.errors import UserError

LARGEST_FILE: Final = 32 * 2**20
"""Bytes of the largest file that is read: more than twice the record of a night, which is the largest there is."""

_KINDS: Final = {
    stat.S_IFDIR: "a directory",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}
_FLAGS: Final = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
"""Without O_NONBLOCK, whoever opens a FIFO waits for somebody to write to it."""


class UnreadableFileError(UserError):
    """A file that is not there, is no regular file, is too large, or holds no UTF-8 text.

    `problem` says which. `line` and `column` count from 1, and are those of the first byte that is no text.
    """

    def __init__(self, path: Path, problem: str, *, line: int = 1, column: int = 1, is_missing: bool = False) -> None:
        super().__init__(f"{path}:{line}:{column}: {problem}")
        self.path = path
        self.problem = problem
        self.line = line
        self.column = column
        self.is_missing = is_missing


def read_text_file(path: Path) -> str:
    r"""The text of a file, without a byte order mark and with every line ended by ``\n``.

    At most `LARGEST_FILE` bytes are read, whatever the file is, and nothing is waited for. Raises UnreadableFileError.
    """
    raw = _bytes_of(path, LARGEST_FILE + 1)
    if len(raw) > LARGEST_FILE:
        raise UnreadableFileError(path, f"cannot be read: it is larger than {LARGEST_FILE // 2**20} MiB")
    try:
        return raw.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        before = error.object[: error.start].decode("utf-8", "replace")
        problem = f"not UTF-8 text: byte 0x{error.object[error.start]:02x}; save the file as UTF-8"
        line, column = place_after(before)
        raise UnreadableFileError(path, problem, line=line, column=column) from None


def check_regular_file(path: Path) -> None:
    """Raise UnreadableFileError for what is no regular file, or may not be read; nothing of it is read."""
    _bytes_of(path, 0)


def is_there(path: Path) -> bool:
    """Whether the path is that of anything, a link to nothing included, which whoever reads it has to say."""
    return os.path.lexists(path)


def real_path(path: Path) -> Path:
    """Where the path leads, links followed; `Path.resolve` raises RuntimeError where they go in a circle."""
    return Path(os.path.realpath(path))


def place_after(text: str) -> tuple[int, int]:
    """Line and column, from 1, of what comes after `text`."""
    return text.count("\n") + 1, len(text) - (text.rfind("\n") + 1) + 1


def _bytes_of(path: Path, most: int) -> bytes:
    """At most so many bytes of a regular file. Raises UnreadableFileError for anything else."""
    try:
        return _read_regular_file(path, most)
    except (OSError, ValueError) as error:  # ValueError: a path with a null byte
        is_missing = isinstance(error, FileNotFoundError)
        problem = "there is no such file" if is_missing else f"{getattr(error, 'strerror', None) or error}"
        raise UnreadableFileError(path, f"cannot be read: {problem}", is_missing=is_missing) from None


def _read_regular_file(path: Path, most: int) -> bytes:
    """As `_bytes_of`. Raises OSError and ValueError as the system says it."""
    descriptor = os.open(path, _FLAGS)
    try:
        mode = stat.S_IFMT(os.fstat(descriptor).st_mode)
        if mode != stat.S_IFREG:
            kind = _KINDS.get(mode, "something else")
            raise UnreadableFileError(path, f"cannot be read: it is {kind}, and not a regular file")
        with open(descriptor, "rb", closefd=False) as file:
            return file.read(most)
    finally:
        os.close(descriptor)
