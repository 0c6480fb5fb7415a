"""`equivalence speed`: ratios of operators and networks in both formats, and one message for wrong input."""

from __future__ import annotations

import json

import pytest

from tests.plugin.project import LEVEL, Project, needs_workers

NETS = """\
from torch import nn

def small():
    return nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU())

def broken():
    return nn.Conv2d(5, 8, 3)
"""


@needs_workers
def test_operators_and_networks_are_measured_in_both_formats(project: Project) -> None:
    """At the level that was asked for, forward and backward; what raises is a line, and the exit code is 0.

    What is measured is said while it is.
    """
    project.write("nets.py", NETS)
    options = ["--levels", LEVEL, "--seconds", "0.05", "--threads", "1", "--train", "--json", "speed.json"]
    models = ["--models", "nets:small,nets:broken", "--input", "2,3,8,8"]
    sizes = ["--sizes", '{"N": 1, "C": 4, "H": 8, "W": 8}']
    run = project.command("speed", "pooling::max_pool2d", *models, *sizes, *options)
    assert run.code == 0, run.output
    document = json.loads((project.root / "speed.json").read_text("utf-8"))
    rows = {(row["name"], row["step"]): row for row in document["rows"]}
    for name in ("pooling::max_pool2d", "nets:small"):
        for step in ("eval", "train"):
            times = rows[name, step]["times"]
            assert rows[name, step]["level"] == LEVEL
            assert times["threads"] == 1
            assert times["rounds"] >= 3
            assert min(times["nchw"]["median"], times["nhwc"]["median"], times["gain"]["median"]) > 0
    broken = rows["nets:broken", "eval"]
    assert broken["times"] is None
    assert broken["problem"].startswith("it raised RuntimeError: ")
    assert f"\n{LEVEL} " in run.output
    assert "not measured: it raised RuntimeError" in run.output
    assert f"pooling::max_pool2d, train, float32: measured in both formats at {LEVEL}\n" in run.output
    assert f"nets:small, eval-eager-float32: measured in both formats at {LEVEL} for 0.05 s or more\n" in run.output


@needs_workers
@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["pooling::max_pol2d"], "there is no case 'pooling::max_pol2d'"),
        (["max_pool2d", "--threads", "0"], "--threads: 0 is less than 1"),
        (["max_pool2d", "--seconds", "0"], "--seconds: 0 is not more than 0"),
        (["max_pool2d", "--in-process"], "measures in processes of their own"),
        (["--models", "resnet18", "--input", "large"], "--input: 'large' is not a shape"),
        (["max_pool2d", "--sizes", "[1]"], "--sizes: '[1]' is not a JSON object"),
    ],
)
def test_wrong_input_is_one_message(project: Project, arguments: list[str], expected: str) -> None:
    """And exit code 4."""
    assert expected in project.command("speed", *arguments).refusal()
