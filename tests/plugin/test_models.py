"""Files of models in a run of pytest: beside operators, in the tiers of a profile, and without what they require."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.plugin.project import LEVEL, SUITE, Project, needs_workers

MODELS = """\
suite: nets
defaults:
  inputs: {x: {shape: [2, 3, 8, 8]}}
  arguments: {channels: 3, width: 4, depth: 1}
  steps: [eval]
models:
  absent: {factory: no_such_package.models.net, requires: [no_such_package]}
  unfit: {factory: wrong_build.models.net, requires: [wrong_build]}
  small: {factory: nhwc_equivalence.worker.callables.blocks.residual, profile: quick}
  larger: {factory: nhwc_equivalence.worker.callables.blocks.conv_bn_relu}
  largest: {factory: nhwc_equivalence.worker.callables.blocks.aspp, profile: nightly}
"""
LIBRARY = (
    SUITE.partition("cases:\n")[2]
    .replace("relu:", "boxes:")
    .replace("torch.nn.functional.relu", "wrong_build.ops.boxes")
)
WRONG_BUILD = 'raise RuntimeError("operator wrong_build::nms does not exist")\n'


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """One case of an operator and one of a library, and models, of which the library and two cannot be had."""
    project = Project(tmp_path_factory.mktemp("nets"))
    project.suite(f"{SUITE}{LIBRARY}    requires: [wrong_build]\n")
    project.write("suites/models/m.yaml", MODELS)
    project.write("wrong_build/__init__.py", WRONG_BUILD)
    return project


@needs_workers
def test_what_is_not_installed_is_not_available_and_no_failure(project: Project) -> None:
    """All else runs, and the record and the summary say what is missing and how to get it."""
    run = project.pytest("--eq-levels", LEVEL)
    assert run.code == 0, run.output
    assert "3 passed, 3 skipped" in run.output
    assert "no_such_package is not installed beside PyTorch" in run.output
    assert "`pip install no_such_package` gets it" in run.output
    assert "the installed wrong_build does not match PyTorch" in run.output
    items = project.record["items"]
    statuses = {name.rpartition("::")[2].partition("[")[0]: item["status"] for name, item in items.items()}
    missing = {"absent": "not available", "unfit": "not available", "boxes": "not run"}
    assert statuses == {"relu": "passed", "small": "passed", "larger": "passed", **missing}


@pytest.mark.parametrize(
    ("options", "names"),
    [
        (("--eq-examples", "6"), {"small"}),
        ((), {"absent", "unfit", "small", "larger"}),
        (("--eq-profile", "quick"), {"small"}),
        (("--eq-profile", "nightly", "--eq-examples", "6"), {"absent", "unfit", "small", "larger", "largest"}),
    ],
)
def test_a_profile_runs_models_up_to_its_tier(project: Project, options: tuple[str, ...], names: set[str]) -> None:
    """A short gate runs the quick models only, and the nightly profile all of them."""
    collected = project.pytest("--collect-only", "-q", *options).output.splitlines()
    assert {line.rpartition("::")[2].partition("[")[0] for line in collected if "m.yaml::" in line} == names


def test_mistakes_in_files_of_models_come_together(tmp_path: Path) -> None:
    """Every mistake is reported with its place, as in files of cases, with exit code 4."""
    project = Project(tmp_path)
    project.write(
        "suites/models/m.yaml", MODELS.replace("steps: [eval]", "steps: [evaluation]").replace("profile", "x")
    )
    message = project.pytest("--eq-levels", LEVEL).refusal()
    assert "suites/models/m.yaml:5:11: " in message
    assert "suites/models/m.yaml:9:" in message


NETS = """\
import torch
from torch import nn

def broken():
    raise ValueError("no weights today")

class Wordy(nn.Module):
    def forward(self, x):
        return {"image": x, "label": "cat"}

def dropping():
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.Dropout(0.5))
"""
UNJUDGED = """\
suite: nets
defaults: {inputs: {x: {shape: [2, 3, 8, 8]}}, profile: quick}
models:
  broken: {factory: nets.broken, steps: [eval]}
  Wordy: {factory: nets.Wordy, steps: [eval]}
  dropping: {factory: nets.dropping, steps: [train]}
"""


@needs_workers
def test_each_model_that_cannot_be_judged_fails_with_one_sentence(tmp_path: Path) -> None:
    """A factory that raises, an output that is no tensor and a dropout that is on fail without a traceback."""
    project = Project(tmp_path)
    project.suite()
    project.write("nets.py", NETS)
    project.write("suites/models/m.yaml", UNJUDGED)
    run = project.briefly()
    assert run.code == 1, run.output
    assert "3 failed, 1 passed" in run.output
    assert "Traceback" not in run.output
    for sentence in (
        "broken in eval-eager-float32: nets.broken raised ValueError: no weights today\n",
        "Wordy in eval-eager-float32: output['label'] is a str; a model returns tensors, in tuples, lists, dicts or ",
        "dropping in train-eager-float32: two runs with the same input differ (output[0], ",
    ):
        assert sentence in run.output
    assert "1 is a Dropout that is on; switch it off, or freeze its class: frozen: [Dropout]" in run.output


@needs_workers
def test_a_factory_that_cannot_be_had_is_a_mistake_at_its_line(tmp_path: Path) -> None:
    """A module that does not import and a name that it lacks are reported together, before anything runs."""
    project = Project(tmp_path)
    project.suite()
    project.write("nets.py", NETS)
    project.write("ruined.py", "import no_such_thing\n")
    text = UNJUDGED.replace("nets.Wordy", "ruined.Net").replace("nets.broken", "nets.brokn")
    project.write("suites/models/m.yaml", text)
    message = project.briefly().refusal()
    assert "suites/models/m.yaml:4:3: broken: nets has no 'brokn'; did you mean nets.broken?" in message
    assert "suites/models/m.yaml:5:3: Wordy: ruined cannot be imported: " in message
    assert "no_such_thing" in message
