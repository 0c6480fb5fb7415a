"""docs/faults.md: it says what the entries and the measured matrix say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from harness.core import PlaceState, Severity
from harness.golden import MATRIX_FILE, FaultMatrix, load_fault_matrix
from harness.project import Project as DeclaredProject
from harness.reporting import catalogue_text

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "faults.md"


@pytest.fixture(scope="module")
def declared() -> DeclaredProject:
    """What this project declares."""
    return DeclaredProject(ROOT)


@pytest.fixture(scope="module")
def matrix() -> FaultMatrix:
    """What was measured."""
    return load_fault_matrix(ROOT / MATRIX_FILE)


def test_the_page_is_what_the_entries_and_the_matrix_say(declared: DeclaredProject, matrix: FaultMatrix) -> None:
    """After a change of either: `equivalence issues matrix --write docs/faults.md`, which needs no build."""
    text = catalogue_text(declared.known_issues.faults, matrix, declared.every_case(), declared.levels)
    assert PAGE.read_text("utf-8") == text


def test_every_fault_has_a_section_and_a_row(declared: DeclaredProject) -> None:
    """The page has a heading for each entry, and a row of the table that leads there, the worst first."""
    text = PAGE.read_text("utf-8")
    ids = {fault.id: fault.severity for fault in declared.known_issues.faults}
    rows = re.findall(r"^\| \[([\w-]+)\]\(#\1\)", text, re.MULTILINE)
    assert sorted(rows) == sorted(ids)
    assert [ids[name] for name in rows] == sorted((ids[name] for name in rows), key=list(Severity).index)
    assert {name for name in ids if f"\n## {name}\n" in text} == set(ids)


def test_the_page_is_of_at_least_seven_releases(matrix: FaultMatrix) -> None:
    """From the oldest to the newest, each measured where it says, with faults in each."""
    assert len(matrix.releases) >= 7
    states = {(name, release) for name, rows in matrix.replays.items() for row in rows.values() for release in row}
    for release in matrix.releases:
        assert len([name for name, of in states if of == release]) > 60


def test_the_counts_are_those_of_the_table(matrix: FaultMatrix, declared: DeclaredProject) -> None:
    """The row `all` has the number of faults that each release has."""
    (row,) = re.findall(r"^\| \*\*all\*\* \| (.*) \|$", PAGE.read_text("utf-8"), re.MULTILINE)
    faults = declared.known_issues.faults
    assert [int(number) for number in row.split(" | ")] == [
        sum(matrix.fault_state(fault, release) is PlaceState.FAILS for fault in faults) for release in matrix.releases
    ]
