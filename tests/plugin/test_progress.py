"""Progress: the line that says how far a run is, and where it is printed."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from harness.plugin.last_run import LastRun
from harness.plugin.progress import Progress, duration_words, expectation_line, progress_line
from harness.plugin.progress_printer import ERASE, ProgressPrinter, draw_sequence
from tests.plugin.project import LEVEL, Project, needs_workers, run_environment

TERMINAL_LIMIT = 120.0
"""Seconds that a run on a terminal may take."""

IDS = [f"suites/x/s.yaml::case{number}[float32]" for number in range(4)]


def progress(done: int = 0, running: int = 0, **changes: Any) -> Progress:
    """A run of four items that began at 100 s, so many of which are done, and so many run since 110 s."""
    state = Progress(chosen=frozenset(IDS), **changes)
    for item in IDS[:done]:
        state.start(item, 100.0)
        state.end(item)
    for item in IDS[done : done + running]:
        state.start(item, 110.0)
    return state


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.4, "0 s"), (89.4, "89 s"), (90, "2 min"), (89 * 60, "89 min"), (90 * 60, "1 h 30 min"), (36300, "10 h 05 min")],
)
def test_a_duration_has_two_units_at_most(seconds: float, words: str) -> None:
    """Seconds are not said of hours."""
    assert duration_words(seconds) == words


def test_the_line_says_what_is_done_left_and_running() -> None:
    """Counts, failures, examples a second, the time to go, and what runs for how long."""
    state = progress(done=2, running=1, failures=1, examples=90)
    assert progress_line(state, 120.0) == (
        "2 of 4 items, 1 failed, 2 left, 4.5 examples/s, about 20 s to go; running: case2[float32] (10 s)"
    )


def test_before_anything_is_done_nobody_knows_how_long_it_takes() -> None:
    """Nothing is said of speed and time then, unless there is a budget."""
    assert progress_line(Progress(chosen=frozenset(IDS)), 5.0) == "0 of 4 items, 0 failed, 4 left"
    assert progress_line(progress(budget=60.0, running=1), 130.0) == (
        "0 of 4 items, 0 failed, 4 left, about 40 s to go; running: case0[float32] (20 s)"
    )


def test_the_time_to_go_follows_from_what_items_took_last_time() -> None:
    """A long item that is left counts as long; an item that was not there counts as the mean."""
    seconds = {IDS[0]: 1.0, IDS[1]: 1.0, IDS[2]: 10.0}
    assert progress(done=2, seconds=seconds).seconds_left(104.0) == pytest.approx(4.0 * (10.0 + 4.0) / 2.0)
    assert progress(done=2).seconds_left(104.0) == pytest.approx(4.0)
    assert progress(done=2, seconds=seconds, budget=10.0).seconds_left(104.0) == pytest.approx(6.0)
    assert progress(done=4).seconds_left(104.0) == 0.0


def test_what_an_earlier_run_has_done_says_nothing_of_the_speed() -> None:
    """It is done, and took no time in this one."""
    state = progress(done=3, repeated=frozenset(IDS[:2]))
    assert state.seconds_left(110.0) == pytest.approx(10.0)
    assert progress_line(state, 110.0).startswith("3 of 4 items, 0 failed, 1 left")


def test_only_some_of_many_items_are_named() -> None:
    """Those that run longest are; what is no item of the run is not counted; no name moves the cursor."""
    many = Progress(chosen=frozenset(f"s::\x1b[2Jcase{number}" for number in range(5)))
    for number in range(5):
        many.start(f"s::\x1b[2Jcase{number}", 100.0 + number)
    many.start("tests/test_other.py::test_other", 100.0)
    many.end("tests/test_other.py::test_other")
    line = progress_line(many, 105.0)
    assert line.endswith("; running: ?[2Jcase0 (5 s), ?[2Jcase1 (4 s), ?[2Jcase2 (3 s), 2 more")
    assert line.startswith("0 of 5 items")


def test_what_is_expected_follows_from_the_last_run_and_the_processes() -> None:
    """Processes share the items, but not the longest of them; an item that was not there counts as the mean."""
    seconds = {IDS[0]: 10.0, IDS[1]: 20.0, IDS[2]: 60.0}
    assert progress(seconds=seconds).seconds_expected(1) == pytest.approx(120.0)
    assert progress(seconds=seconds).seconds_expected(2) == pytest.approx(60.0)
    assert progress(seconds=seconds).seconds_expected(16) == pytest.approx(60.0)
    assert progress(seconds=seconds, budget=45.0).seconds_expected(2) == pytest.approx(45.0)
    assert progress(seconds=seconds, repeated=frozenset(IDS[2:])).seconds_expected(1) == pytest.approx(30.0)


def test_nothing_is_expected_of_a_run_that_nobody_has_timed() -> None:
    """Neither where there is no last run, nor where it had other items, nor where all is done already."""
    assert progress().seconds_expected(2) is None
    assert progress(seconds={"suites/x/s.yaml::other[float32]": 3.0}).seconds_expected(2) is None
    assert progress(seconds={IDS[0]: 3.0}, repeated=frozenset(IDS)).seconds_expected(2) is None


def test_what_is_expected_is_said_before_the_first_item(pipe: tuple[int, int]) -> None:
    """Once, in a line of pytest's own, with the number of processes."""
    log, lines = printer(pipe[1], is_live=False), []
    log.run.last_run = lambda: LastRun(dict.fromkeys(IDS, 60.0))  # type: ignore[method-assign] # a stand-in's
    log._reporter.write_line = lines.append  # type: ignore[method-assign] # noqa: SLF001 - the same
    for item in IDS[:2]:
        call(log.pytest_runtest_logstart(item))
    log.close()
    assert lines == ["expected: about 2 min in 2 processes, by what the items took last time"]
    assert expectation_line(25.0, 1) == "expected: about 25 s, by what the items took last time"


def test_a_drawn_line_leaves_the_cursor_where_it_is() -> None:
    """It is cut to the width of the terminal, and its place is saved and restored."""
    assert draw_sequence("abcdef", 5) == "\x1bD\x1b[A\x1b7\x1b[B\r\x1b[2Kabcd\x1b8"
    assert draw_sequence("abc", 80).count("\x1b7") == ERASE.count("\x1b7") == 1
    assert draw_sequence("abc", 0).endswith("\x1b[2K\x1b8")


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """The ends of a pipe, from which reading does not wait."""
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    yield reading, writing
    os.close(reading)
    os.close(writing)


def printer(descriptor: int, *, is_live: bool) -> ProgressPrinter:
    """A printer of a run of four items, whose pytest is in the middle of a line."""
    run = SimpleNamespace(
        settings=SimpleNamespace(budget=None),
        recorder=SimpleNamespace(expected=frozenset(IDS)),
        plan=SimpleNamespace(ended={}),
        last_run=LastRun,
        is_like=lambda last_run: bool(last_run.seconds),
        process_count=2,
        examples_of=lambda _: 10,
    )
    reporter = SimpleNamespace(currentfspath="suites/x/s.yaml", flush=lambda: None, write_line=list)
    return ProgressPrinter(run, reporter, descriptor, is_live=is_live)  # type: ignore[arg-type] # stand-ins


def call(hook: Iterator[None]) -> None:
    """Run a wrapper of a hook in which pytest does nothing."""
    next(hook)
    with pytest.raises(StopIteration):
        next(hook)


def test_a_log_has_a_line_again_and_again_while_an_item_runs(pipe: tuple[int, int]) -> None:
    """It is printed by itself, in a line of its own, after which pytest begins a new one; it ends with the run."""
    reading, writing = pipe
    log = printer(writing, is_live=False)
    assert log.interval == 60.0
    log.interval = 0.05
    call(log.pytest_runtest_logstart(IDS[0]))
    time.sleep(0.5)
    log.close()
    text = os.read(reading, 2**16).decode()
    lines = re.findall(r"\nprogress: 0 of 4 items, 0 failed, 4 left; running: case0\[float32\] \(\d s\)\n", text)
    assert len(lines) >= 2
    assert "".join(lines) == text
    assert log._reporter.currentfspath is None  # noqa: SLF001 - pytest's own mark of an unfinished line


def test_a_terminal_has_one_line_that_is_away_while_pytest_writes(pipe: tuple[int, int]) -> None:
    """It is drawn between pytest's hooks, taken away before each, and gone at the end."""
    reading, writing = pipe
    live = printer(writing, is_live=True)
    call(live.pytest_runtest_logstart(IDS[0]))
    text = os.read(reading, 2**16).decode()
    assert text.startswith("\x1bD")
    assert "0 of 4 items" in text
    report: Any = SimpleNamespace(when="call", nodeid=IDS[0], failed=True)
    hook = live.pytest_runtest_logreport(report)
    next(hook)
    assert os.read(reading, 2**16).decode() == ERASE
    with pytest.raises(StopIteration):
        next(hook)
    assert "0 of 4 items, 1 failed, 4 left" in os.read(reading, 2**16).decode()
    call(live.pytest_runtest_logfinish(IDS[0]))
    live.close()
    assert os.read(reading, 2**16).decode() == ERASE


def terminal_output(project: Project, *options: str) -> str:
    """What a run writes to a terminal of 200 columns, its escape sequences included."""
    main, other = pty.openpty()
    line = [sys.executable, "-m", "pytest", "suites", "-p", "no:cacheprovider", "--eq-levels", LEVEL, *options]
    variables = {**run_environment(), "TERM": "xterm", "COLUMNS": "200", "LINES": "50"}
    run = subprocess.Popen(line, cwd=project.root, env=variables, stdout=other, stderr=other, stdin=other)
    os.close(other)
    text, until = b"", time.monotonic() + TERMINAL_LIMIT
    with contextlib.suppress(OSError):  # Linux says so where the last one has closed a terminal
        while time.monotonic() < until and (select.select([main], [], [], 1.0)[0] or run.poll() is None):
            text += os.read(main, 2**16) if select.select([main], [], [], 1.0)[0] else b""
    os.close(main)
    try:
        assert run.wait(10.0) == 0, text
    finally:
        run.kill()
    return text.decode()


@needs_workers
@pytest.mark.parametrize("workers", [(), ("-n", "1")], ids=["alone", "xdist"])
def test_progress_on_a_terminal(project: Project, workers: tuple[str, ...]) -> None:
    """While an item runs the line is there, by itself and with xdist; pytest's own report is as it is without."""
    text = terminal_output(project, "--eq-examples", "6", *workers)
    assert "0 of 1 items, 0 failed, 1 left; running: relu[float32] (" in text
    assert text.rindex(ERASE) > text.rindex("running: relu")
    plain = re.sub(r"\x1b\[[0-9;]*m", "", text[text.rindex(ERASE) :])
    assert "1 passed in" in plain
    assert "running" not in plain


@needs_workers
def test_no_progress_where_less_is_wanted(project: Project) -> None:
    """`-q` prints none; nor does a run whose output is no terminal and that takes less than a minute."""
    assert "items, 0 failed" not in terminal_output(project, "--eq-examples", "6", "-q")
    run = project.briefly("-p", "no:terminal")
    assert run.code == 0
    assert run.output == ""
    assert "progress:" not in project.briefly("-v").output
