"""A run that is killed at any moment, and another that goes on with it."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from tests.plugin.project import KERNELS, LEVEL, SUITE, Project, Run, needs_workers, timeless

pytestmark = needs_workers

KILLS = int(os.environ.get("KILLS") or 2)
"""How many runs are killed at a random moment; more of them take minutes."""

NAMES = ("relu6", "relu", "hardtanh")
DTYPES = ("float32", "float64")
SLOW = """
import time

def slow(stock):
    def function(*arguments, **options):
        time.sleep(0.002)
        return stock(*arguments, **options)
    return function

for name in ("relu", "hardtanh"):
    setattr(functional, name, slow(getattr(functional, name)))
"""
OPTIONS = ("--eq-levels", LEVEL, "--eq-examples", "16", "--eq-preload", "kernels.py", "--color=no")
WRONG = "suites/x/s.yaml::relu6[float32]"


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A suite of seven items, of which those of relu6 fail, and one needs a package that there is not."""
    project = Project(tmp_path_factory.mktemp("night"))
    write_suite(project)
    return project


def write_suite(project: Project) -> None:
    """The suite and its kernels."""
    cases = SUITE.replace("  relu:\n", f"  trio:\n    names: [{', '.join(NAMES)}]\n")
    absent = SUITE.partition("cases:\n")[2].replace("  relu:\n", "  absent:\n") + "    requires: [no_such_package]\n"
    cases = cases.replace("functional.relu", "functional.{name}").replace("[float32]", f"[{', '.join(DTYPES)}]")
    project.suite(cases + absent)
    project.write("kernels.py", KERNELS + SLOW)


@pytest.fixture(scope="module")
def unbroken(suite: Project) -> Run:
    """A run that nobody kills, whose record is unbroken.json."""
    return suite.pytest(*OPTIONS, "-n", "2", "--eq-record", "unbroken.json")


def record_of(project: Project, name: str) -> dict[str, Any]:
    """A record without what may differ between two runs."""
    data: dict[str, Any] = json.loads((project.root / name).read_text("utf-8"))
    return timeless(data)


def done_items(journal: Path) -> list[str]:
    """The ids of the items in a journal, in the order in which they ended."""
    lines = journal.read_text("utf-8").splitlines(keepends=True) if journal.exists() else []
    return [json.loads(line)["item"] for line in lines[1:] if line.endswith("\n")]


def kill_group(run: subprocess.Popen[str]) -> None:
    """Kill all processes of a run at once, as a machine that goes down does."""
    os.killpg(run.pid, signal.SIGKILL)
    run.communicate()


def killed_after(project: Project, name: str, count: int, *options: str, delay: float = 0.0) -> list[str]:
    """The items that a run has done when it was killed: so many seconds after it had done at least `count`."""
    journal = project.root / f"{name}.partial"
    with project.start(*OPTIONS, "--eq-record", name, *options, in_group=True) as run:
        until = time.monotonic() + 120.0
        while len(done_items(journal)) < count:
            assert time.monotonic() < until
            assert run.poll() is None, run.communicate()[0]
            time.sleep(0.05)
        time.sleep(delay)
        kill_group(run)
    return done_items(journal)


@pytest.mark.parametrize("number", range(KILLS))
def test_a_resumed_run_gives_the_record_of_an_unbroken_one(suite: Project, unbroken: Run, number: int) -> None:
    """Killed at a random moment and resumed, the run ends as one that nobody killed: record, counts and exit code."""
    assert unbroken.code == 1, unbroken.output
    name = f"killed{number}.json"
    chance = random.Random(number)  # noqa: S311 - no secret
    done = killed_after(suite, name, chance.randint(0, 4), "-n", "2", delay=chance.uniform(0.0, 0.3))
    resumed = suite.pytest(*OPTIONS, "-n", "2", "--eq-record", name, "--eq-resume")
    print(f"kill {number}: {len(done)} of 7 items done")  # noqa: T201 - for whoever counts them
    assert resumed.code == 1, resumed.output
    assert record_of(suite, name) == record_of(suite, "unbroken.json")
    assert not (suite.root / f"{name}.partial").exists()
    counts = [run.output.splitlines()[-1].partition(" in ")[0].lstrip("= ") for run in (resumed, unbroken)]
    assert counts[0] == counts[1]


def test_what_is_done_is_not_run_again(suite: Project, unbroken: Run) -> None:
    """A run killed twice goes on each time, by itself or with others; what failed before is printed as it was then."""
    assert unbroken.code == 1
    first = killed_after(suite, "again.json", 3)
    assert not (suite.root / "again.json").exists()
    assert WRONG in first
    second = killed_after(suite, "again.json", 5, "-n", "2", "--eq-resume")
    assert second[: len(first)] == first
    assert len(set(second)) == len(second)
    resumed = suite.pytest(*OPTIONS, "--eq-record", "again.json", "--eq-resume")
    assert resumed.code == 1
    assert f"resume: {len(second)} items are done since 20" in resumed.output
    assert "relu6 in float32 (layout): output[0] differs from the float64 reference" in resumed.output
    assert "Traceback" not in resumed.output
    assert record_of(suite, "again.json") == record_of(suite, "unbroken.json")


def test_a_run_of_another_kind_is_not_resumed(suite: Project) -> None:
    """Other settings, seed, kernels or suites are refused and named, and the journal stays as it is."""
    done = killed_after(suite, "other.json", 2)
    options = ("--eq-record", "other.json", "--eq-resume")
    journal = (suite.root / "other.json.partial").read_bytes()

    def refusal(*more: str) -> str:
        return suite.pytest(*OPTIONS, *options, *more).refusal()

    assert refusal("--eq-seed", "5").splitlines()[1:] == [
        "  run -> seed: 0 there, 5 here",
        "leave --eq-resume out to begin anew; the journal is kept beside then",
    ]
    assert "  run -> random: 8 there, 3 here" in refusal("--eq-examples", "6")
    assert "  inputs -> selection: " in refusal("-k", "relu")
    suite.write("kernels.py", KERNELS + SLOW + "\n")
    assert "  inputs -> preload: " in refusal()
    write_suite(suite)
    suite.suite((suite.root / "suites/x/s.yaml").read_text() + "# changed\n")
    assert "  inputs -> suites/x/s.yaml: " in refusal()
    write_suite(suite)
    (message,) = refusal("--deselect", done[0]).splitlines()
    assert message.startswith("--eq-resume: the run that was ended has done 1 items that this one does not choose")
    assert (suite.root / "other.json.partial").read_bytes() == journal
    fresh = suite.pytest(*OPTIONS, "--eq-record", "other.json", "-k", "absent")
    assert fresh.code == 0, fresh.output
    assert (suite.root / "other.json.partial.previous").read_bytes() == journal


def test_the_record_before_is_not_taken_for_that_of_a_killed_run(suite: Project) -> None:
    """It has another name as soon as the run begins, and its own again where nothing is to be run."""
    suite.write("before.json", "before")
    killed_after(suite, "before.json", 1)
    assert not (suite.root / "before.json").exists()
    assert (suite.root / "before.json.previous").read_text() == "before"
    suite.write("typo.json", "before")
    suite.pytest(*OPTIONS, "--eq-record", "typo.json", "-k", "no_such_case").refusal()
    assert (suite.root / "typo.json").read_text() == "before"
    assert not (suite.root / "typo.json.partial").exists()


def test_a_resumed_run_keeps_its_seed_where_there_is_nothing_to_resume(suite: Project) -> None:
    """Without a journal a run begins anew and says so; the fresh seed of a night is that of the night resumed."""
    night = ("-k", "absent", "--eq-profile", "nightly", "--eq-record", "seed.json", "--eq-resume")
    first = suite.pytest(*OPTIONS, *night)
    assert "resume: there is no seed.json.partial: the run begins anew" in first.output
    seed = record_of(suite, "seed.json")["run"]["seed"]
    # the journal of a run that was ended after its last item
    entry = killed_after(suite, "seed.json", 1, "-k", "absent or relu", "--eq-profile", "nightly")
    journal = json.loads((suite.root / "seed.json.partial").read_text().splitlines()[0])
    resumed = suite.pytest(
        *OPTIONS, "-k", "absent or relu", "--eq-profile", "nightly", "--eq-record", "seed.json", "--eq-resume", "-x"
    )
    assert f"seed {journal['head']['run']['seed']}" in resumed.output
    assert "is of another run" not in resumed.output
    assert journal["head"]["run"]["seed"] != seed
    assert entry


def test_an_update_of_golden_is_not_resumed(suite: Project) -> None:
    """There is no journal of one."""
    refusal = suite.pytest("--eq-update-golden", "--eq-resume").refusal()
    assert refusal == "--eq-resume: an update of golden/ keeps no journal; leave it out"
