"""Tiny examples."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.core import Case
from harness.generation import gradcheck_examples, shapes
from harness.suites import load_suite

ROOT = Path(__file__).resolve().parents[2]
POOLING = ROOT / "suites" / "operators" / "pooling.yaml"


def pool(name: str) -> Case:
    """A case of the pooling suite."""
    return {case.name: case for case in load_suite(POOLING, ROOT).cases}[name]


@pytest.mark.parametrize("name", ["max_pool2d", "avg_pool3d", "adaptive_avg_pool2d"])
def test_two_of_them_differ_in_their_options(name: str) -> None:
    """One has the simplest options, the other the next ones; both are small, and no dimension of either is 1."""
    case = pool(name)
    first, second = gradcheck_examples(case, "float64")
    assert first.sizes != second.sizes
    for example in (first, second):
        shape = shapes(case, example)["input"]
        assert all(2 <= size <= 5 for size in shape)
        assert example.layouts == {"input": "channels_last", "grad_output": "channels_last"}
        assert (example.fill, example.threads, example.inplace) == ("reals", 1, False)
