"""How much memory a worker may have. Standard library only, Python 3.8 on."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

LEAST_MEMORY = 4 * 2**30
"""Bytes for a worker on a machine that has little: torch, its threads and the largest examples take less."""

CONTAINER_MEMORY = Path("/sys/fs/cgroup/memory.max")
"""What a container may have: the kernel's cgroup-v2.rst."""

LEAVES_FIRST = 500
"""How much sooner than other processes a worker is ended where memory runs out: proc_pid_oom_score_adj(5)."""


def memory_limit() -> int:
    """The bytes of data that one worker may have: half of what the machine has, and as much as a worker needs at least.

    An allocation beyond them fails, and is what an operator raises; without, the machine would swap, or end a process.
    """
    return max(machine_memory() // 2, LEAST_MEMORY)


def machine_memory() -> int:
    """The bytes of memory of the machine, or of the container that this runs in."""
    total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    with contextlib.suppress(OSError, ValueError):  # not in a container, or one without a limit, which is ``max``
        total = min(total, int(CONTAINER_MEMORY.read_text("ascii")))
    return total
