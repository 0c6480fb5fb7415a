"""Examples times cells a second, over the examples a second of a test of the same operator that is written by hand."""

from __future__ import annotations

import os
import subprocess
import sys

from benchmarks.borrowed_torch import torch_folder
from benchmarks.runs import ROOT, open_executor, run_cost, suite_items, warm_up

ROUNDS = 3
"""Both are measured in turn, and the best of each counts: what else the machine does slows either."""


def report(examples: int, python: str | None, rounds: int = ROUNDS) -> str:
    """Both rates and their ratio, for convolutions in float32."""
    items = suite_items("convolution", ["conv2d"], ["float32"])
    ours, theirs = 0.0, 0.0
    with open_executor(python) as executor:
        warm_up(executor, items)
        for _ in range(rounds):
            ours = max(ours, run_cost(executor, items, examples).cell_rate)
            theirs = max(theirs, handwritten_rate(examples, python))
    return f"{ours:.1f} examples x cells a second, {theirs:.1f} of the hand-written test: {ours / theirs:.2f}"


def handwritten_rate(examples: int, python: str | None) -> float:
    """Examples a second of the hand-written test, in a process of its own that has torch."""
    folders = [str(ROOT), torch_folder(python), os.environ.get("PYTHONPATH")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, folders))}
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.conv2d_by_hand", str(examples)]
    answer = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=True)
    return float(answer.stdout.split()[-1])
