"""Running scripts that are to show a fault, outside the harness: in an interpreter of their own, with a time limit."""

from __future__ import annotations

import enum
import json
import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from packaging.version import Version

from harness.errors import UserError
from harness.execution import tuning_variables
from harness.reporting import FAULT_IS_HERE, POISON

LIMIT: Final = 120.0
"""Seconds that a script may take: of its three at most, two are for importing torch."""

_RUNNER: Final = """
import io, json, os, signal, sys, time
import torch

def run(path, seconds, arguments):
    # each script in a fork, which has run no kernel yet: importing torch is what takes the time
    child = os.fork()
    if child == 0:
        sys.stdout.flush()
        os.dup2(os.open(path + ".out", os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 1)
        os.dup2(1, 2)
        sys.argv = [path, *arguments]
        signal.alarm(seconds)
        code = 2
        try:
            exec(compile(open(path).read(), path, "exec"), {"__name__": "__main__"})
        except SystemExit as end:
            code = int(end.code or 0)
        except BaseException as error:
            print(type(error).__name__, error)
        finally:
            sys.stdout.flush()
            os._exit(code)
    status = os.waitpid(child, 0)[1]
    return -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)

job = json.load(sys.stdin)
codes = {name: run(path, job["seconds"], job["arguments"]) for name, path in job["paths"].items()}
print(json.dumps({"torch": torch.__version__, "codes": codes}))
"""
"""Runs scripts one after the other; prints the version of PyTorch, and how each ended: minus a signal, or its code."""


class FreshMemory(enum.Enum):
    """What the memory holds that malloc hands out to a script.

    A script counts only if it shows its fault with each of these: what is left over on this machine may be zero on
    another, and a fault of memory that nobody wrote then shows here and not there.
    """

    FILLED = "filled"
    """What no result is."""
    ZERO = "zero"
    """What a new process mostly finds, and what many results are."""
    AS_IT_COMES = "as it comes"
    """Whatever was left there."""

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables that see to it."""
        return _MALLOC[self]


_MALLOC: Final[Mapping[FreshMemory, Mapping[str, str]]] = {
    FreshMemory.FILLED: POISON,
    # glibc fills fresh memory with the complement of the byte, and freed memory with the byte itself: mallopt(3)
    FreshMemory.ZERO: {**POISON, "MALLOC_PERTURB_": "255"},
    FreshMemory.AS_IT_COMES: {},
}


@dataclass(frozen=True)
class ScriptRun:
    """How a script ended, by its exit code or minus the signal that ended it, and what it printed."""

    code: int
    output: str

    @property
    def shows_fault(self) -> bool:
        """Whether it says that the fault is there, and exits as it then should."""
        return self.code == 1 and FAULT_IS_HERE in self.output.splitlines()


def run_script(path: Path, python: str, memory: FreshMemory, *, limit: float = LIMIT) -> ScriptRun:
    """Run a script in a new interpreter. One that takes longer than `limit` seconds ends as by SIGKILL."""
    try:
        run = subprocess.run(  # noqa: S603 - the person's own interpreter
            [python, str(path)],
            capture_output=True,
            check=False,
            stdin=subprocess.DEVNULL,
            timeout=limit,
            env=_environment(memory),
            cwd=path.parent,
        )
    except subprocess.TimeoutExpired:
        return ScriptRun(-9, f"not done after {limit:.0f} s")
    return ScriptRun(run.returncode, (run.stdout + run.stderr).decode("utf-8", "replace"))


def run_scripts(
    scripts: Mapping[str, str], python: str, memory: FreshMemory, *, arguments: Sequence[str] = ()
) -> tuple[str, dict[str, ScriptRun]]:
    """The release of the interpreter, and how each script ended, by its name: torch is imported once for all of them.

    Raises UserError for an interpreter without PyTorch.
    """
    with tempfile.TemporaryDirectory() as folder:
        paths = {name: Path(folder) / f"{index}.py" for index, name in enumerate(scripts)}
        for name, path in paths.items():
            path.write_text(scripts[name], "utf-8")
        job = {"paths": {name: str(path) for name, path in paths.items()}, "seconds": int(LIMIT)}
        run = subprocess.run(  # noqa: S603 - the person's own interpreter
            [python, "-c", _RUNNER],
            input=json.dumps({**job, "arguments": list(arguments)}),
            capture_output=True,
            text=True,
            check=False,
            env=_environment(memory),
        )
        if run.returncode:
            raise UserError(f"{python}: {(run.stderr.strip().splitlines() or ['it did not run'])[-1]}")
        report = json.loads(run.stdout.splitlines()[-1])
        outputs = {name: Path(f"{path}.out").read_text("utf-8", "replace") for name, path in paths.items()}
    runs = {name: ScriptRun(code, outputs[name]) for name, code in report["codes"].items()}
    return Version(report["torch"]).public, runs


def _environment(memory: FreshMemory) -> dict[str, str]:
    """The person's environment without what steers kernels or malloc, which a script sets for itself."""
    steering = set(tuning_variables())
    kept = {name: value for name, value in os.environ.items() if name not in steering}
    return {**kept, "PYTHONDONTWRITEBYTECODE": "1", **memory.environment}
