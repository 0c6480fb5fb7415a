"""When a process that does not answer is given up.

A machine with more to do than it has cores makes any call slow; what a hanging call cannot do is get its share of the
processor and still come to no end. So what counts is the CPU time that the process gets, where that can be read.
"""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path
from typing import Callable

IDLE_SHARE = 0.02
"""A process that gets less of one core than this is not working: even among fifty it would get as much."""
LEAST_SPAN = 1.0
"""Seconds over which that share is measured, at least."""


class CpuTimeLimit:
    """The CPU time that one process, with all its threads, may spend on one request: `limit` seconds.

    The limit is also reached when the process has been waited for `limit` seconds by the clock and is not working,
    because it is stopped or deadlocked. `start` is when the request began on the monotonic clock, now if it is left
    out. Where the system does not tell CPU times (it needs /proc), the clock alone decides. `read_cpu_seconds` says how
    much the process has used, where it is not one of this machine.
    """

    def __init__(
        self,
        pid: int,
        limit: float,
        start: float | None = None,
        read_cpu_seconds: Callable[[], float] | None = None,
    ) -> None:
        self._read_cpu_seconds = read_cpu_seconds or (lambda: cpu_seconds(pid))
        self._left = limit
        self._span = min(limit, LEAST_SPAN)
        self._last_time = time.monotonic()
        self._last_cpu = self._read_cpu_seconds()
        first = self._last_time if start is None else start
        self.wait = max(first + limit - self._last_time, self._span)
        """Seconds to wait for an answer before `is_reached` is asked."""

    def is_reached(self) -> bool:
        """After `wait` seconds without an answer: whether to give up. If not, `wait` is for how long to wait again."""
        now, cpu = time.monotonic(), self._read_cpu_seconds()
        used, passed = max(cpu - self._last_cpu, 0.0), now - self._last_time
        self._last_time, self._last_cpu = now, cpu
        self._left -= used
        self.wait = max(self._left, self._span)
        return self._left <= 0 or used < IDLE_SHARE * passed


def cpu_seconds(pid: int) -> float:
    """The CPU time that a process and all that it started have used; the clock where the system tells none.

    It never becomes less: what a child has used that has ended, such as a compiler, is its parent's.
    """
    own = _own_cpu_seconds(pid)
    return time.monotonic() if own is None else own + _descendants_cpu_seconds(pid)


def _descendants_cpu_seconds(pid: int) -> float:
    children = ""
    with contextlib.suppress(OSError):
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return sum(
        (_own_cpu_seconds(child) or 0.0) + _descendants_cpu_seconds(child) for child in map(int, children.split())
    )


def _own_cpu_seconds(pid: int) -> float | None:
    """Fields 14 to 17 of /proc/PID/stat, in clock ticks, those of children that have ended too: proc_pid_stat(5)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
