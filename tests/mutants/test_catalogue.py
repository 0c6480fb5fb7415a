"""The catalogue of mutants: each is alive and belongs to an item."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TypedDict

import pytest

from harness.errors import UserError
from harness.mutants import FaultClass, load_catalogue, open_planting
from harness.resources import SHIPPED
from harness.suites import load_suite

CATALOGUE = load_catalogue()
PYTHON = os.environ.get("EQUIVALENCE_PYTHON") or sys.executable
CAPABILITIES = ("avx2", None)
"""ATEN_CPU_CAPABILITY of the processes in which the calls are made: a mutant of one level shows at that one."""

SUITES = sorted((SHIPPED / "suites" / "operators").glob("*.yaml"))

each = pytest.mark.parametrize("name", CATALOGUE)


class Answers(TypedDict):
    """What each mutant changes of the call that shows it, in a process of this capability."""

    capability: str
    differences: dict[str, str]


def answers(capability: str | None) -> Answers:
    """The answers of a process that is capped at this capability, or not at all."""
    environment = {**os.environ, "MALLOC_PERTURB_": "85", "GLIBC_TUNABLES": "glibc.malloc.tcache_count=0"}
    if capability is not None:
        environment["ATEN_CPU_CAPABILITY"] = capability
    script = Path(__file__).with_name("alive.py")
    with open_planting(CATALOGUE) as planted:
        command = [PYTHON, str(script), str(planted.preload.parent)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    reply: Answers = json.loads(done.stdout.splitlines()[-1])
    return reply


@pytest.fixture(scope="module")
def processes() -> list[Answers]:
    """The answers of each of the processes."""
    return [answers(capability) for capability in CAPABILITIES]


@each
def test_a_mutant_changes_the_call_that_shows_it(name: str, processes: list[Answers]) -> None:
    """A mutant that bites nowhere would count as missed, and one that changes nothing says nothing about the gate."""
    needed = CATALOGUE[name].capability
    if needed and needed not in [process["capability"] for process in processes]:
        pytest.skip(f"this CPU has no {needed}")
    assert any(process["differences"][name] for process in processes)


@each
def test_a_mutant_has_an_item_that_runs_it(name: str) -> None:
    """The cases and dtypes are those of the suite of its family."""
    mutant = CATALOGUE[name]
    cases = {
        case.name: case for case in load_suite(SHIPPED / "suites/operators" / f"{mutant.family}.yaml", SHIPPED).cases
    }
    for item in mutant.items:
        case, _, dtype = item.removesuffix("]").partition("[")
        assert dtype in (*cases[case].dtypes, *cases[case].unsupported)


def test_every_class_and_family_has_a_mutant() -> None:
    """Nobody can say that a fault is found of which the catalogue has no example; there are 150 at least."""
    assert {mutant.fault_class for mutant in CATALOGUE.values()} == set(FaultClass)
    assert {mutant.family for mutant in CATALOGUE.values()} == {path.stem for path in SUITES}
    assert len(CATALOGUE) >= 150


def test_an_unknown_class_is_a_mistake(tmp_path: Path) -> None:
    """It names the classes that there are."""
    entry = "{class: tails, operator: relu, items: ['relu[float32]'], shows: '0'}"
    (tmp_path / "activation.yaml").write_text(f"mutants:\n  wrong: {entry}\n", "utf-8")
    with pytest.raises(UserError, match="there is no class 'tails'; there are tail, border"):
        load_catalogue(tmp_path)


def test_a_name_belongs_to_one_mutant(tmp_path: Path) -> None:
    """Two files cannot have the same, for workers are told which is planted by its name."""
    entry = "{class: tail, operator: relu, items: ['relu[float32]'], shows: '0'}"
    for family in ("activation", "unary"):
        (tmp_path / f"{family}.yaml").write_text(f"mutants:\n  twice: {entry}\n", "utf-8")
    with pytest.raises(UserError, match="twice is a mutant of activation already"):
        load_catalogue(tmp_path)
