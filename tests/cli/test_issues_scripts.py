"""Which script of a known issue is kept: one that shows it whatever is in fresh memory, the plainest first."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

import pytest

from harness.cli.issues import scripts
from harness.cli.issues.scripts import note_scripts
from harness.golden import MATRIX_FILE, FaultMatrix, load_fault_matrix
from harness.project import Project
from harness.reporting import FAULT_IS_HERE, fault_scripts
from harness.resources import SHIPPED
from harness.script_runner import LIMIT, ScriptRunner
from harness.script_runs import FreshMemory, ScriptRun

FAULT = "bfloat16-weight-gradient-unwritten-taps"
FILLS = "MALLOC_PERTURB_"


@pytest.fixture(scope="module")
def shipped() -> Project:
    """What this project declares."""
    return Project(SHIPPED)


@pytest.fixture(scope="module")
def plain(shipped: Project) -> str:
    """The first script of the fault, which fills no memory."""
    fault = shipped.known_issues.fault(FAULT)
    assert fault is not None
    return next(fault_scripts(fault, shipped.every_case(), shipped.levels, poison=False))


@pytest.fixture
def matrix() -> FaultMatrix:
    """What was measured, without a script."""
    matrix = load_fault_matrix(SHIPPED / MATRIX_FILE)
    matrix.scripts.clear()
    return matrix


class FakeRunner(ScriptRunner):
    """Says of scripts that they show their fault in memory of some kinds."""

    release = ""
    plain: Collection[FreshMemory] = ()
    filling: Collection[FreshMemory] = ()

    def run(
        self, script: str, memory: FreshMemory, *, arguments: Sequence[str] = (), limit: float = LIMIT
    ) -> ScriptRun:
        """How it ends."""
        del arguments, limit
        is_shown = memory in (self.filling if FILLS in script else self.plain)
        return ScriptRun(int(is_shown), FAULT_IS_HERE)


class NoteScripts(Protocol):
    """Notes the scripts of a build in which they show what is said here, and answers that for the fault."""

    def __call__(
        self, plain: Collection[FreshMemory], filling: Collection[FreshMemory], release: str = "2.15.0"
    ) -> bool:
        """Whether the fault has a script then."""


@pytest.fixture
def note(shipped: Project, matrix: FaultMatrix, monkeypatch: pytest.MonkeyPatch) -> NoteScripts:
    """Takes what memory may hold where scripts show their fault that do not fill it, and where those that do."""

    def note(plain: Collection[FreshMemory], filling: Collection[FreshMemory], release: str = "2.15.0") -> bool:
        monkeypatch.setattr(FakeRunner, "release", release)
        monkeypatch.setattr(FakeRunner, "plain", plain)
        monkeypatch.setattr(FakeRunner, "filling", filling)
        monkeypatch.setattr(scripts, "ScriptRunner", FakeRunner)
        return note_scripts(shipped, matrix, None)[FAULT]

    return note


def test_the_plain_script_is_kept_where_it_always_shows(note: NoteScripts, matrix: FaultMatrix, plain: str) -> None:
    """It does not fill memory, and needs no other environment."""
    assert note(plain=FreshMemory, filling=FreshMemory)
    assert matrix.shows(FAULT, plain)
    assert FILLS not in plain


@pytest.mark.parametrize("hiding", [FreshMemory.ZERO, FreshMemory.AS_IT_COMES])
def test_one_that_fills_memory_is_kept_where_the_fault_may_hide(
    note: NoteScripts, matrix: FaultMatrix, plain: str, hiding: FreshMemory
) -> None:
    """The plain one that was kept before is replaced."""
    assert note(plain=FreshMemory, filling=())
    assert note(plain=set(FreshMemory) - {hiding}, filling=FreshMemory)
    assert FAULT in matrix.scripts
    assert not matrix.shows(FAULT, plain)


def test_what_shows_by_what_was_left_in_memory_is_not_kept(note: NoteScripts, matrix: FaultMatrix) -> None:
    """Neither as a new script nor as one that was kept before."""
    assert not note(plain={FreshMemory.AS_IT_COMES}, filling={FreshMemory.AS_IT_COMES})
    assert note(plain=FreshMemory, filling=())
    assert not note(plain={FreshMemory.FILLED, FreshMemory.AS_IT_COMES}, filling=())
    assert FAULT not in matrix.scripts


def test_a_build_without_the_fault_proves_nothing(note: NoteScripts, matrix: FaultMatrix) -> None:
    """What its script finds there is something else, and what is missing there is no argument against it."""
    assert not note(plain=FreshMemory, filling=FreshMemory, release="0.0.1")
    assert note(plain=FreshMemory, filling=())
    assert note(plain={FreshMemory.FILLED}, filling=(), release="0.0.1")
    assert FAULT in matrix.scripts
