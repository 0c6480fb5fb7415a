"""Parts of a run, each as a machine of its own would have it, and the one record of them all."""

from __future__ import annotations

import json

import pytest

from harness.core import ItemStatus
from tests.plugin.project import KERNELS, LEVEL, SUITE, Project, needs_workers, timeless

OPTIONS = ("--eq-levels", LEVEL, "--eq-examples", "16", "--eq-preload", "kernels.py")
TRIO = SUITE.replace("  relu:\n", "  trio:\n    names: [relu, relu6, hardtanh]\n").replace(
    "functional.relu", "functional.{name}"
)


@pytest.fixture
def trio(project: Project) -> Project:
    """Three items, of which one fails, and a test that is no item of a suite."""
    project.suite(TRIO)
    project.write("kernels.py", KERNELS)
    project.write("suites/test_other.py", "def test_other():\n    pass\n")
    return project


def chosen(project: Project, *options: str) -> list[str]:
    """The items that a run would have."""
    run = project.run("pytest", "suites", "--collect-only", "-q", *options)
    assert run.code == 0, run.output
    return [line for line in run.output.splitlines() if "::" in line]


@needs_workers
def test_two_parts_are_the_whole(trio: Project) -> None:
    """The records of both, one of them by a process of xdist, are the record of one run when they are merged."""
    whole = trio.pytest(*OPTIONS, "--eq-record", "whole.json")
    parts = [
        trio.pytest(*OPTIONS, "--eq-shard", f"{index}/2", "--eq-record", f"{index}.json", *workers)
        for index, workers in ((1, ()), (2, ("-n", "1")))
    ]
    assert whole.code == 1
    assert sorted(part.code for part in parts) == [0, 1]
    merged = trio.command("merge", "1.json", "2.json", "--record", "merged.json")
    assert (merged.code, merged.output) == (0, f"record: {trio.root / 'merged.json'}: 3 items of 2 records\n")
    records = {name: json.loads((trio.root / f"{name}.json").read_text()) for name in ("whole", "merged", "1", "2")}
    assert timeless(records["merged"]) == timeless(records["whole"])
    assert [records[name]["shard"]["index"] for name in "12"] == [1, 2]
    assert sorted([*records["1"]["items"], *records["2"]["items"]]) == list(records["whole"]["items"])
    statuses = [item["status"] for item in records["merged"]["items"].values()]
    assert statuses.count(ItemStatus.FAILED) == 1


def test_a_part_is_chosen_in_declared_order_and_others_stay(trio: Project) -> None:
    """Every item is in one part, after `-k` has chosen; what is no item of a suite is in each."""
    other = "suites/test_other.py::test_other"
    parts = [chosen(trio, "--eq-shard", f"{index}/2") for index in (1, 2)]
    assert [part.count(other) for part in parts] == [1, 1]
    names = [name for part in parts for name in part if name != other]
    assert sorted(names) == sorted(name for name in chosen(trio) if name != other)
    assert [len(part) for part in parts] == [3, 2]
    assert chosen(trio, "--eq-shard", "1/1") == chosen(trio)
    assert chosen(trio, "-k", "relu6", "--eq-shard", "1/2") == ["suites/x/s.yaml::relu6[float32]"]


@pytest.mark.parametrize("text", ["0/2", "3/2", "2", "a/b", "1/0", "-1/2", "1/2/3", "1 / 2"])
def test_what_is_no_part_is_refused(project: Project, text: str) -> None:
    """A part is named as in 2/5."""
    refusal = project.pytest(f"--eq-shard={text}").refusal()
    assert refusal == f"--eq-shard: {text!r} is no part of a run; the second of five is 2/5"
