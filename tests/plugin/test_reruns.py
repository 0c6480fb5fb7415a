"""pytest's own ways to run again only, first, or up to what failed: they find the items by their node ids."""

from __future__ import annotations

import pytest

from tests.plugin.project import KERNELS, LEVEL, SUITE, Project, Run, needs_workers

pytestmark = needs_workers

TRIO = SUITE.replace("  relu:\n", "  trio:\n    names: [relu, relu6, hardtanh]\n").replace(
    "functional.relu", "functional.{name}"
)
RIGHT, WRONG, LAST = (f"suites/x/s.yaml::{name}[float32]" for name in ("relu", "relu6", "hardtanh"))


@pytest.fixture(scope="module")
def trio(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A suite of three cases, the second of which fails."""
    project = Project(tmp_path_factory.mktemp("trio"))
    project.write("kernels.py", KERNELS)
    project.suite(TRIO)
    return project


@pytest.fixture(scope="module")
def first(trio: Project) -> Run:
    """Its first run, which fills pytest's cache."""
    return again(trio)


def again(project: Project, *arguments: str) -> Run:
    """A run with pytest's cache, that prints every item as it ends."""
    options = ("--eq-levels", LEVEL, "--eq-examples", "16", "--eq-preload", "kernels.py")
    return project.run("pytest", "suites", "-v", "--color=no", *options, *arguments)


def ended_items(run: Run) -> list[str]:
    """The ids of the items that were run, in order."""
    words = (line.split() for line in run.output.splitlines())
    return [
        word[0] for word in words if len(word) > 1 and word[0].startswith("suites/") and word[1] in ("PASSED", "FAILED")
    ]


def test_a_first_run_has_every_item_in_declared_order(first: Run) -> None:
    """The run has one failure, which is neither the first item nor the last."""
    assert first.code == 1
    assert ended_items(first) == [RIGHT, WRONG, LAST], first.output


def test_only_what_failed_last_is_run(first: Run, trio: Project) -> None:
    """`--lf` selects the failed item, however pytest compares the ids."""
    assert first.code == 1
    run = again(trio, "--lf")
    assert run.code == 1
    assert ended_items(run) == [WRONG], run.output


def test_only_what_failed_last_is_run_by_several_processes(first: Run, trio: Project) -> None:
    """`--lf` selects the same item under xdist."""
    assert first.code == 1
    run = again(trio, "--lf", "-n", "1")
    assert run.code == 1
    assert list(trio.record["items"]) == [WRONG], run.output


def test_what_failed_last_is_run_first(first: Run, trio: Project) -> None:
    """`--ff` moves the failed item to the front and leaves the rest in order."""
    assert first.code == 1
    assert ended_items(again(trio, "--ff")) == [WRONG, RIGHT, LAST]


def test_what_is_new_is_run_first(first: Run, trio: Project) -> None:
    """`--nf` knows the items that were there before, and puts new ones before them."""
    assert first.code == 1
    trio.suite(TRIO.replace("[float32]", "[float32, float64]"))
    run = again(trio, "--nf")
    trio.suite(TRIO)
    new = [name.replace("32", "64") for name in (RIGHT, WRONG, LAST)]
    assert ended_items(run) == [*new, RIGHT, WRONG, LAST], run.output


def test_a_stepwise_run_goes_on_where_it_stopped(trio: Project) -> None:
    """`--sw` stops at the failed item, begins the next run with it, and runs the rest once it passes."""
    stepwise = ("--sw", "-o", "cache_dir=.stepwise")  # what the other tests rely on stays in the other cache
    assert ended_items(again(trio, *stepwise)) == [RIGHT, WRONG]
    assert ended_items(again(trio, *stepwise)) == [WRONG]
    trio.write("kernels.py", "")
    passed = again(trio, *stepwise)
    trio.write("kernels.py", KERNELS)
    assert passed.code == 0, passed.output
    assert ended_items(passed) == [WRONG, LAST]


def test_an_id_from_the_cache_is_an_argument(first: Run, trio: Project) -> None:
    """The id of an item in the cache selects that item on the command line."""
    assert first.code == 1
    run = trio.run("pytest", WRONG, "--collect-only", "-q", "-p", "no:cacheprovider")
    assert run.output.splitlines()[0] == WRONG
    assert "relu[" not in run.output
