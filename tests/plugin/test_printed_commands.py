"""Commands that a run prints: a shell takes them as they stand, and they do what they say."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from harness.cli import command_line
from harness.golden import update_command
from harness.reporting.release_changes import release_record
from tests.plugin.project import KERNELS, SUITE, Project, Run, needs_workers, run_environment
from tests.reporting.comparison.runs import failing_item

FOLDER = "suites/it's mine"
ITEM = f"{FOLDER}/s.yaml::relu6[float32]"


def run_in_shell(project: Project, command: str) -> Run:
    """Give a command to a shell that finds the programs of this environment."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**run_environment(), "PATH": path}
    done = subprocess.run(  # noqa: S602 - a shell is what the command is for
        command, shell=True, cwd=project.root, env=environment, capture_output=True, text=True, check=False
    )
    return Run(done.returncode, done.stdout + done.stderr)


@pytest.fixture
def odd_names(tmp_path: Path) -> Project:
    """A project whose folders and files have names that a shell would take apart."""
    project = Project(tmp_path / "a project")
    project.write(f"{FOLDER}/s.yaml", SUITE.replace("relu", "relu6"))
    project.write("my kernels.py", KERNELS)
    return project


@needs_workers
def test_what_a_failed_run_prints_runs_it_again(odd_names: Project) -> None:
    """The line of the failure replays it with the same kernels; that of a step's summary runs the whole item."""
    step = odd_names.root / "step.md"
    run = odd_names.briefly("--eq-preload=my kernels.py", "--eq-examples=16", GITHUB_STEP_SUMMARY=str(step))
    assert run.code == 1, run.output
    (replay,) = [line.removeprefix("replay: ") for line in run.output.splitlines() if line.startswith("replay: ")]
    again = run_in_shell(odd_names, replay)
    assert again.code == 1, again.output
    assert "FAILED" in again.output
    blocks = re.findall(r"^```sh\n(.*?)\n```$", step.read_text("utf-8"), re.MULTILINE)
    (item,) = [block for block in blocks if block.startswith("pytest ")]
    collected = run_in_shell(odd_names, f"{item} --collect-only -q")
    assert collected.code == 0, collected.output
    assert ITEM in collected.output.splitlines()
    for line in (replay, *(block for block in blocks if block.startswith("equivalence "))):
        assert run_in_shell(odd_names, f"printf '%s\\n' {line}").output.splitlines()[:2] == ["equivalence", "replay"]


def test_what_updates_golden_is_for_a_shell(odd_names: Project) -> None:
    """The path of the suite is one word of it."""
    command = update_command(f"{FOLDER}/s.yaml").replace("python ", f"{sys.executable} ", 1)
    collected = run_in_shell(odd_names, f"{command} --collect-only -q")
    assert collected.code == 0, collected.output


def test_what_accepts_a_change_of_a_release_is_for_a_shell() -> None:
    """The path of the record is one word of it, and the command takes it."""
    file = "my records/it's.json"
    (change,) = release_record("2.99", ["2.15"], [failing_item()], file).changes
    program, *words = shlex.split(change.accept)
    assert program == "equivalence"
    assert command_line().parse_args(words).record_file == Path(file)


def test_a_path_in_one_word_leads_into_no_other_project(project: Project) -> None:
    """An ini file is looked for where a word leads that it does not know yet to belong to an option."""
    project.write("pytorch/pytest.ini", "[pytest]\naddopts = --no-such-option\n")
    kernels = project.write("pytorch/kernels.py", KERNELS)
    assert project.pytest("--collect-only", f"--eq-preload={kernels}").code == 0
    two_words = project.pytest("--collect-only", "--eq-preload", str(kernels))
    assert f"inifile: {project.root / 'pytorch/pytest.ini'}" in two_words.output
