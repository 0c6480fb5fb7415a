"""Running the scripts of the catalogue on a build, to see that they show what they say."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from packaging.version import Version

from harness.core import KnownFault
from harness.errors import UserError
from harness.golden import FaultMatrix
from harness.project import Project
from harness.reporting import FAULT_IS_HERE, POISON, fault_script

TIME: Final = 120.0
"""Seconds that a script may take."""

_RUNNER: Final = """
import json, os, signal, sys, time
import torch

def run(path, seconds):
    # each script in a fork, which has run no kernel yet: importing torch is what takes the time
    child = os.fork()
    if child == 0:
        os.dup2(os.open(path + ".out", os.O_WRONLY | os.O_CREAT), 1)
        os.execve = lambda program, arguments, environment: os.environ.update(environment)
        signal.alarm(seconds)
        try:
            exec(compile(open(path).read(), path, "exec"), {"__name__": "__main__"})
        except SystemExit:
            pass
        finally:
            sys.stdout.flush()
            os._exit(0)
    status = os.waitpid(child, 0)[1]
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0

signals = {path: run(path, int(sys.argv[1])) for path in sys.argv[2:]}
print(json.dumps({"torch": torch.__version__, "signals": signals}))
"""
"""Runs scripts one after the other; prints the version of PyTorch, and the signal that ended each, 0 for none."""


def note_scripts(project: Project, matrix: FaultMatrix, python: str | None) -> dict[str, bool]:
    """Run the script of every fault on a build (None: this interpreter's), and keep in the matrix which show theirs.

    The answer is whether each does, by the fault's id. A fault that plain PyTorch cannot show has no script. Raises
    UserError for an interpreter without PyTorch.
    """
    cases = project.every_case()
    faults = {fault.id: fault for fault in project.known_issues.faults}
    scripts = {name: script for name, fault in faults.items() if (script := fault_script(fault, cases, project.levels))}
    release, endings = _run_scripts(scripts, python or sys.executable)
    shows = {name: _is_shown(faults[name], *endings[name]) for name in scripts}
    for name, script in scripts.items():
        if shows[name]:
            matrix.note_script(name, script, release)
    return shows


def _run_scripts(scripts: Mapping[str, str], python: str) -> tuple[str, dict[str, tuple[int, str]]]:
    """The release, and by fault the signal that ended its script and what it printed."""
    with tempfile.TemporaryDirectory() as folder:
        paths = {name: Path(folder) / f"{name}.py" for name in scripts}
        for name, path in paths.items():
            path.write_text(scripts[name], "utf-8")
        command = [python, "-c", _RUNNER, f"{TIME:.0f}", *map(str, paths.values())]
        environment = {**os.environ, **POISON}
        run = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)  # noqa: S603 - the person's own interpreter
        if run.returncode:
            raise UserError(f"{python}: {(run.stderr.strip().splitlines() or ['it did not run'])[-1]}")
        report = json.loads(run.stdout)
        return Version(report["torch"]).public, {
            name: (report["signals"][str(path)], Path(f"{path}.out").read_text("utf-8")) for name, path in paths.items()
        }


def _is_shown(fault: KnownFault, signal: int, output: str) -> bool:
    """Whether a script says that the fault is there, or died where that is the fault."""
    oracles = {place.oracle for place in fault.places}
    return FAULT_IS_HERE in output.splitlines() or bool(signal and oracles & {"crash", "hang"})
