"""Runs over an operator that only a preload file has: without a reference nothing in it is green."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.plugin.project import LEVEL, Project, needs_workers

pytestmark = needs_workers

POOLS = """\
import torch


def pool(input):
    pooled = torch.nn.functional.avg_pool2d(input, 2)
    pooled = pooled.clone()
    pooled[:, -1] = 0  # the last channel is never written, in either format
    return pooled


def right_pool(input):
    return torch.nn.functional.avg_pool2d(input, 2) * 1


def mean(input):
    return torch.nn.functional.avg_pool2d(input, 2)
"""

SUITE = """\
suite: x
cases:
  pool:
    call: pools.pool
    sizes: {N: batch, C: channels, H: {spatial: 2}, W: {spatial: 2}}
    tensors: {input: {shape: [N, C, H, W], layout: channels_last}}
    numerics: {output: multilinear, terms: 4}
    dtypes: [float32]
"""

SENTENCE = (
    "pool is its own reference, so that no check counts: write reference: in the case, the dotted name of a function "
    "that computes the same from the same arguments with PyTorch's own operators; it may stand in the preload file"
)
OPTIONS = ("--eq-levels", LEVEL, "--eq-examples", "8", "--eq-profile", "quick", "--eq-preload", "pools.py")


@pytest.fixture
def pools(project: Project) -> Project:
    """A project whose preload file has a wrong average pool, a right one, and what they compute."""
    project.write("pools.py", POOLS)
    return project


def test_a_wrong_operator_without_a_reference_is_never_green(pools: Project) -> None:
    """Header, item, summary and record say that it is its own reference, and the item what to write."""
    pools.suite(SUITE)
    run = pools.pytest(*OPTIONS, "--eq-record", "own.json")
    assert run.code == 1, run.output
    assert f"untrusted: {SENTENCE}" in run.output
    assert f"\n{SENTENCE}\n" in run.output
    assert "nothing was checked: its own reference" in run.output
    assert " passed, " not in run.output.partition("checks (example x level): ")[2].splitlines()[0]
    (item,) = json.loads(Path(pools.root, "own.json").read_text())["items"].values()
    assert item["status"] == "untrusted"
    assert item["untrusted"]["its own reference"] == sum(item["examples"].values())


@pytest.mark.parametrize(("call", "code"), [("pools.pool", 1), ("pools.right_pool", 0)])
def test_with_a_reference_the_wrong_one_fails_and_the_right_one_passes(pools: Project, call: str, code: int) -> None:
    """A function of the preload file that is made of PyTorch's operators is the judge."""
    pools.suite(SUITE.replace("pools.pool", f"{call}\n    reference: pools.mean"))
    run = pools.pytest(*OPTIONS)
    assert run.code == code, run.output
    assert "its own reference" not in run.output
    assert ("pool in float32 (universal): output[0] differs from the float64 reference" in run.output) == (code == 1)


def test_check_says_it_before_a_run(pools: Project) -> None:
    """`equivalence check` finds no mistake, and names the case that would be its own judge."""
    pools.suite(SUITE)
    run = pools.command("check", "--levels", LEVEL, "--preload", "pools.py", "suites/x/s.yaml")
    assert run.code == 0, run.output
    assert run.output.splitlines() == ["1 case, no mistake", SENTENCE]
