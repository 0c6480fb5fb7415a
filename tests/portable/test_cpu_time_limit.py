"""When a process that does not answer is given up: by the CPU time it got, not by the clock."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from harness.portable import cpu_time_limit
from harness.portable.cpu_time_limit import CpuTimeLimit, cpu_seconds

WORKS = "while True: pass"
SLEEPS = "import time; time.sleep(600)"
FORKS = "import os, time\nif os.fork(): time.sleep(600)\nwhile True: pass"


@dataclass
class Clocks:
    """The clock on the wall, and the CPU time of the one process there is."""

    wall: float = 1000.0
    cpu: float = 50.0

    def tick(self, wall: float, share: float) -> None:
        """Let time pass of which the process gets a share."""
        self.wall += wall
        self.cpu += wall * share


@pytest.fixture
def clocks(monkeypatch: pytest.MonkeyPatch) -> Clocks:
    """Time that passes by hand."""
    now = Clocks()
    monkeypatch.setattr(time, "monotonic", lambda: now.wall)
    monkeypatch.setattr(cpu_time_limit, "cpu_seconds", lambda _pid: now.cpu)
    return now


def test_an_idle_machine_gives_the_limit_and_no_more(clocks: Clocks) -> None:
    """A process that computes all the time is lost when the limit has passed."""
    limit = CpuTimeLimit(1, 20.0)
    assert limit.wait == 20.0
    clocks.tick(20.0, 1.0)
    assert limit.is_reached()


def test_a_loaded_machine_gets_more_time(clocks: Clocks) -> None:
    """With a tenth of a core each second of CPU time takes ten of the clock; the limit is one of CPU time."""
    limit, looks = CpuTimeLimit(1, 20.0), 1
    clocks.tick(limit.wait, 0.1)
    while not limit.is_reached():
        clocks.tick(limit.wait, 0.1)
        looks += 1
    assert clocks.cpu - 50.0 >= 20.0
    assert looks < 100


@pytest.mark.parametrize("share", [0.0, 0.01])
def test_what_does_not_work_is_lost_by_the_clock(clocks: Clocks, share: float) -> None:
    """Stopped, deadlocked or asleep."""
    limit = CpuTimeLimit(1, 20.0)
    clocks.tick(20.0, share)
    assert limit.is_reached()


def test_what_stops_on_the_way_is_lost_at_the_next_look(clocks: Clocks) -> None:
    """It had worked until the limit came."""
    limit = CpuTimeLimit(1, 20.0)
    clocks.tick(20.0, 0.5)
    assert not limit.is_reached()
    clocks.tick(limit.wait, 0.0)
    assert limit.is_reached()


def test_a_request_that_began_long_ago_is_watched_for_a_moment(clocks: Clocks) -> None:
    """Its limit is over before anybody looked: one second tells whether it works."""
    limit = CpuTimeLimit(1, 20.0, start=clocks.wall - 300.0)
    assert limit.wait == cpu_time_limit.LEAST_SPAN
    clocks.tick(limit.wait, 1.0)
    assert not limit.is_reached()
    assert limit.wait == 19.0


def test_without_cpu_times_the_clock_decides(clocks: Clocks, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a system without /proc."""
    monkeypatch.setattr(cpu_time_limit, "cpu_seconds", lambda _pid: clocks.wall)
    limit = CpuTimeLimit(1, 20.0)
    clocks.tick(20.0, 0.0)
    assert limit.is_reached()


@pytest.fixture
def processes_to_end() -> Iterator[list[subprocess.Popen[bytes]]]:
    """Processes that end with the test, and what they have forked with them."""
    processes: list[subprocess.Popen[bytes]] = []
    yield processes
    for process in processes:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="CPU times are read from /proc")
@pytest.mark.parametrize(("program", "grows"), [(WORKS, True), (SLEEPS, False), (FORKS, True)])
def test_the_cpu_time_of_a_process_and_its_children_is_read(
    processes_to_end: list[subprocess.Popen[bytes]], program: str, grows: bool
) -> None:
    """A loop uses it, in the process or in a child of it; a sleeping process does not, nor one that has ended."""
    process = subprocess.Popen([sys.executable, "-c", program], start_new_session=True)
    processes_to_end.append(process)
    looks = 0
    while cpu_seconds(process.pid) < 1.0 and looks < (2000 if grows else 20):
        time.sleep(0.05)
        looks += 1
    assert (cpu_seconds(process.pid) >= 1.0) == grows
