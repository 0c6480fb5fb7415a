"""The matrix of faults and builds: what is kept of which place, and what a release comes to."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from harness.core import KnownFault, KnownIssue, PlaceReplay, PlaceState
from harness.golden import FaultMatrix, MeasuredBuildSchema, load_fault_matrix
from harness.suites import DeclarationError
from tests.golden.test_issues_file import TEXT, load_text

BUILD = MeasuredBuildSchema(torch="2.4.0+cpu", onednn="3.4.2", cpu="a toy", levels=("low",), date="2026-01-31")


@pytest.fixture
def fault(tmp_path: Path) -> KnownFault:
    """A fault of one place."""
    return load_text(tmp_path, TEXT).faults[0]


def place_of(fault: KnownFault) -> KnownIssue:
    """Its one place."""
    (place,) = fault.places
    return place


def measured_matrix(fault: KnownFault) -> FaultMatrix:
    """The fault is there in 2.10.0, and was not in 2.4.0."""
    matrix = FaultMatrix({"2.10.0": BUILD, "2.4.0": BUILD})
    matrix.note(place_of(fault), "2.10.0", PlaceReplay(PlaceState.FAILS))
    matrix.note(place_of(fault), "2.4.0", PlaceReplay(PlaceState.DOES_NOT_FAIL, "it passes"))
    matrix.note_script(fault.id, "print()", "2.10.0")
    return matrix


def test_what_is_written_is_read_again(fault: KnownFault, tmp_path: Path) -> None:
    """Builds, replays and scripts survive the file, which is JSON with a line for each place and release."""
    matrix = measured_matrix(fault)
    path = tmp_path / "matrix.json"
    path.write_text(matrix.to_json(), "utf-8")
    assert load_fault_matrix(path) == matrix
    assert json.loads(matrix.to_json())["builds"]["2.4.0"]["onednn"] == "3.4.2"
    assert '        "2.4.0": {"state": "does not fail", "detail": "it passes"},' in matrix.to_json().splitlines()


def test_no_file_is_an_empty_matrix(tmp_path: Path) -> None:
    """A project in which nothing was measured has a matrix without releases."""
    assert load_fault_matrix(tmp_path / "matrix.json").releases == ()


def test_a_state_that_does_not_exist_is_a_mistake(tmp_path: Path) -> None:
    """What no reader knows is refused with its place."""
    path = tmp_path / "matrix.json"
    path.write_text('{"faults": {"wide": {"here": {"2.4.0": {"state": "maybe"}}}}}')
    with pytest.raises(DeclarationError, match="state"):
        load_fault_matrix(path)


def test_releases_are_in_order_of_their_numbers(fault: KnownFault) -> None:
    """2.10 comes after 2.4."""
    assert measured_matrix(fault).releases == ("2.4.0", "2.10.0")


def test_a_place_with_another_reproducer_has_not_been_measured(fault: KnownFault) -> None:
    """What was measured goes with the reproducer, and stays when the place moves within the entry."""
    matrix, place = measured_matrix(fault), place_of(fault)
    assert matrix.replay(replace(place, place=3, line=9), "2.10.0") == PlaceReplay(PlaceState.FAILS)
    assert matrix.replay(replace(place, reproducer=place.reproducer.but(seed=1)), "2.10.0") is None


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ([PlaceState.DOES_NOT_FAIL, PlaceState.FAILS], PlaceState.FAILS),
        ([PlaceState.NOT_AVAILABLE, PlaceState.DOES_NOT_FAIL], PlaceState.DOES_NOT_FAIL),
        ([PlaceState.NOT_CHECKED, PlaceState.NOT_AVAILABLE], PlaceState.NOT_AVAILABLE),
        ([PlaceState.NOT_CHECKED, PlaceState.NOT_CHECKED], PlaceState.NOT_CHECKED),
        ([], None),
    ],
)
def test_a_fault_is_there_where_one_place_fails(
    fault: KnownFault, states: list[PlaceState], expected: PlaceState | None
) -> None:
    """Else it is not there where a place could be run; a place that was not measured says nothing."""
    place = place_of(fault)
    places = tuple(replace(place, reproducer=place.reproducer.but(seed=seed)) for seed in range(len(states)))
    matrix = FaultMatrix({"2.4.0": BUILD})
    for each, state in zip(places, states, strict=True):
        matrix.note(each, "2.4.0", PlaceReplay(state))
    assert matrix.fault_state(replace(fault, places=places), "2.4.0") is expected


def test_what_is_no_longer_known_is_forgotten(fault: KnownFault) -> None:
    """Faults and places that the entries do not have any more leave the matrix, and their scripts too."""
    matrix = measured_matrix(fault)
    matrix.forget_others([fault])
    assert matrix == measured_matrix(fault)
    matrix.forget_others([])
    assert (matrix.replays, matrix.scripts) == ({}, {})


def test_only_the_very_script_that_was_run_has_shown_the_fault(fault: KnownFault) -> None:
    """A script that would be written otherwise today has not been run."""
    matrix = measured_matrix(fault)
    assert matrix.shows(fault.id, "print()")
    assert not matrix.shows(fault.id, "print(1)")
    assert not matrix.shows(fault.id, None)
