"""`equivalence bisect`: the first bad build by binary search, and what is said where there is none."""

from __future__ import annotations

import contextlib
import os
import sys

import pytest

from harness.cli import main
from harness.cli.bisect import BuildState, TriedBuild, bisect
from tests.plugin.project import KERNELS, LEVEL, Project, needs_workers

STATES = {"g": BuildState.GOOD, "b": BuildState.BAD, "s": BuildState.SKIPPED}
KEY = ("values", "output[0]")


def search(states: str, *, every: bool = False) -> tuple[str, str]:
    """The conclusion over builds 0, 1, ... of these states, and the builds in the order in which they were tried."""
    order: list[str] = []

    def attempt(python: str, keys: frozenset[tuple[str, str]]) -> TriedBuild:
        """The state that the build is said to have; after the last it is known what is looked for."""
        last = str(len(states) - 1)
        assert keys == (frozenset() if not order or states[-1] != "b" else {KEY})
        assert order or python == last
        order.append(python)
        state = STATES[states[int(python)]]
        return TriedBuild(
            python, f"2.{python}", state, "", frozenset({KEY}) if state is BuildState.BAD else frozenset()
        )

    bisection = bisect([str(number) for number in range(len(states))], attempt, every=every)
    assert bisection.is_named == bisection.conclusion.startswith("first bad")
    return bisection.conclusion, "".join(order)


@pytest.mark.parametrize(
    ("states", "conclusion"),
    [
        ("gb", "first bad: 2.1 (1); last good: 2.0."),
        ("ggggb", "first bad: 2.4 (4); last good: 2.3."),
        ("gbbbb", "first bad: 2.1 (1); last good: 2.0."),
        ("ggbbb", "first bad: 2.2 (2); last good: 2.1."),
        ("gssbb", "first bad: 2.3 (3), or one of the 2 before it that say nothing; last good: 2.0."),
        ("ssbb", "no build before it runs the example: 2.2 (2)"),
        ("bbbb", "the first build fails already: 2.0 (0)"),
        ("gggg", "the last build, 2.3, passes: there is no first bad one to look for"),
        (
            "bbgg",
            (
                "the last build, 2.3, passes: there is no first bad one to look for; "
                "2.0, the first, fails: it is gone since"
            ),
        ),
    ],
)
def test_what_is_said_of_builds(states: str, conclusion: str) -> None:
    """The first bad build is named with the last good one, and where there is none it is said why."""
    assert search(states)[0] == conclusion


def test_few_builds_are_tried() -> None:
    """The last, the first, and then half of what is left each time; no build twice."""
    for first_bad in range(1, 64):
        conclusion, order = search("g" * first_bad + "b" * (64 - first_bad))
        assert conclusion.startswith(f"first bad: 2.{first_bad} ")
        assert len(order) <= 2 * 8


def test_a_failure_that_comes_and_goes_over_the_builds_is_noticed() -> None:
    """With all builds tried, an earlier bad one before a good one is said; the named one is where it came last."""
    conclusion, order = search("gbgbb", every=True)
    assert (
        conclusion == "first bad: 2.3 (3); last good: 2.2. It is not bad from one build on: an earlier one fails too."
    )
    assert sorted(order) == list("01234")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["{}", "--python", "a"], "bisect: give two builds at least, the oldest first: --python P1 --python P2"),
        (
            ["nowhere.json", "--python", "a", "--python", "b"],
            "bisect: nowhere.json:1:1: cannot be read: there is no such file",
        ),
        (["{}", "--python", "a", "--python", "b"], "bisect: an example needs 'case'"),
    ],
)
def test_wrong_input(arguments: list[str], message: str, project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    """One message that names the command, and exit code 4."""
    with contextlib.chdir(project.root):
        assert main(["bisect", *arguments]) == 4
    assert message in capsys.readouterr().err


@needs_workers
def test_builds_are_tried_for_real(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    """The same build under two names with a wrong kernel: it fails in the first already, and each has its line."""
    python = os.environ.get("EQUIVALENCE_PYTHON") or sys.executable
    twin = project.root / "python"
    twin.write_text(f'#!/bin/sh\nexec {python} "$@"\n', "utf-8")
    twin.chmod(0o755)
    project.write("suites/x/s.yaml", (project.root / "suites/x/s.yaml").read_text("utf-8").replace("relu", "relu6"))
    kernels = project.write("kernels.py", KERNELS)
    example = (
        '{"case": "suites/x/s.yaml::relu6", "dtype": "float32", "sizes": {"N": 1, "C": 2, "H": 1, "W": 3}, '
        '"layouts": {"input": "channels_last", "grad_output": "contiguous"}}'
    )
    options = ["--levels", LEVEL, "--preload", str(kernels), "--python", python, "--python", str(twin)]
    with contextlib.chdir(project.root):
        assert main(["bisect", example, *options]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[:2]] == ["bad", "bad"]
    assert "output[0] differs from the float64 reference" in lines[0]
    assert lines[2].startswith("the first build fails already: ")
