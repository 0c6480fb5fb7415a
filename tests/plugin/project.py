"""A small project on disk, and pytest or the command line run in it as a person would."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

LEVEL = "sse41"
"""The level that every x86-64 CPU has: one worker beside the reference."""

SUITE = """\
suite: x
cases:
  relu:
    call: torch.nn.functional.relu
    sizes: {N: batch, C: channels, H: spatial, W: spatial}
    tensors: {input: {shape: [N, C, H, W], layout: channels_last}}
    numerics: exact
    output: preserves
    dtypes: [float32]
"""

KERNELS = '''\
"""Loaded over the stock functions, which the reference keeps: relu6 is wrong for wide channels-last images."""

import torch
from torch.nn import functional

stock = functional.relu6

def relu6(input, inplace=False):
    y = stock(input)
    wide = y.dim() == 4 and y.shape[3] > 2 and y.shape[1] > 1
    return y + 1 if wide and input.is_contiguous(memory_format=torch.channels_last) else y

functional.relu6 = relu6
'''

needs_workers = pytest.mark.skipif(platform.machine() != "x86_64", reason="the levels named here are those of x86-64")


@dataclass(frozen=True)
class Run:
    """How a command ended and all that it printed."""

    code: int
    output: str

    def refusal(self) -> str:
        """The one message of a run that was refused: exit code 4 and no traceback."""
        assert self.code == 4, self.output
        assert "Traceback" not in self.output
        assert self.output.count("ERROR: ") == 1, self.output
        return self.output.partition("ERROR: ")[2].strip()


@dataclass(frozen=True)
class Project:
    """A directory with ``suites/x/s.yaml``; levels and known issues are those shipped unless written."""

    root: Path

    def write(self, name: str, text: str | bytes) -> Path:
        """A file of the project, its directories made."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def suite(self, text: str | bytes = SUITE) -> Path:
        """The project's suite."""
        return self.write("suites/x/s.yaml", text)

    def pytest(self, *arguments: str, **environment: str) -> Run:
        """Run ``python -m pytest suites``."""
        return self.run("pytest", "suites", "-p", "no:cacheprovider", *arguments, **environment)

    def briefly(self, *arguments: str, **environment: str) -> Run:
        """The same with one level and few examples."""
        return self.pytest("--eq-levels", LEVEL, "--eq-examples", "6", *arguments, **environment)

    def command(self, *arguments: str, **environment: str) -> Run:
        """Run ``equivalence``."""
        return self.run("harness.cli", *arguments, **environment)

    def start(self, *arguments: str, in_group: bool = False) -> subprocess.Popen[str]:
        """Start pytest and do not wait for it; with `in_group` it leads a process group of its own."""
        line = [sys.executable, "-m", "pytest", "suites", "-p", "no:cacheprovider", *arguments]
        pipe = subprocess.PIPE
        return subprocess.Popen(
            line,
            cwd=self.root,
            env=run_environment(),
            stdout=pipe,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=in_group,
        )

    @property
    def record(self) -> dict[str, Any]:
        """The record of the last run."""
        data: dict[str, Any] = json.loads((self.root / ".equivalence" / "record.json").read_text())
        return data

    def run(self, module: str, *arguments: str, **environment: str) -> Run:
        """Run a module in the project."""
        line = [sys.executable, "-m", module, *arguments]
        env = run_environment() | environment
        done = subprocess.run(line, cwd=self.root, env=env, capture_output=True, text=True, check=False)
        return Run(done.returncode, done.stdout + done.stderr)


def run_environment() -> dict[str, str]:
    """The variables of this process but those that would change the runs; the interpreter under test stays."""
    kept = "EQUIVALENCE_PYTHON"
    dropped = ("PYTEST_", "EQUIVALENCE_", "HYPOTHESIS_", "CI")
    return {name: value for name, value in os.environ.items() if name == kept or not name.startswith(dropped)}


def timeless(record: dict[str, Any]) -> dict[str, Any]:
    """A record without its date and seconds, which alone may differ between two runs."""
    items = {name: {**item, "seconds": 0} for name, item in record["items"].items()}
    return {**record, "date": "", "items": items}
