"""What the processes of a run leave behind: children that a preload file starts and that live on. Python 3.8 on."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path
from typing import Iterator

MARK = "NHWC_EQUIVALENCE_PROCESS"
"""The variable that marks a process and all that it starts; no fork and no session of its own takes it away."""

MOST_PASSES = 20
"""How often it is looked for more: what is killed may just have started another."""


def kill_marked(mark: str) -> None:
    """Kill every process whose environment, as it was when its program began, has this mark.

    Nothing where the system does not show environments (it needs /proc), and nothing that cleared its own.
    """
    for _ in range(MOST_PASSES):
        if not (pids := [*_marked_pids(mark)]):
            return
        for pid in pids:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)


def _marked_pids(mark: str) -> Iterator[int]:
    entry = f"{MARK}={mark}".encode()
    for environment in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):  # it has ended, or is not ours to look at
            if entry in environment.read_bytes().split(b"\0"):
                yield int(environment.parent.name)
