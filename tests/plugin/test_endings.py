"""Workers that somebody ends while a run is on."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from tests.plugin.project import LEVEL, SUITE, Project, needs_workers

pytestmark = needs_workers

WAITING = '''\
"""Functions that wait, at their first call, for what the test does to their process."""

import os
import time
from pathlib import Path

from torch.nn import functional

def waiting(stock, name):
    met = Path(__file__).with_name(name)

    def function(input, inplace=False):
        if not met.exists():
            part = met.with_suffix(".part")
            part.write_text(str(os.getpid()))
            part.rename(met)
            time.sleep(60)
        return stock(input)

    return function

functional.relu = waiting(functional.relu, "killed")
functional.relu6 = waiting(functional.relu6, "stopped")
'''

REFERENCE_LIMIT_FACTOR = 120.0
"""Seconds that a test waits for a worker to get to its kernel."""


def children(pid: int) -> list[int]:
    """The processes that a process has started, and those that these have."""
    own = [
        int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()
    ]
    return own + [below for child in own for below in children(child)]


def wait_for_number(path: Path) -> int:
    """The number in a file that another process writes."""
    until = time.monotonic() + REFERENCE_LIMIT_FACTOR
    while not path.exists():
        assert time.monotonic() < until, f"{path.name} was not written"
        time.sleep(0.05)
    return int(path.read_text())


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds a process's children under /proc")
def test_a_worker_killed_or_stopped_from_outside_is_an_incident(project: Project) -> None:
    """The run goes on with another worker and passes, both incidents are reported, and every example counts."""
    project.write("waiting.py", WAITING)
    suite = SUITE.replace("  relu:\n", "  pair:\n    names: [relu, relu6]\n")
    project.suite(suite.replace("functional.relu", "functional.{name}"))
    options = ("--eq-levels", LEVEL, "--eq-profile", "quick", "--eq-examples", "10", "--eq-preload", "waiting.py")
    with project.start(*options) as run:
        for name, number in (("killed", signal.SIGKILL), ("stopped", signal.SIGSTOP)):
            worker = wait_for_number(project.root / name)
            assert worker in children(run.pid)
            os.kill(worker, number)
        output, _ = run.communicate()
    assert run.returncode == 0, output
    items = project.record["items"]
    for item in items.values():
        assert item["status"] == "passed"
        assert sum(item["cells"][LEVEL].values()) == sum(item["examples"].values()) == 10
    incidents = [" ".join(items[f"suites/x/s.yaml::{name}[float32]"]["incidents"]) for name in ("relu", "relu6")]
    assert "died (killed by SIGKILL" in incidents[0]
    assert "hung (no answer within 5 s)" in incidents[1]
    assert all("did not come back in a fresh worker, whose answer counts" in text for text in incidents)
    assert output.count("incident: ") == 4
