"""What is asked of an interpreter before a worker starts: does it run, has it torch and NumPy, what is its CPU."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from typing import Any, Final

from harness.errors import UserError

LIMIT: Final = 60.0
"""Seconds for an interpreter to answer; it imports the standard library only."""

_MARK: Final = "equivalence-probe:"

_SCRIPT: Final = f"""
import importlib.util, json, platform, sys
def cpuinfo():
    try:
        with open("/proc/cpuinfo") as file:
            pairs = [line.partition(":") for line in file]
    except OSError:
        return dict()
    return dict((key.strip(), value.strip()) for key, _, value in reversed(pairs))
cpu = cpuinfo()
print("{_MARK}" + json.dumps(dict(
    version=sys.version_info[:3],
    machine=platform.machine(),
    cpu=cpu.get("model name", platform.processor() or platform.machine()),
    flags=(cpu.get("flags") or cpu.get("Features") or "").split(),
    missing=[name for name in ("torch", "numpy") if importlib.util.find_spec(name) is None],
)))
"""


@dataclass(frozen=True)
class Host:
    """An interpreter that runs, and the CPU under it: `flags` as /proc/cpuinfo has them."""

    python: str
    machine: str
    cpu: str
    flags: tuple[str, ...]


def probe_host(python: str | None) -> Host:
    """Ask an interpreter (by default this one). Raises UserError with one sentence about what is wrong with it."""
    path = python or sys.executable
    if shutil.which(path) is None:
        raise UserError(f"there is no interpreter {path}; give the path of the Python that has the PyTorch to test")
    answer = _probe_answer(path)
    if tuple(answer["version"]) < (3, 8):
        raise UserError(f"{path} is Python {'.'.join(map(str, answer['version']))}; a worker needs 3.8 or newer")
    if answer["missing"]:
        raise UserError(f"{path} has no {' and no '.join(answer['missing'])}; a worker needs torch and numpy")
    return Host(path, answer["machine"], answer["cpu"], tuple(answer["flags"]))


def _probe_answer(path: str) -> dict[str, Any]:
    try:
        ran = subprocess.run(  # noqa: S603 - the interpreter the user chose
            [path, "-c", _SCRIPT], capture_output=True, text=True, timeout=LIMIT, check=False, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UserError(f"the interpreter {path} does not run: {error}") from None
    _before, mark, text = ran.stdout.partition(_MARK)
    if not mark:
        lines = [line for line in (ran.stderr + ran.stdout).splitlines() if line.strip()]
        last = lines[-1].strip() if lines else f"exit status {ran.returncode} and no output"
        raise UserError(f"{path} is not a working Python interpreter: {last}")
    answer: dict[str, Any] = json.loads(text)
    return answer
