"""When a process that does not answer is given up.

A machine with more to do than it has cores makes any call slow; what a hanging call cannot do is get its share of the
processor and still come to no end. So what counts is the CPU time that the process gets, where that can be read.
"""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

IDLE = 0.02
"""A process that gets less of one core than this is not working: even among fifty it would get as much."""
LEAST = 1.0
"""Seconds over which that is measured, at least."""


class CpuTimeLimit:
    """The patience with one process over one request: it ends after `limit` seconds of CPU time, of all its threads.

    It also ends when the process has waited `limit` seconds by the clock and is not working, stopped or deadlocked.
    `begun` is when the request began on the monotonic clock, now if not given. Where the system does not tell CPU times
    (it needs /proc), the clock alone decides.
    """

    def __init__(self, pid: int, limit: float, begun: float | None = None) -> None:
        self._pid = pid
        self._left = limit
        self._span = min(limit, LEAST)
        self._looked = time.monotonic()
        self._used = cpu_seconds(pid)
        self.wait = max((self._looked if begun is None else begun) + limit - self._looked, self._span)

    def lost(self) -> bool:
        """After `wait` seconds without an answer: whether to give up. If not, `wait` is for how long to wait again."""
        now, used = time.monotonic(), cpu_seconds(self._pid)
        spent, passed = max(used - self._used, 0.0), now - self._looked
        self._looked, self._used = now, used
        self._left -= spent
        self.wait = max(self._left, self._span)
        return self._left <= 0 or spent < IDLE * passed


def cpu_seconds(pid: int) -> float:
    """The CPU time that a process and its children that still run have used; the clock where the system tells none."""
    own = _used(pid)
    if own is None:
        return time.monotonic()
    children = ""
    with contextlib.suppress(OSError):
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return own + sum(_used(int(child)) or 0.0 for child in children.split())


def _used(pid: int) -> float | None:
    """Fields 14 and 15 of /proc/PID/stat, in clock ticks: proc_pid_stat(5)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
