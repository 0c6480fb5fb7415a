"""Workers, and whole runs, that somebody ends while they are on."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
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

EXAMPLE = json.dumps(
    {
        "case": "suites/x/s.yaml::relu",
        "dtype": "float32",
        "sizes": {"N": 1, "C": 1, "H": 1, "W": 2},
        "layouts": {},
    }
)

WORKER_START_LIMIT = 120.0
"""Seconds that a test waits for a worker to get to its kernel."""


def children(pid: int) -> list[int]:
    """The processes that a process has started, and those that these have."""
    own = [
        int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()
    ]
    return own + [below for child in own for below in children(child)]


def wait_for_number(path: Path) -> int:
    """The number in a file that another process writes."""
    until = time.monotonic() + WORKER_START_LIMIT
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
    for item, examples in zip(items.values(), (13, 9), strict=True):
        assert item["status"] == "passed"
        assert sum(item["cells"][LEVEL].values()) == sum(item["examples"].values()) == examples
    incidents = [" ".join(items[f"suites/x/s.yaml::{name}[float32]"]["incidents"]) for name in ("relu", "relu6")]
    assert "died (killed by SIGKILL" in incidents[0]
    assert "hung (no answer within 5 s)" in incidents[1]
    assert all("did not come back in a fresh worker, whose answer counts" in text for text in incidents)
    assert output.count("incident: ") == 4


SIGNALS = {"SIGINT": signal.SIGINT, "SIGTERM": signal.SIGTERM, "SIGHUP": signal.SIGHUP}
LIVES_ON = """
import os, time
if os.fork() == 0:
    os.setsid()
    time.sleep(300)
    os._exit(0)
"""


def left_over(folder: Path) -> list[str]:
    """The folders of workers that are still there, and the processes that name one."""
    lines = []
    for file in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            lines += [file.parent.name] if str(folder).encode() + b"/equivalence-" in file.read_bytes() else []
    return lines + [path.name for path in folder.glob("equivalence-*")]


def wait_for_nothing_left(folder: Path) -> None:
    """What has just been killed may take a moment."""
    until = time.monotonic() + 10.0
    while left_over(folder):
        assert time.monotonic() < until, left_over(folder)
        time.sleep(0.05)


@pytest.fixture(autouse=True)
def usual_signals() -> Iterator[None]:
    """What a test starts gets signals as from a terminal, also where the tests run under ``nohup``, which ignores some.

    What a process ignores, those that it starts ignore too.
    """
    ignoring = [number for number in SIGNALS.values() if signal.getsignal(number) is signal.SIG_IGN]
    for number in ignoring:
        signal.signal(number, signal.SIG_DFL)
    yield
    for number in ignoring:
        signal.signal(number, signal.SIG_IGN)


@pytest.fixture
def temporary(project: Project, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where the runs of a test have their temporary folders: a path short enough for the workers' sockets."""
    with tempfile.TemporaryDirectory(prefix="eq") as folder:
        monkeypatch.setenv("TMPDIR", folder)
        project.write("waiting.py", WAITING + LIVES_ON)
        yield Path(folder)


@pytest.mark.parametrize(
    ("workers", "number"),
    [*(((), number) for number in SIGNALS.values()), (("-n", "2"), signal.SIGTERM)],
    ids=[*SIGNALS, "SIGTERM under xdist"],
)
def test_nothing_outlives_a_run_that_a_signal_ends(
    project: Project, temporary: Path, workers: tuple[str, ...], number: signal.Signals
) -> None:
    """The run ends as one that is interrupted, soon; its workers, what they have started and its folder are gone."""
    with project.start("--eq-levels", LEVEL, "--eq-preload", "waiting.py", *workers) as run:
        assert wait_for_number(project.root / "killed") in children(run.pid)
        for _ in range(1 if number == signal.SIGINT else 2):  # `timeout` sends its own twice
            os.kill(run.pid, number)
        output, _ = run.communicate(timeout=60.0)
    assert run.returncode == pytest.ExitCode.INTERRUPTED, output
    assert "Traceback" not in output
    wait_for_nothing_left(temporary)


def test_nothing_outlives_a_run_in_the_background(project: Project, temporary: Path) -> None:
    """A shell starts what runs in the background with SIGINT ignored; the processes of xdist end all the same."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        run = project.start("--eq-levels", LEVEL, "--eq-preload", "waiting.py", "-n", "2")
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    with run:
        wait_for_number(project.root / "killed")
        run.terminate()
        run.communicate(timeout=60.0)
    assert run.returncode == pytest.ExitCode.INTERRUPTED
    wait_for_nothing_left(temporary)


@pytest.mark.parametrize("number", SIGNALS.values(), ids=SIGNALS)
def test_nothing_outlives_a_command_that_a_signal_ends(
    project: Project, temporary: Path, number: signal.Signals
) -> None:
    """It says by what it was ended, with no traceback, and its exit code is the shell's for that signal."""
    line = [sys.executable, "-m", "harness.cli", "replay", "--levels", LEVEL, "--preload", "waiting.py", EXAMPLE]
    with subprocess.Popen(line, cwd=project.root, stderr=subprocess.PIPE, text=True) as run:
        wait_for_number(project.root / "killed")
        os.kill(run.pid, number)
        _, error = run.communicate(timeout=60.0)
    assert run.returncode == 128 + number
    assert error == ("interrupted\n" if number == signal.SIGINT else f"ended by {number.name}\n")
    wait_for_nothing_left(temporary)
