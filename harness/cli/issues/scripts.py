"""Running the scripts of the catalogue on a build, to see that they show what they say."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from harness.core import KnownFault, PlaceState
from harness.golden import FaultMatrix
from harness.project import Project
from harness.reporting import fault_scripts
from harness.script_runs import run_scripts


def note_scripts(project: Project, matrix: FaultMatrix, python: str | None) -> dict[str, bool]:
    """Run the scripts of every fault on a build (None: this interpreter's), and keep in the matrix one that shows it.

    The answer is whether any does, by the fault's id; one that has shown its fault before is not run again. A fault
    that plain PyTorch cannot show has no script. One that shows its fault whatever is in fresh memory goes before one
    that fills it. A build that was measured not to have a fault proves nothing of its script. Raises UserError for an
    interpreter without PyTorch.
    """
    cases, faults = project.every_case(), project.known_issues.faults
    by_id = {fault.id: fault for fault in faults}

    def scripts(fault: KnownFault, *, poison: bool) -> Iterator[str]:
        """Those of one fault."""
        return fault_scripts(fault, cases, project.levels, poison=poison)

    shows = {
        fault.id: True
        for fault in faults
        if any(matrix.shows(fault.id, text) for poison in (False, True) for text in scripts(fault, poison=poison))
    }
    for poison, environments in ((False, (False, True)), (True, (True,))):
        candidates = {
            f"{fault.id} {index}": (fault.id, script)
            for fault in faults
            if not shows.get(fault.id)
            for index, script in enumerate(scripts(fault, poison=poison))
        }
        shows.update((name, False) for name, _ in candidates.values())
        for environment in environments:
            texts = {key: script for key, (_, script) in candidates.items()}
            release, runs = run_scripts(texts, python or sys.executable, poison=environment)
            candidates = {key: candidate for key, candidate in candidates.items() if runs[key].shows_fault}
        for name, script in reversed(candidates.values()):
            # what a script finds in a build that has not got the fault is something else
            if matrix.fault_state(by_id[name], release) is PlaceState.FAILS:
                shows[name] = True
                matrix.note_script(name, script, release)
    return shows
