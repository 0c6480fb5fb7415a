"""docs/drafts: what the command writes now, in short scripts that show their faults outside the harness."""

from __future__ import annotations

import ast
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.version import Version

from harness.core import Severity
from harness.golden import MATRIX_FILE, load_fault_matrix
from harness.project import Project
from harness.reporting import MOST_LINES, fault_draft
from harness.script_runner import ScriptRunner
from harness.script_runs import FreshMemory

ROOT = Path(__file__).resolve().parents[2]
DRAFTS = ROOT / "docs" / "drafts"
NAMES = sorted(path.stem for path in DRAFTS.glob("*.py"))


@pytest.fixture(scope="module")
def declared() -> Project:
    """What this project declares."""
    return Project(ROOT)


@pytest.fixture(scope="module")
def runner() -> Iterator[ScriptRunner]:
    """What runs scripts on the build under test."""
    with ScriptRunner(os.environ.get("EQUIVALENCE_PYTHON") or sys.executable) as runner:
        yield runner


def test_there_are_ten_that_nobody_has_reported(declared: Project) -> None:
    """They are of the worst kinds, of which there is no thread, and the page names each."""
    faults = {fault.id: fault for fault in declared.known_issues.faults}
    page = (DRAFTS / "README.md").read_text("utf-8")
    worst = (Severity.CRASH, Severity.MEMORY, Severity.WRONG_VALUES, Severity.WRONG_GRADIENT)
    assert len(NAMES) == 10
    for name in NAMES:
        assert faults[name].severity in worst
        assert faults[name].link == "no thread found"
        assert f"[{name}]({name}.md)" in page


@pytest.mark.parametrize("name", NAMES)
def test_a_draft_is_what_the_command_writes(name: str, declared: Project) -> None:
    """After a change: `equivalence issues draft FAULT... --write docs/drafts`."""
    fault = declared.known_issues.fault(name)
    assert fault is not None
    draft = fault_draft(fault, load_fault_matrix(ROOT / MATRIX_FILE), declared.every_case(), declared.levels)
    assert (DRAFTS / f"{name}.md").read_text("utf-8") == draft.text()
    assert (DRAFTS / f"{name}.py").read_text("utf-8") == draft.script


@pytest.mark.parametrize("name", NAMES)
def test_a_script_is_short_and_needs_torch_alone(name: str) -> None:
    """A stranger can read it and run it."""
    text = (DRAFTS / f"{name}.py").read_text("utf-8")
    imports = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Import)]
    assert {alias.name for node in imports for alias in node.names} <= {"os", "sys", "signal", "torch"}
    assert len(text.splitlines()) <= MOST_LINES


@pytest.mark.parametrize("memory", FreshMemory)
def test_each_script_shows_its_fault(memory: FreshMemory, runner: ScriptRunner) -> None:
    """Outside the harness, on the newest release that was measured, all exit with 1, whatever is in fresh memory."""
    scripts = {name: (DRAFTS / f"{name}.py").read_text("utf-8") for name in NAMES}
    newest = load_fault_matrix(ROOT / MATRIX_FILE).releases[-1]
    if Version(runner.release) != Version(newest):
        pytest.skip(f"this is PyTorch {runner.release}; they are of {newest}")
    flags = Path("/proc/cpuinfo").read_text("utf-8") if Path("/proc/cpuinfo").exists() else ""
    if "avx512_bf16" not in flags:
        pytest.skip("some are of levels that this CPU has not")
    assert [name for name, text in scripts.items() if not runner.run(text, memory).shows_fault] == []
