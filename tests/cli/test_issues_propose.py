"""`equivalence issues propose`: from a failing run to an entry that a person finishes, and to a green run."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from harness.golden import UNWRITTEN, load_known_issues
from harness.project import Project as DeclaredProject
from tests.plugin.project import KERNELS, LEVEL, SUITE, Project, needs_workers

RELU6 = SUITE.replace("nn.functional.relu", "nn.functional.relu6").replace("[float32]", "[float32, float64]")

RECORD = "failed.json"
"""The record of the run that failed."""


@pytest.fixture(scope="module")
def failing_project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project whose relu6 is wrong for wide channels-last images of several channels, and the record of its run."""
    project = Project(tmp_path_factory.mktemp("wrong"))
    project.suite(RELU6)
    project.write("kernels.py", KERNELS)
    project.write("golden/issues/s.yaml", "# what is known\nissues: {}\n")
    run = project.briefly("--eq-preload", "kernels.py", "--eq-examples", "20")
    assert run.code == 1, run.output
    (project.root / ".equivalence/record.json").rename(project.root / RECORD)  # later runs write their own
    return project


def propose(project: Project, *arguments: str) -> str:
    """What the command prints."""
    run = project.command("issues", "propose", *arguments)
    assert run.code == 0, run.output
    return run.output


@needs_workers
def test_from_a_failure_to_a_green_run(failing_project: Project) -> None:
    """An entry has both dtypes, the condition that neighbours tell and no reason; once that is written all passes."""
    project = failing_project
    options = ("--levels", LEVEL, "--preload", "kernels.py")
    output = propose(project, RECORD, *options)
    name = "relu-output-0-values"
    assert output == f"new: {name} (wrong-values, 1 place) in golden/issues/s.yaml: write its reason\n"
    path = project.root / "golden/issues/s.yaml"
    text = path.read_text()
    assert text.startswith("# what is known\nissues:\n  relu-output-0-values:\n    summary: ")
    assert "    severity: wrong-values\n    oracle: values\n" in text
    assert re.search(r"\n      - cases: \['?suites/x/s\.yaml::relu'?\]\n        dtypes: \[float32, float64\]\n", text)
    refused = project.briefly("--eq-preload", "kernels.py").refusal()
    assert "the reason is not written yet" in refused
    assert f"    reason: {UNWRITTEN}\n" in text
    path.write_text(text.replace(UNWRITTEN, "A preload file adds one to what relu6 returns."))
    (place,) = load_known_issues([path], DeclaredProject(project.root).levels).entries
    assert place.when.text.startswith("C > 1 and W > 2 and layout_input in ('channels_last', ")
    run = project.briefly("--eq-preload", "kernels.py", "--eq-examples", "20")
    assert run.code == 0, run.output
    assert project.record["items"]["suites/x/s.yaml::relu[float32]"]["status"] == "known issue"


@needs_workers
def test_a_failure_that_is_gone_is_not_proposed(failing_project: Project, tmp_path: Path) -> None:
    """Without the preload file the example passes: nothing is written, and the line says so."""
    project = Project(tmp_path)
    project.suite(RELU6)
    project.write("golden/issues/s.yaml", "issues: {}\n")
    project.write("record.json", (failing_project.root / RECORD).read_bytes())
    output = propose(project, "record.json", "--levels", LEVEL)
    assert re.search(r"^not proposed: relu\[float32\]: output\[0\] differs .*: its example does not fail", output)
    assert (tmp_path / "golden/issues/s.yaml").read_text() == "issues: {}\n"


@needs_workers
def test_a_record_of_another_build(failing_project: Project, tmp_path: Path) -> None:
    """The examples can be run again on the record's own build only, and the message says how to name it."""
    record: dict[str, Any] = json.loads((failing_project.root / RECORD).read_text())
    record["build"]["torch"] = "1.0.0"
    project = Project(tmp_path)
    project.suite(RELU6)
    project.write("golden/issues/s.yaml", "issues: {}\n")
    project.write("record.json", json.dumps(record))
    message = project.command("issues", "propose", "record.json", "--levels", LEVEL).refusal()
    assert message.startswith("the record is of PyTorch 1.0.0, and this is ")
    assert "--python names the interpreter" in message


def test_what_cannot_be_proposed(project: Project) -> None:
    """A record that is not there, and a machine that would write, are refused."""
    project.write("golden/issues/s.yaml", "issues: {}\n")
    assert "there is no record mine.json" in project.command("issues", "propose", "mine.json").refusal()
