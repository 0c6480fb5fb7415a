"""`equivalence issues matrix`: which builds of PyTorch have which fault, and the catalogue of it."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from packaging.version import Version

from harness.cli.issues.scripts import note_scripts
from harness.cli.parser import Commands, add_command
from harness.core import KnownIssue
from harness.errors import UserError
from harness.gate import Gate
from harness.golden import MATRIX_FILE, FaultMatrix, MeasuredBuildSchema, load_fault_matrix
from harness.project import Project
from harness.reporting import catalogue_text, matrix_table
from harness.settings import NOT_UNDER_CI, Settings, under_ci
from harness.trial import replay_place

SAVED_EVERY = 20
"""After so many places what was measured is saved: the next call goes on where this one was stopped."""


def add_matrix_command(commands: Commands) -> None:
    """Add its parser."""
    about = "which builds of PyTorch have which fault: replay all reproducers on them, and write the catalogue"
    parser = add_command(commands, "matrix", measure_builds, about)
    parser.add_argument(
        "--python",
        metavar="PATH",
        action="append",
        default=[],
        dest="pythons",
        help=f"an interpreter with a build; again for another. What is in {MATRIX_FILE} of its release is kept",
    )
    parser.add_argument("--again", action="store_true", help="replay also what was measured before")
    parser.add_argument(
        "--scripts", action="store_true", help="run the script of every fault on the last of the builds"
    )
    parser.add_argument("--write", metavar="FILE", help="write the catalogue there: docs/faults.md")


def measure_builds(options: argparse.Namespace, settings: Settings) -> int:
    """Measure the builds that are named, print the table, and write the catalogue. Raises UserError."""
    if (options.pythons or options.write) and under_ci():
        raise UserError(f"issues matrix: {NOT_UNDER_CI}")
    project = Project(settings.root)
    path = settings.root / MATRIX_FILE
    matrix = load_fault_matrix(path)
    faults, cases = project.known_issues.faults, project.every_case()
    matrix.forget_others(faults)
    for python in options.pythons:
        measure_build(Gate(replace(settings, python=python)), matrix, path, again=options.again)
    if options.scripts:
        shows = note_scripts(project, matrix, options.pythons[-1] if options.pythons else None)
        silent = sorted(name for name, is_shown in shows.items() if not is_shown)
        count = f"{len(shows)} scripts, {len(shows) - len(silent)} show their fault"
        print(f"{count}; not: {', '.join(silent) or 'none'}")  # noqa: T201 - a command prints
        path.write_text(matrix.to_json(), "utf-8")
    print("\n".join(matrix_table(faults, matrix)))  # noqa: T201 - a command prints
    if options.write:
        Path(options.write).write_text(catalogue_text(faults, matrix, cases, project.levels), "utf-8")
    return 0


def measure_build(gate: Gate, matrix: FaultMatrix, path: Path, *, again: bool = False) -> None:
    """Replay every place of every fault on one build, and save what became of it, as it goes."""
    cases = gate.project.every_case()
    with gate:
        build = gate.executor.build
        release = Version(build.torch).public
        matrix.builds[release] = MeasuredBuildSchema(
            torch=build.torch,
            onednn=build.onednn,
            cpu=build.cpu,
            levels=tuple(cell.name for cell in gate.executor.cells),
            date=datetime.now(UTC).date().isoformat(),
        )
        for number, place in enumerate(_places_to_replay(gate, matrix, release, again=again), 1):
            matrix.note(place, release, replay_place(place, cases[place.reproducer.case], gate.executor))
            if number % SAVED_EVERY == 0:
                path.write_text(matrix.to_json(), "utf-8")
    path.write_text(matrix.to_json(), "utf-8")


def _places_to_replay(gate: Gate, matrix: FaultMatrix, release: str, *, again: bool) -> Iterator[KnownIssue]:
    for place in gate.project.known_issues.entries:
        if again or matrix.replay(place, release) is None:
            yield place
