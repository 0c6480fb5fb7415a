"""Where pytest is started: what a person types is relative to that folder, whatever pytest makes its root."""

from __future__ import annotations

import pytest

from harness.resources import SHIPPED
from tests.plugin.project import KERNELS, Project, Run

LIST = ("--collect-only", "-q", "-p", "no:cacheprovider")


@pytest.fixture
def below(project: Project) -> Project:
    """A folder of the project with a kernel library; pytest's root is the project, whose ini file it finds."""
    project.write("pytest.ini", "[pytest]\n")
    below = Project(project.root / "below")
    below.write("kernels.py", KERNELS)
    return below


def collect(below: Project, *options: str) -> Run:
    """List the items of the project's suite from the folder below it."""
    return below.run("pytest", "../suites", *LIST, *options)


def test_a_preload_file_is_looked_for_where_a_person_stands(below: Project) -> None:
    """It is that of the folder below, and one that only pytest's root has is not there."""
    run = collect(below, "--eq-preload", "kernels.py")
    assert run.code == 0, run.output
    assert "suites/x/s.yaml::relu[float32]" in run.output
    Project(below.root.parent).write("others.py", KERNELS)
    assert collect(below, "--eq-preload", "others.py").refusal() == "--eq-preload: there is no file others.py"


def test_the_environment_is_a_persons_and_the_ini_file_its_own(below: Project) -> None:
    """A variable is relative to where a person stands too, and what an ini file names to the ini file."""
    assert below.run("pytest", "../suites", *LIST, EQUIVALENCE_PRELOAD="kernels.py").code == 0
    Project(below.root.parent).write("pytest.ini", "[pytest]\neq_preload = kernels.py\n")
    assert collect(below).refusal() == "eq_preload in the ini file: there is no file kernels.py"
    Project(below.root.parent).write("pytest.ini", "[pytest]\neq_preload = below/kernels.py\n")
    assert collect(below).code == 0


def test_a_shipped_suite_keeps_its_name(project: Project) -> None:
    """Whatever pytest's root is, a suite that comes with the package is called as in a checkout."""
    suite = SHIPPED / "suites" / "operators" / "pooling.yaml"
    project.write("none.ini", "[pytest]\n")
    run = project.run("pytest", str(suite), f"--rootdir={project.root}", "-c", "none.ini", *LIST)
    assert "suites/operators/pooling.yaml::max_pool2d[float32]" in run.output.splitlines()
