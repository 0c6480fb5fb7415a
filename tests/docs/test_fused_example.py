"""The fused operator of CONTRIBUTING, built and run: the right kernel passes, and each of eight mistakes is found."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import ANY

import pytest

from tests.plugin.project import LEVEL, Project, Run, needs_workers

ROOT = Path(__file__).resolve().parents[2]
FILES = ROOT / "docs" / "tutorial" / "fused"
OPTIONS = ("fused.yaml", "-p", "no:cacheprovider", "--eq-levels", LEVEL, "--eq-preload", "fused.py")

MISTAKES = {
    "channel_tail": [("values", "output[0]", "layout")],
    "last_window": [("values", "output[0]", "universal")],
    "right_border": [("values", "output[0]", "universal")],
    "grad_format": [("values", "grad:input", "layout")],
    "narrow_sum": [("values", "output[0]", "universal")],
    "no_images": [("values", "grad:weight", "universal"), ("values", "grad:bias", "universal")],
    "lost_format": [("strides", "output[0]", "layout")],
    "shared_sums": [("values", "grad:weight", ANY)],
}
"""Findings that each mistake must have among its own: oracle, tensor, and over what it differs.

A race of two threads differs now in both formats and now in one: which of them the smallest example shows is chance.
"""

pytestmark = [
    needs_workers,
    pytest.mark.skipif(shutil.which("g++") is None or shutil.which("ninja") is None, reason="needs g++ and ninja"),
]


@pytest.fixture(scope="module")
def fused(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A project with the example's files, and a directory of its own for what is compiled."""
    project = Project(tmp_path_factory.mktemp("fused"))
    for file in FILES.iterdir():
        if file.is_file():
            project.write(file.name, file.read_text("utf-8"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TORCH_EXTENSIONS_DIR", str(tmp_path_factory.mktemp("extensions")))
        yield project


@pytest.fixture(scope="module")
def wrong(fused: Project) -> tuple[Run, dict[str, Any]]:
    """One run over all of the suite in bfloat16, where every mistake shows, and the items of its record."""
    run = fused.run("pytest", *OPTIONS, "-k", "bfloat16", "--eq-examples", "16", "--eq-record", "wrong.json")
    items = json.loads((fused.root / "wrong.json").read_text())["items"]
    return run, {name.removeprefix("fused.yaml::depthwise_").partition("[")[0]: item for name, item in items.items()}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_each_mistake_is_found(wrong: tuple[Run, dict[str, Any]], mistake: str) -> None:
    """Its item fails, in the tensor and for the property that are wrong."""
    run, items = wrong
    assert items[mistake]["status"] == "failed", run.output
    findings = [failure["finding"] for failure in items[mistake]["failures"]]
    shown = [(each["oracle"], each["tensor"], each["kind"]) for each in findings]
    assert [finding for finding in MISTAKES[mistake] if finding not in shown] == []


def test_nothing_else_fails(wrong: tuple[Run, dict[str, Any]]) -> None:
    """The right kernel passes beside them, and the suite has no case but these."""
    run, items = wrong
    assert run.code == 1
    assert {name for name, item in items.items() if item["status"] == "failed"} == set(MISTAKES)
    assert items["right"]["status"] == "passed"
    assert set(items) == {*MISTAKES, "right"}


def test_mistakes_have_the_smallest_example_that_shows_them(wrong: tuple[Run, dict[str, Any]]) -> None:
    """No image for what is unwritten without one; two threads and two rows for a race; one channel past a block."""
    _run, items = wrong
    smallest = {name: items[name]["failures"][0]["example"] for name in MISTAKES}
    assert smallest["no_images"]["sizes"]["N"] == 0
    assert smallest["shared_sums"]["threads"] == 2
    assert smallest["shared_sums"]["sizes"]["N"] * smallest["shared_sums"]["sizes"]["H"] == 2
    assert smallest["channel_tail"]["sizes"] == {"N": 1, "C": 9, "H": 1, "W": 1}
    assert smallest["channel_tail"]["layouts"]["input"] == "channels_last"


def test_the_right_kernel_passes_in_every_dtype(fused: Project) -> None:
    """Its gradients and its double backward too."""
    run = fused.run("pytest", *OPTIONS, "-k", "right[", "--eq-examples", "40")
    assert run.code == 0, run.output
    assert "4 passed" in run.output
    assert "double backward in float64: 1 agrees" in run.output


def test_contributing_shows_the_files() -> None:
    """The suite and what the kernel should compute stand there as they stand in the files."""
    page = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    assert (FILES / "fused.yaml").read_text("utf-8") in page
    preload = (FILES / "fused.py").read_text("utf-8")
    composition = preload[preload.index("def composition") : preload.index("def _keep")].rstrip()
    assert composition in page
    for mistake in MISTAKES:
        assert f"`{mistake}`" in page
        assert f'"{mistake}"' in (FILES / "depthwise.cpp").read_text("utf-8")
