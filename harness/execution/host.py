"""What is asked of an interpreter before a worker starts: does it run, has it torch and NumPy, what is its CPU."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from harness.errors import UserError
from harness.execution.host_address import HostAddress
from harness.portable.watched_end import DISCONNECTED

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
    """An interpreter that runs, by its path, and the CPU under it: `flags` as /proc/cpuinfo has them."""

    python: str
    machine: str
    cpu: str
    flags: tuple[str, ...]

    @property
    def name(self) -> str:
        """What the machine is called."""
        return "localhost"


@dataclass(frozen=True)
class RemoteHost(Host):
    """The same on another machine, whose name `python` has before the path."""

    address: HostAddress

    @property
    def name(self) -> str:
        """As ssh calls it."""
        return self.address.name


def probe_host(python: str | None) -> Host:
    """Ask an interpreter (by default this one). Raises UserError with one sentence about what is wrong with it."""
    path = python or sys.executable
    if shutil.which(path) is None:
        raise UserError(f"there is no interpreter {path}; give the path of the Python that has the PyTorch to test")
    try:
        ran = _run([path, "-c", _SCRIPT])
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UserError(f"the interpreter {path} does not run: {error}") from None
    answer = _probe_answer(path, ran)
    _check_answer(path, answer)
    return Host(path, *_cpu_of(answer))


def probe_remote_host(address: HostAddress) -> RemoteHost:
    """Ask an interpreter on another machine. Raises UserError that says what is wrong with either."""
    try:
        ran = _run(address.command(_SCRIPT))
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UserError(f"host {address.name}: ssh does not run: {error}") from None
    if ran.returncode == DISCONNECTED:
        raise UserError(
            f"host {address.name}: ssh cannot reach it: {_last_line(ran)}; `{shlex.join(address.login)} true` "
            "has to work without a question"
        )
    noise = ran.stdout.partition(_MARK)[0].strip()
    answer = _probe_answer(address.interpreter, ran, "; name the one that has the PyTorch to test by //python=/path")
    if noise:
        raise UserError(
            f"host {address.name}: its shell prints {noise.splitlines()[0]!r} before it runs a command, where a worker "
            "would answer; let it print nothing unless it is interactive"
        )
    _check_answer(address.interpreter, answer)
    return RemoteHost(address.interpreter, *_cpu_of(answer), address)


def _check_answer(path: str, answer: Mapping[str, Any]) -> None:
    """Raise UserError for an interpreter that cannot run a worker."""
    if tuple(answer["version"]) < (3, 8):
        raise UserError(f"{path} is Python {'.'.join(map(str, answer['version']))}; a worker needs 3.8 or newer")
    if answer["missing"]:
        raise UserError(f"{path} has no {' and no '.join(answer['missing'])}; a worker needs torch and numpy")


def _cpu_of(answer: Mapping[str, Any]) -> tuple[str, str, tuple[str, ...]]:
    """Architecture, model and flags."""
    return answer["machine"], answer["cpu"], tuple(answer["flags"])


def _run(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run what the user chose, an interpreter or ssh. Raises OSError and subprocess.TimeoutExpired."""
    return subprocess.run(  # noqa: S603 - see above
        command, capture_output=True, text=True, timeout=LIMIT, check=False, stdin=subprocess.DEVNULL
    )


def _probe_answer(path: str, ran: subprocess.CompletedProcess[str], advice: str = "") -> dict[str, Any]:
    """What the script has printed. Raises UserError where it did not run."""
    _before, mark, text = ran.stdout.partition(_MARK)
    if not mark:
        raise UserError(f"{path} is not a working Python interpreter: {_last_line(ran)}{advice}")
    answer: dict[str, Any] = json.loads(text)
    return answer


def _last_line(ran: subprocess.CompletedProcess[str]) -> str:
    """The last line of what a command has printed, on stderr where it did, else how it ended."""
    lines = [line for line in (ran.stderr + ran.stdout).splitlines() if line.strip()]
    return lines[-1].strip() if lines else f"exit status {ran.returncode} and no output"
