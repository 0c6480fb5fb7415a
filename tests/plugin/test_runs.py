"""Whole runs of pytest over a small suite: what is selected, printed and recorded."""

from __future__ import annotations

import json
import os
import platform
import re
import shlex
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from harness.core import Example
from harness.reporting import read_record
from harness.reporting.record import SCHEMA
from tests.plugin.project import KERNELS, LEVEL, SUITE, Project, Run, needs_workers, timeless

pytestmark = needs_workers

PAIR = SUITE.replace("  relu:\n", "  pair:\n    names: [relu6, relu]\n").replace("functional.relu", "functional.{name}")
WRONG, RIGHT = "suites/x/s.yaml::relu6[float32]", "suites/x/s.yaml::relu[float32]"
OPTIONS = ("--eq-levels", LEVEL, "--eq-examples", "16", "--eq-preload", "kernels.py")

SENTINEL = """\
import sys

def pytest_sessionfinish():
    print("torch is", "here" if "torch" in sys.modules else "elsewhere")
"""

SLOW = """\
import time
from torch.nn import functional

stock = functional.relu6

def relu6(input, inplace=False):
    time.sleep(0.03)
    return stock(input)

functional.relu6 = relu6
"""

ARGUMENTS = {"arguments", "inner_arguments"}
BODY = {"build", "run", "levels", "items", "release"} | ARGUMENTS
OUTCOME = ARGUMENTS | {
    "case", "dtype", "status", "examples", "cells", "skipped", "failures", "known_issues", "reproducers", "untrusted",
    "hits", "operators", "ratios", "coverage", "incidents", "notes", "golden", "double", "faults", "seconds",
    "in_parts", "double_differences", "lack", "complete", "against",
    "lost_levels", "meetings", "novelty",
}  # fmt: skip


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A suite of a right and a wrong kernel, from a file that workers load."""
    project = Project(tmp_path_factory.mktemp("pair"))
    project.write("kernels.py", KERNELS)
    project.write("sentinel.py", SENTINEL)
    project.suite(PAIR)
    return project


@pytest.fixture(scope="module")
def first(pair: Project) -> Run:
    """Its first run."""
    return pair.pytest(
        *OPTIONS, "--eq-record", "first.json", "--junitxml", "junit.xml", "-p", "sentinel", PYTHONPATH="."
    )


def timeless_record(project: Project, name: str) -> dict[str, Any]:
    """A record without its seconds."""
    data: dict[str, Any] = json.loads((project.root / name).read_text())
    return timeless(data)


def failure(project: Project) -> Example:
    """The minimal example of the first run's only failure."""
    (recorded_failure,) = timeless_record(project, "first.json")["items"][WRONG]["failures"]
    return Example.from_json(recorded_failure["example"])


def test_a_run_says_what_it_tested(first: Run) -> None:
    """The header proves the level; the summary counts; pytest's own process never loads torch."""
    for text in ("under test: PyTorch ", "cpu: ", f"level {LEVEL}: onednn ", "profile: gate, seed 0, 1 and 2 threads"):
        assert text in first.output
    assert "examples: 16 corners, 12 drawn" in first.output
    assert "first.json" in first.output
    assert "torch is elsewhere" in first.output


def test_a_failure_tells_its_story(first: Run, pair: Project) -> None:
    """A failure prints a sentence, the minimal example, the table of levels and the command, and no traceback."""
    assert first.code == 1
    example = failure(pair)
    assert example.sizes == {"N": 1, "C": 2, "H": 1, "W": 3}
    assert "relu6 in float32 (layout): output[0] differs from the float64 reference" in first.output
    tested = os.environ.get("EQUIVALENCE_PYTHON")
    options = f"{f'--python {tested} ' if tested else ''}--levels {LEVEL} --preload {pair.root}/kernels.py"
    assert f"equivalence replay {options} '{example.to_json()}'" in first.output
    assert "Traceback" not in first.output
    assert "1 failed, 1 passed" in first.output


def test_a_failure_is_remembered(first: Run, pair: Project) -> None:
    """Its example is kept for the profiles that begin with what failed last time."""
    assert first.code == 1
    saved = pair.root / ".equivalence" / "failures" / "suites-x-s" / "relu6[float32].json"
    assert failure(pair).to_json() in saved.read_text()


def test_the_record_has_its_schema(first: Run, pair: Project) -> None:
    """Build, run and levels head the record; every item has every field, under its node id, in order.

    It can be read back, and gives the same text again.
    """
    assert first.code == 1
    record = timeless_record(pair, "first.json")
    assert read_record(pair.root / "first.json").text() == (pair.root / "first.json").read_text("utf-8")
    assert set(record) == {"schema", "date", "machine", "complete", "inputs", "shard", "against", "hosts", *BODY}
    assert (record["machine"], record["complete"], record["shard"]) == (platform.node(), True, None)
    assert record["schema"] == SCHEMA
    assert record["run"]["profile"] == "gate"
    assert list(record["items"]) == [WRONG, RIGHT]
    for item, examples in zip(record["items"].values(), (14, 14), strict=True):
        assert set(item) == OUTCOME
        assert sum(item["cells"][LEVEL].values()) == sum(item["examples"].values()) == examples
    assert [item["status"] for item in record["items"].values()] == ["failed", "passed"]


def test_junit_has_the_outcome_as_properties(first: Run, pair: Project) -> None:
    """Who reads JUnit alone sees what each level came to, the figures, known issues, and how to see it again."""
    assert first.code == 1
    cases = ET.parse(pair.root / "junit.xml").iter("testcase")  # noqa: S314 - written by pytest just now
    properties = {
        case.get("name"): {entry.get("name"): entry.get("value") for entry in case.iter("property")} for case in cases
    }
    assert {name: values["status"] for name, values in properties.items()} == {
        "relu6[float32]": "failed",
        "relu[float32]": "passed",
    }
    assert set(properties["relu[float32]"]) == {"status", "examples", "worst_ratio", "known_issues", "levels"}
    assert properties["relu[float32]"]["examples"] == "14"
    assert properties["relu[float32]"]["levels"] == f"{LEVEL}: passed"
    assert properties["relu6[float32]"]["levels"] == f"{LEVEL}: failed"
    replay = properties["relu6[float32]"]["replay"] or ""
    assert replay.startswith("equivalence replay ")
    assert f" --levels {LEVEL} --preload " in replay
    assert Example.from_json(shlex.split(replay)[-1]).case == WRONG.removesuffix("[float32]")


def test_several_processes_give_the_same_record(first: Run, pair: Project) -> None:
    """The record of two processes, failures and all, differs from that of one in the seconds only."""
    assert first.code == 1
    again = pair.pytest(*OPTIONS, "--eq-record", "again.json", "-n", "2")
    assert again.code == 1
    assert "1 failed, 1 passed" in again.output
    assert timeless_record(pair, "again.json") == timeless_record(pair, "first.json")


def test_options_of_every_kind_give_the_same_record(first: Run, pair: Project) -> None:
    """The ini file gives what the environment does not, the environment what the command line does not."""
    assert first.code == 1
    pair.write("pytest.ini", f"[pytest]\neq_levels = {LEVEL}\neq_seed = 5\neq_examples = 9\neq_preload = kernels.py\n")
    again = pair.pytest(
        "--eq-seed", "0", EQUIVALENCE_EXAMPLES="16", EQUIVALENCE_SEED="6", EQUIVALENCE_RECORD="again.json"
    )
    (pair.root / "pytest.ini").unlink()
    assert again.code == 1
    assert timeless_record(pair, "again.json") == timeless_record(pair, "first.json")


@pytest.mark.parametrize("workers", [[], ["-n", "2"]], ids=["alone", "xdist"])
def test_a_selection_of_nothing_is_a_mistake(project: Project, workers: list[str]) -> None:
    """A -k that matches no case would else be a gate that passes without a test."""
    message = project.briefly("-k", "no_such_case", *workers).refusal()
    assert message.startswith("-k 'no_such_case' matches no case; `pytest --collect-only -q` lists them")


def test_collecting_starts_no_worker(pair: Project) -> None:
    """Collecting gives an item for each case and dtype without an interpreter to test and without torch."""
    run = pair.pytest("--collect-only", "-q", "-p", "sentinel", "--eq-python", "no/such/python", PYTHONPATH=".")
    assert run.code == 0
    assert run.output.splitlines()[:2] == [WRONG, RIGHT]
    assert "torch is elsewhere" in run.output


def test_a_selection_under_a_time_budget(pair: Project) -> None:
    """What was not reached is a note of each item, and `-k` takes the other cases away.

    An item that did not begin keeps the run from passing, unless that is allowed.
    """
    pair.write("slow.py", SLOW)
    pair.suite(PAIR.replace("[float32]", "[float32, float64]"))
    options = ("--eq-levels", LEVEL, "--eq-preload", "slow.py", "--eq-budget", "1", "-k", "relu6")
    run = pair.pytest(*options, "--eq-allow-incomplete")
    items = pair.record["items"]
    strict = pair.pytest(*options)
    pair.suite(PAIR)
    assert (run.code, strict.code) == (0, 6), strict.output
    assert not pair.record["complete"]
    assert re.search(r"INCOMPLETE: of 2 items [12] not begun within the time budget.*; --eq-resume goes on", run.output)
    assert list(items) == [WRONG, "suites/x/s.yaml::relu6[float64]"]
    assert all("the time budget was reached" in " ".join(item["notes"]) for item in items.values())
    assert "note: relu6[float32]: the time budget was reached" in run.output


@pytest.mark.parametrize(("kernel", "verdict", "code"), [("relu6", "FAILED", 1), ("relu", "PASSED", 0)])
def test_replay(first: Run, pair: Project, kernel: str, verdict: str, code: int) -> None:
    """The command that a failure prints says FAILED and exits with 1; what passes says PASSED and exits with 0."""
    assert first.code == 1
    example = failure(pair).but(case=f"suites/x/s.yaml::{kernel}")
    run = pair.command("replay", "--levels", LEVEL, "--preload", "kernels.py", example.to_json())
    assert run.code == code
    assert run.output.startswith(f"{verdict}: {example.to_json()}")
    assert LEVEL in run.output


def test_known_issues_accept_and_go_stale(first: Run, pair: Project) -> None:
    """A finding under an entry is counted and passes; an entry whose reproducer passes fails the run and is named."""
    assert first.code == 1
    example = failure(pair)
    _entries(pair, known=example, gone=example.but(case="suites/x/s.yaml::relu"))
    run = pair.pytest(*OPTIONS)
    (pair.root / "golden/issues.yaml").unlink()
    items = pair.record["items"]
    assert run.code == 1
    assert items[WRONG]["status"] == "known issue"
    assert items[WRONG]["reproducers"] == {"known": {"state": "still fails", "detail": "", "ends_worker": False}}
    assert "known issue gone is stale: its reproducer does not fail that way any more (it passes): remove" in run.output
    assert "1 failed, 1 passed" in run.output


def _entries(project: Project, **reproducers: Example) -> None:
    entries = [
        f"  {name}:\n    summary: a kernel made wrong for a test\n    severity: wrong-values\n    oracle: values\n"
        "    reason: a kernel made wrong for a test\n    link: none found\n    where:\n"
        f"      - cases: [{reproducer.case}]\n        dtypes: [float32]\n        tensors: ['output[0]']\n"
        f"        levels: [{LEVEL}]\n        when: W > 2\n        reproducer: {reproducer.to_json()}\n"
        for name, reproducer in reproducers.items()
    ]
    project.write("golden/issues.yaml", "issues:\n" + "".join(entries))


def test_suites_in_environments_are_left_alone(project: Project, tmp_path: Path) -> None:
    """A copy of a suite in a virtual environment or a hidden directory is not read."""
    for place in ("env", ".tox"):
        project.write(f"{place}/suites/y/t.yaml", "wrong")
    (tmp_path / "env" / "pyvenv.cfg").touch()
    run = project.run("pytest", "--collect-only", "-q")
    assert run.code == 0, run.output
    assert run.output.splitlines()[0] == "suites/x/s.yaml::relu[float32]"
