"""Running the scripts of the catalogue on a build, to see that they show what they say."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from harness.core import PlaceState
from harness.golden import FaultMatrix
from harness.project import Project
from harness.reporting import fault_scripts
from harness.script_runs import FreshMemory, run_scripts


def note_scripts(project: Project, matrix: FaultMatrix, python: str | None) -> dict[str, bool]:
    """Run the scripts of every fault on a build (None: this interpreter's), and keep in the matrix one that shows it.

    The answer is whether any does, or did on another build, by the fault's id. A fault that plain PyTorch cannot show
    has no script. A script counts if it shows its fault whatever is in fresh memory; one that does not fill that goes
    before one that does. A script of the matrix that shows its fault in some memory alone leaves it, and one that is
    not written any more. A build that was not measured to have a fault proves nothing of its script. Raises UserError
    for an interpreter without PyTorch.
    """
    release, _ = run_scripts({}, python or sys.executable, FreshMemory.AS_IT_COMES)
    by_fault = _scripts_of_faults(project)
    states = {fault.id: matrix.fault_state(fault, release) for fault in project.known_issues.faults}
    remaining = {fault for fault, state in states.items() if state is PlaceState.FAILS}
    for number in range(max(map(len, by_fault.values()), default=0)):
        texts = {
            fault: by_fault[fault][number] for fault in by_fault if fault in remaining and by_fault[fault][number:]
        }
        for fault, memories in memories_that_show(texts, python).items():
            if len(memories) == len(FreshMemory):
                matrix.note_script(fault, texts[fault], release)
                remaining.remove(fault)
            elif memories and matrix.shows(fault, texts[fault]):
                del matrix.scripts[fault]
    shows = {fault: any(matrix.shows(fault, text) for text in texts) for fault, texts in by_fault.items()}
    matrix.scripts = {fault: script for fault, script in matrix.scripts.items() if shows.get(fault)}
    return {fault: is_shown for fault, is_shown in shows.items() if by_fault[fault]}


def memories_that_show(texts: Mapping[str, str], python: str | None) -> dict[str, list[FreshMemory]]:
    """What fresh memory may hold where each script shows its fault; nothing further where filling it does not help."""
    shows: dict[str, list[FreshMemory]] = {name: [] for name in texts}
    for number, memory in enumerate(FreshMemory):
        remaining = {name: text for name, text in texts.items() if len(shows[name]) == number}
        _, runs = run_scripts(remaining, python or sys.executable, memory) if remaining else ("", {})
        for name, run in runs.items():
            shows[name] += [memory] * run.shows_fault
    return shows


def _scripts_of_faults(project: Project) -> dict[str, list[str]]:
    """The scripts of each fault by its id, those that do not fill memory first."""
    cases, levels = project.every_case(), project.levels
    return {
        fault.id: [text for poison in (False, True) for text in fault_scripts(fault, cases, levels, poison=poison)]
        for fault in project.known_issues.faults
    }
