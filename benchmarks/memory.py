"""The memory of the harness and of its workers at their largest."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from benchmarks.runs import Item, open_executor, run_cost, suite_items, table

MIB = 1024


def peak_kib(pid: int) -> int:
    """The largest resident set that a process has had, in KiB: VmHWM of proc_pid_status(5)."""
    lines = Path(f"/proc/{pid}/status").read_text("utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))


def report(examples: int, python: str | None, items: Sequence[Item] | None = None) -> str:
    """A row for each process, after convolutions and normalisations in all dtypes."""
    items = items or [*suite_items("convolution", ["conv2d"]), *suite_items("normalization", ["group_norm"])]
    with open_executor(python) as executor:
        run_cost(executor, items, examples)
        peaks = {"harness": peak_kib(os.getpid())}
        peaks |= {name: peak_kib(pid) for name, pid in executor.worker_pids.items()}
    return table(("process", "MiB"), [(name, f"{peak / MIB:.0f}") for name, peak in peaks.items()])
