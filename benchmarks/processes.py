"""How a run scales with the processes of pytest-xdist."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence

from benchmarks.runs import ROOT, table

SUITES = ("suites/operators/pooling.yaml",)
PASSED_OR_FAILED = (0, 1)
"""Exit statuses of a whole run."""


def report(examples: int, python: str | None, counts: Sequence[int] = (1, 2, 4), chosen: str = "") -> str:
    """A row for each number of processes: seconds of a run of the pooling suite, and how many times as fast it is."""
    seconds = {count: run_seconds(count, examples, python, chosen) for count in counts}
    first = seconds[counts[0]]
    rows = [(f"-n {count}", f"{each:.1f}", f"{first / each:.2f}") for count, each in seconds.items()]
    return table(("processes", "seconds", "times as fast"), rows)


def run_seconds(count: int, examples: int, python: str | None, chosen: str) -> float:
    """How long a run takes from its start to its verdict; `chosen` is pytest's -k.

    Raises RuntimeError where it does not come to one.
    """
    command = [sys.executable, "-m", "pytest", "-q", *SUITES, f"--eq-examples={examples}", "-n", str(count)]
    environment = {**os.environ, **({"EQUIVALENCE_PYTHON": python} if python else {})}
    started = time.monotonic()
    run = subprocess.run(
        [*command, "-k", chosen], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    if run.returncode not in PASSED_OR_FAILED:
        raise RuntimeError(f"pytest ended with {run.returncode}: {run.stdout[-400:]}{run.stderr[-400:]}")
    return time.monotonic() - started
