"""Running the scripts of the catalogue on a build, to see that they show what they say."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from itertools import takewhile

from harness.core import PlaceState
from harness.golden import FaultMatrix
from harness.project import Project
from harness.reporting import fault_scripts
from harness.script_runner import ScriptRunner
from harness.script_runs import FreshMemory


def note_scripts(project: Project, matrix: FaultMatrix, python: str | None) -> dict[str, bool]:
    """Run the scripts of every fault on a build (None: this interpreter's), and keep in the matrix one that shows it.

    The answer is whether any does, or did on another build, by the fault's id. A fault that plain PyTorch cannot show
    has no script. A script counts if it shows its fault whatever is in fresh memory; one that does not fill that goes
    before one that does. A script of the matrix that shows its fault in some memory alone leaves it, and one that is
    not written any more. A build that was not measured to have a fault proves nothing of its script. Raises UserError
    for an interpreter without PyTorch.
    """
    by_fault = _scripts_of_faults(project)
    with ScriptRunner(python or sys.executable) as runner:
        for fault in project.known_issues.faults:
            if matrix.fault_state(fault, runner.release) is PlaceState.FAILS:
                _note_first(fault.id, by_fault[fault.id], matrix, runner)
    shows = {fault: any(matrix.shows(fault, text) for text in texts) for fault, texts in by_fault.items()}
    matrix.scripts = {fault: script for fault, script in matrix.scripts.items() if shows.get(fault)}
    return {fault: is_shown for fault, is_shown in shows.items() if by_fault[fault]}


def _note_first(fault: str, texts: Sequence[str], matrix: FaultMatrix, runner: ScriptRunner) -> None:
    """Keep the first of a fault's scripts that shows it whatever is in fresh memory."""
    for text in texts:
        memories = list(takewhile(lambda memory: runner.run(text, memory).shows_fault, FreshMemory))  # noqa: B023 - used here
        if len(memories) == len(FreshMemory):
            matrix.note_script(fault, text, runner.release)
            return
        if memories and matrix.shows(fault, text):
            del matrix.scripts[fault]


def _scripts_of_faults(project: Project) -> dict[str, list[str]]:
    """The scripts of each fault by its id, those that do not fill memory first."""
    cases, levels = project.every_case(), project.levels
    return {
        fault.id: [text for poison in (False, True) for text in fault_scripts(fault, cases, levels, poison=poison)]
        for fault in project.known_issues.faults
    }
