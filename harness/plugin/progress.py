"""How far a run is: what runs, what is done and left, how fast, what has failed, and how long it may still take."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

MOST_RUNNING: Final = 3
"""Items that are named while they run."""


@dataclass
class Progress:
    """The state of a run. Times are seconds on one monotonic clock.

    `chosen` are the node ids of its items, `repeated` those that an earlier run has done. `seconds` is what items took
    last time: one that is not in it is taken to be as long as the mean. `budget` is the time budget, None without one.
    """

    chosen: frozenset[str] = frozenset()
    repeated: frozenset[str] = frozenset()
    seconds: Mapping[str, float] = field(default_factory=dict)
    budget: float | None = None
    started: float | None = None
    running: dict[str, float] = field(default_factory=dict)
    """When each of the items began that run now, in the order in which they did."""
    done: set[str] = field(default_factory=set)
    failures: int = 0
    examples: int = 0

    def start(self, item: str, now: float) -> None:
        """Note that an item begins."""
        if item in self.chosen:
            self.started = now if self.started is None else self.started
            self.running[item] = now

    def end(self, item: str) -> None:
        """Note that an item has ended."""
        self.running.pop(item, None)
        if item in self.chosen:
            self.done.add(item)

    def seconds_run(self, now: float) -> float:
        """Seconds since the first item began."""
        return 0.0 if self.started is None else now - self.started

    def seconds_left(self, now: float) -> float | None:
        """How long the rest may take: as much longer as it took last time, within the budget. None: nobody knows."""
        done = self._length(self.done - self.repeated)
        left = self._length(self.chosen - self.done - self.repeated)
        estimate = self.seconds_run(now) * left / done if done else None
        if self.budget is None:
            return estimate
        rest = max(self.budget - self.seconds_run(now), 0.0)
        return rest if estimate is None else min(estimate, rest)

    def seconds_expected(self, processes: int) -> float | None:
        """How long the run takes if so many processes share it, and its items take as long as last time.

        None where the last run had none of them, and of a run that has nothing left to do.
        """
        left = self.chosen - self.repeated
        if not left & self.seconds.keys():
            return None
        longest = max(self.seconds.get(item, 0.0) for item in left)
        expected = max(self._length(left) / processes, longest)
        return expected if self.budget is None else min(expected, self.budget)

    def _length(self, items: Iterable[str]) -> float:
        """What these items took last time, all together."""
        durations = [self.seconds[item] for item in self.chosen if item in self.seconds]
        if sum(durations) <= 0:
            return float(len(set(items)))
        mean = sum(durations) / len(durations)
        return sum(self.seconds.get(item, mean) for item in items)


def progress_line(progress: Progress, now: float) -> str:
    """The state in a line: ``12 of 60 items, 1 failed, 48 left, 45 examples/s, about 3 min left: conv2d[float32]``."""
    total, done = len(progress.chosen), len(progress.done)
    parts = [f"{done} of {total} items", f"{progress.failures} failed", f"{total - done} left"]
    if progress.examples and progress.seconds_run(now) > 0:
        parts.append(f"{progress.examples / progress.seconds_run(now):.3g} examples/s")
    if (left := progress.seconds_left(now)) is not None:
        parts.append(f"about {duration_words(left)} to go")
    return ", ".join(parts) + _running_words(progress, now)


def expectation_line(seconds: float, processes: int) -> str:
    """What is said before the first item of how long the run will take."""
    where = "" if processes == 1 else f" in {processes} processes"
    return f"expected: about {duration_words(seconds)}{where}, by what the items took last time"


def duration_words(seconds: float) -> str:
    """A duration in two units at most: ``40 s``, ``3 min``, ``2 h 05 min``."""
    minutes = round(seconds / 60)
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02} min"


def _running_words(progress: Progress, now: float) -> str:
    """What runs, the longest first, and for how long."""
    items = list(progress.running.items())
    names = [f"{_short(item)} ({duration_words(now - began)})" for item, began in items[:MOST_RUNNING]]
    more = [f"{len(items) - MOST_RUNNING} more"] if len(items) > MOST_RUNNING else []
    return f"; running: {', '.join([*names, *more])}" if names else ""


def _short(item: str) -> str:
    """The name of an item without its suite, in characters that move no cursor."""
    name = item.rpartition("::")[2] or item
    return "".join(character if character.isprintable() else "?" for character in name)
