"""What runs, while it runs: one line that changes on a terminal, a line for each stage in a log."""

from __future__ import annotations

import shutil
import time
from types import TracebackType
from typing import Final, Self, TextIO

ERASE: Final = "\r\x1b[2K"
"""Takes away the line that the cursor is in (ECMA-48, ED and EL)."""


class ProgressLine:
    """Writes to `stream`, which is that of errors: what a command prints stays what it finds out.

    A context manager, at whose end nothing of it is left on a terminal.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._is_terminal = stream.isatty()
        self._began = time.monotonic()
        self._last = ""

    def announce(self, stage: str) -> None:
        """A stage begins; what repeats the last one is not said again."""
        if stage == self._last:
            return
        self._last = stage
        line = f"{time.monotonic() - self._began:.0f} s: {stage}"
        if self._is_terminal:
            columns = shutil.get_terminal_size().columns
            self._write(f"{ERASE}{line[: max(columns - 1, 0)]}")
        else:
            self._write(f"{line}\n")

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._is_terminal:
            self._write(ERASE)
