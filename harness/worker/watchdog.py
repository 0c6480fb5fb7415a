"""The parent of a worker on another machine: it lives as long as the connection, and says how its worker ended.

Nobody there would otherwise see that the harness has gone, or which signal has ended the worker: ssh(1) hands on an
exit status alone, and 255 is its own. Imports no torch.
"""

from __future__ import annotations

import contextlib
import os
import resource
import select
import signal
import sys
from pathlib import Path
from typing import Mapping, Sequence

from ..portable import leftovers
from ..portable.memory_limit import LEAVES_FIRST, memory_limit
from ..portable.watched_end import exit_status

PAUSE = 50
"""Milliseconds between two looks at worker and connection."""

BOOTSTRAP_LINE = "import sys;exec(eval(sys.stdin.readline()))"
"""What execnet has an interpreter do (execnet/gateway_io.py)."""


def run_worker(settings: Mapping[str, str], scrubbed: Sequence[str], mark: str) -> None:
    """Run execnet's worker in this interpreter until it ends or the connection does, and end with its status.

    `settings` are its variables, `scrubbed` the prefixes of those that it must not inherit, `mark` is what its
    processes are told by.
    """
    child = os.fork()
    if child == 0:
        _become_worker({**settings, leftovers.MARK: mark}, tuple(scrubbed))
    status = _wait(child)
    leftovers.kill_marked(mark)
    os._exit(exit_status(status))


def _wait(child: int) -> int:
    """The status of the child once it has ended; it is killed where nobody reads its messages any more."""
    connection = select.poll()
    connection.register(1, 0)  # what poll(2) tells unasked: an error, or that the other end has closed
    while True:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return status
        if connection.poll(PAUSE):
            os.kill(child, signal.SIGKILL)
            return os.waitpid(child, 0)[1]


def _become_worker(settings: Mapping[str, str], scrubbed: Sequence[str]) -> None:
    """The child: limited in memory, the first to go where it runs out, its environment right from its start."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    limit = memory_limit() if hard == resource.RLIM_INFINITY else min(memory_limit(), hard)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))
    with contextlib.suppress(OSError):  # only Linux has it
        Path("/proc/self/oom_score_adj").write_text(str(LEAVES_FIRST), "ascii")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(tuple(scrubbed))}
    words = [sys.executable, "-u", "-c", BOOTSTRAP_LINE]
    os.execve(sys.executable, words, {**inherited, **settings})  # noqa: S606 - this interpreter again
