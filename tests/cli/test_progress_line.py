"""What runs is said while it runs: one line that changes on a terminal, a line for each stage in a log."""

from __future__ import annotations

import io

from harness.cli.progress_line import ERASE, ProgressLine


class Terminal(io.StringIO):
    """A stream that says that it is a terminal."""

    def isatty(self) -> bool:
        """It is."""
        return True


def test_a_log_has_a_line_for_each_stage() -> None:
    """What repeats the stage before is not said again."""
    log = io.StringIO()
    with ProgressLine(log) as progress:
        for stage in ("begin", "begin", "end"):
            progress.announce(stage)
    assert [line.partition(": ")[2] for line in log.getvalue().splitlines()] == ["begin", "end"]


def test_a_terminal_has_one_line_of_which_nothing_is_left() -> None:
    """Each stage takes the place of the one before, in no more columns than there are."""
    terminal = Terminal()
    with ProgressLine(terminal) as progress:
        progress.announce("begin")
        progress.announce("x" * 1000)
    before, first, second, after = terminal.getvalue().split(ERASE)
    assert (before, first.partition(": ")[2], second.partition(": ")[2][:3], after) == ("", "begin", "xxx", "")
    assert len(second) < 1000
