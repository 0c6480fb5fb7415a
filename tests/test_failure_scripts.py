"""The scripts of failures: written beside the record, run, and offered only where they show the fault."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

import pytest

from harness.core import Finding
from harness.failure_scripts import DOES_NOT_SHOW, MOST_SCRIPTS, FailureScriptWriter, failure_subject, file_stem
from harness.reporting import FAULT_IS_HERE, failure_text, operator_item_record, write_script
from harness.script_runner import ScriptRunner
from harness.script_runs import FreshMemory, ScriptRun
from harness.settings import Settings, settings
from harness.trial import Failure, Outcome
from tests.reporting.test_script import AVX2, EXAMPLE, RELU

FAILURE = Failure(
    Finding("values", "output[0]", "layout", {"avx2": 3.0}, ("drawn",), "output[0] differs"),
    EXAMPLE,
    EXAMPLE,
    (),
    "again in a fresh worker",
)


Shows: TypeAlias = Callable[[str, FreshMemory], bool]
"""Whether a script of that text shows its fault in such memory."""


def always(script: str, memory: FreshMemory) -> bool:
    """Show every fault."""
    return bool(script and memory)


def never(script: str, memory: FreshMemory) -> bool:
    """Show none."""
    return not (script and memory)


@pytest.fixture
def run_settings(tmp_path: Path) -> Settings:
    """A run below a folder of its own."""
    return settings(tmp_path, {})


def script_writer(run_settings: Settings, shows: Shows = always, *, is_late: bool = False) -> FailureScriptWriter:
    """What writes its scripts, on a build in which they show what the function says."""

    def run(script: str, memory: FreshMemory) -> ScriptRun:
        return ScriptRun(int(shows(script, memory)), FAULT_IS_HERE)

    return FailureScriptWriter(run_settings, lambda: {"avx2": AVX2}, lambda: is_late, run)


def test_a_script_that_shows_the_fault_is_offered(run_settings: Settings) -> None:
    """It lies beside the record, is in the record, and the page names it."""
    (failure,) = script_writer(run_settings).add_scripts(RELU, "float32", [FAILURE])
    assert failure.script.file == ".equivalence/scripts/activation-relu-float32-1.py"
    assert (run_settings.root / failure.script.file).read_text("utf-8") == failure.script.text
    assert "MALLOC_PERTURB_" not in failure.script.text
    outcome = Outcome(RELU.id, "float32", failures=[failure])
    assert operator_item_record(outcome).failures[0].script == failure.script.text
    assert f"script: {failure.script.file} (no harness needed" in failure_text(outcome)


@pytest.mark.parametrize(
    "run", [ScriptRun(0, FAULT_IS_HERE), ScriptRun(1, "no fault here"), ScriptRun(-9, FAULT_IS_HERE), ScriptRun(2, "")]
)
def test_a_script_that_does_not_show_the_fault_is_not_offered(run_settings: Settings, run: ScriptRun) -> None:
    """Neither text nor file is left, and the page says why."""
    writer = FailureScriptWriter(run_settings, lambda: {"avx2": AVX2}, lambda: False, lambda script, memory: run)  # noqa: ARG005 - as it is called
    (failure,) = writer.add_scripts(RELU, "float32", [FAILURE])
    assert (failure.script.text, failure.script.file) == ("", "")
    assert failure.script.reason == DOES_NOT_SHOW
    assert not (run_settings.root / ".equivalence/scripts").exists()
    outcome = Outcome(RELU.id, "float32", failures=[failure])
    assert f"script: none: {DOES_NOT_SHOW}" in failure_text(outcome)
    assert operator_item_record(outcome).failures[0].no_script == DOES_NOT_SHOW


@pytest.mark.parametrize("hiding", [{FreshMemory.AS_IT_COMES}, {FreshMemory.ZERO}, set(FreshMemory)])
def test_memory_is_filled_where_the_fault_needs_it(run_settings: Settings, hiding: set[FreshMemory]) -> None:
    """A fault that is hidden by what fresh memory may hold has a script that fills it."""

    def shows(script: str, memory: FreshMemory) -> bool:
        return memory not in hiding or "MALLOC_PERTURB_" in script

    (failure,) = script_writer(run_settings, shows).add_scripts(RELU, "x", [FAILURE])
    assert 'MALLOC_PERTURB_="165"' in failure.script.text


@pytest.mark.parametrize("memory", FreshMemory)
def test_what_shows_in_one_kind_of_memory_alone_is_not_offered(run_settings: Settings, memory: FreshMemory) -> None:
    """A script whose fault is there by what happens to lie in memory, and which filling that does not help, is none."""

    def shows(script: str, where: FreshMemory) -> bool:
        return bool(script) and where is memory

    (failure,) = script_writer(run_settings, shows).add_scripts(RELU, "float32", [FAILURE])
    assert (failure.script.text, failure.script.reason) == ("", DOES_NOT_SHOW)


UNWRITTEN = """
import torch

def relu(keys, x):
    y = torch.empty_like(x)
    y[x > 0] = x[x > 0]  # nobody writes the zeros
    return y

library = torch.library.Library("aten", "IMPL")
library.impl("relu", relu, "CPU", with_keyset=True)
"""
"""A kernel that is right where fresh memory holds zeros."""


def test_a_fault_of_unwritten_memory_has_a_script_that_shows_it_on_every_machine(
    run_settings: Settings, tmp_path: Path
) -> None:
    """What a benign machine hides is shown by a script that fills memory, over what others have set for malloc."""
    kernels = tmp_path / "unwritten.py"
    kernels.write_text(UNWRITTEN, "utf-8")
    python = os.environ.get("EQUIVALENCE_PYTHON") or sys.executable
    case = replace(RELU, call="torch.relu", preserves=None)
    example = EXAMPLE.but(sizes={"N": 1, "C": 4, "H": 8, "W": 8})
    finding = replace(FAILURE.finding, kind="universal", layouts=("drawn", "contiguous"))
    unwritten = replace(FAILURE, example=example, finding=finding)
    plain = write_script(failure_subject(case, unwritten, {"avx2": AVX2}, (kernels,)), poison=False)
    with ScriptRunner(python) as runner:
        with_kernels = replace(run_settings, preload=(kernels,))
        writer = FailureScriptWriter(with_kernels, lambda: {"avx2": AVX2}, lambda: False, runner.run)
        (failure,) = writer.add_scripts(case, "float32", [unwritten])
        assert 'MALLOC_PERTURB_="165"' in failure.script.text, failure.script.reason
        assert all(runner.run(failure.script.text, memory).shows_fault for memory in FreshMemory)
        assert runner.run(plain, FreshMemory.FILLED).shows_fault
        assert runner.run(plain, FreshMemory.ZERO).code == 0


def test_a_preload_is_in_the_script_only_where_it_is_needed(run_settings: Settings, tmp_path: Path) -> None:
    """What PyTorch's own kernels show needs no file of one's own."""
    with_kernels = replace(run_settings, preload=(tmp_path / "mine.py",))
    (plain,) = script_writer(with_kernels).add_scripts(RELU, "float32", [FAILURE])
    assert "mine" not in plain.script.text

    def shows(script: str, memory: FreshMemory) -> bool:
        return bool(memory) and "import mine" in script

    (own,) = script_writer(with_kernels, shows).add_scripts(RELU, "float32", [FAILURE])
    assert f"sys.path[:0] = ['{tmp_path}']\n    import mine\n" in own.script.text


def test_an_earlier_run_leaves_no_script(run_settings: Settings) -> None:
    """Where the item passes now, the script of then is gone; another item's stays."""
    script_writer(run_settings).add_scripts(RELU, "float32", [FAILURE, FAILURE])
    script_writer(run_settings).add_scripts(RELU, "float64", [FAILURE])
    assert script_writer(run_settings).add_scripts(RELU, "float32", []) == []
    names = [path.name for path in (run_settings.root / ".equivalence/scripts").iterdir()]
    assert names == ["activation-relu-float64-1.py"]


def test_no_script_is_begun_when_time_is_up_or_there_are_many(run_settings: Settings) -> None:
    """The time budget counts, and a build in which everything fails does not get a script for each failure."""
    (late,) = script_writer(run_settings, is_late=True).add_scripts(RELU, "float32", [FAILURE])
    assert "time budget" in late.script.reason
    many = script_writer(run_settings).add_scripts(
        replace(RELU, requires=("x",)), "float32", [FAILURE] * (MOST_SCRIPTS + 1)
    )
    assert many[-2].script.reason == "it needs x"
    assert many[-1].script.reason == f"the first {MOST_SCRIPTS} failures of a process have one"


def test_a_folder_that_cannot_be_written_is_no_failure_of_the_run(run_settings: Settings) -> None:
    """The reason names the file and what the system says."""
    (run_settings.root / ".equivalence").mkdir()
    (run_settings.root / ".equivalence/scripts").write_text("a file", "utf-8")
    (failure,) = script_writer(run_settings).add_scripts(RELU, "float32", [FAILURE])
    assert "could not be written" in failure.script.reason


@pytest.mark.parametrize("name", ["../../etc/passwd", "a b\nc", "x" * 10_000, "$(reboot)", "-rf", "<script>"])
def test_names_of_files_are_harmless(name: str) -> None:
    """Whatever a case is called, its files have short plain names, and no two cases share one."""
    stem = file_stem(f"suites/operators/toy.yaml::{name}", "float32")
    assert (
        subprocess.run(["/bin/sh", "-c", f"echo {stem}"], capture_output=True, text=True, check=True).stdout
        == f"{stem}\n"
    )
    assert len(stem) < 120
    assert not set(stem) & set("/\n <>$()")
    assert stem != file_stem(f"suites/operators/toy.yaml::{name}_", "float32")
