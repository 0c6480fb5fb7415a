"""Where progress is printed: in one line below pytest's own on a terminal, in a line a minute in a log."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Generator, Iterator
from typing import Any, Final, Protocol

import pytest

from harness.plugin.progress import Progress, expectation_line, progress_line
from harness.plugin.session import Session

LIVE_INTERVAL: Final = 1.0
"""Seconds after which the line on a terminal is renewed, whatever happens."""

LOG_INTERVAL: Final = 60.0
"""Seconds between two lines in a log."""


USUAL_COLUMNS: Final = 80
"""Of a terminal that does not say how many it has."""


class Reporter(Protocol):
    """What is asked of pytest's reporter: whose line the cursor is in, to write a line, and what it has kept back."""

    currentfspath: Any

    def flush(self) -> None:
        """Write it."""

    def write_line(self, line: str) -> None:
        """Write a line of its own."""


def draw_sequence(line: str, columns: int) -> str:
    """What shows the line below the cursor's, and leaves the cursor where it is.

    ``ESC D`` makes room where the cursor is in the last row of the screen (DEC's VT100 user guide, chapter 3).
    """
    return f"\x1bD\x1b[A\x1b7\x1b[B\r\x1b[2K{line[: max(columns - 1, 0)]}\x1b8"


ERASE: Final = "\x1b7\x1b[B\r\x1b[2K\x1b8"
"""What takes the line below the cursor's away."""


class ProgressPrinter:
    """A plugin of the process that prints. `descriptor` is that of the terminal or the log, without pytest's capture.

    pytest writes within its hooks and this class outside them, so that neither comes between the other's characters.
    """

    def __init__(self, run: Session, reporter: Reporter, descriptor: int, *, is_live: bool) -> None:
        self.run = run
        self.progress = Progress(budget=run.settings.budget)
        self.is_live = is_live
        self.interval = LIVE_INTERVAL if is_live else LOG_INTERVAL
        self._reporter = reporter
        self._descriptor = descriptor
        self._is_drawn = False
        self._lock = threading.RLock()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._tick, name="equivalence-progress", daemon=True)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_logstart(self, nodeid: str) -> Generator[None, object, object]:
        """An item begins, here or in a process of xdist."""
        with self._silence():
            self._begin()
            self.progress.start(nodeid, time.monotonic())
            return (yield)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> Generator[None, object, object]:
        """An item has come to something."""
        with self._silence():
            self.progress.failures += report.failed and report.nodeid in self.progress.chosen
            result = yield
            if report.when == "call" and report.nodeid not in self.progress.repeated:
                self.progress.examples += self.run.examples_of(report.nodeid)
            return result

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_logfinish(self, nodeid: str) -> Generator[None, object, object]:
        """An item has ended."""
        with self._silence():
            self.progress.end(nodeid)
            return (yield)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        """Nothing is printed of progress any more."""
        self.close()

    def close(self) -> None:
        """End the thread, and take the line away."""
        self._end.set()
        if self._thread.is_alive():
            self._thread.join()
        self._erase()

    def _begin(self) -> None:
        """With the first item it is known which there are."""
        if self._thread.ident is None and self.run.recorder.expected is not None:
            self.progress.chosen = self.run.recorder.expected
            self.progress.repeated = frozenset(self.run.plan.ended)
            last_run = self.run.last_run()
            self.progress.seconds = last_run.seconds
            if self.run.is_like(last_run):
                self._announce(self.run.process_count)
            self._thread.start()

    def _announce(self, processes: int) -> None:
        """Say how long the run will take, where the last run tells."""
        if (seconds := self.progress.seconds_expected(processes)) is not None:
            self._reporter.write_line(expectation_line(seconds, processes))

    @contextlib.contextmanager
    def _silence(self) -> Iterator[None]:
        """Within, the line is away, and nobody else writes."""
        with self._lock:
            self._erase()
            try:
                yield
            finally:
                if self.is_live and self.progress.running and not self._end.is_set():
                    self._reporter.flush()
                    self._draw()

    def _tick(self) -> None:
        while not self._end.wait(self.interval):
            with self._lock:
                if not self._end.is_set():
                    self.print_now()

    def print_now(self) -> None:
        """Renew the line on a terminal; in a log print one of its own, after which pytest begins a new one."""
        if self.is_live:
            self._draw()
            return
        self._write(f"\nprogress: {progress_line(self.progress, time.monotonic())}\n")
        self._reporter.currentfspath = None

    def _draw(self) -> None:
        if self.progress.running:
            self._write(draw_sequence(progress_line(self.progress, time.monotonic()), self._columns()))
            self._is_drawn = True

    def _erase(self) -> None:
        if self._is_drawn:
            self._write(ERASE)
            self._is_drawn = False

    def _columns(self) -> int:
        try:
            return os.get_terminal_size(self._descriptor).columns or USUAL_COLUMNS
        except OSError:
            return USUAL_COLUMNS

    def _write(self, text: str) -> None:
        """Write it at once; a terminal that is gone is no reason to end the run."""
        with contextlib.suppress(OSError):
            os.write(self._descriptor, text.encode(errors="replace"))


def progress_printer(config: pytest.Config, run: Session) -> ProgressPrinter | None:
    """The printer of this run; None where nobody prints (``-p no:terminal``), or somebody wants less of it (``-q``)."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or config.option.verbose < 0 or config.option.collectonly:
        return None
    try:
        descriptor = os.dup(sys.stdout.fileno())
    except (OSError, ValueError):  # somebody has put something else in its place
        return None
    config.add_cleanup(lambda: os.close(descriptor))
    return ProgressPrinter(run, reporter, descriptor, is_live=_is_live(config, descriptor))


def _is_live(config: pytest.Config, descriptor: int) -> bool:
    """Whether a line can be renewed: on a terminal on which tests print nothing of their own (``-s``)."""
    is_terminal = os.isatty(descriptor) and os.environ.get("TERM", "dumb") != "dumb"
    return is_terminal and config.option.capture != "no"
