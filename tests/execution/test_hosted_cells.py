"""Cells on another machine, behind a real sshd on the loopback address.

That machine is this one, so what it has is lacking here only because the interpreter under test is a script that leaves
a flag of the CPU out of its answer (`python_without`). All else is real.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from harness.errors import UserError
from harness.execution import Build, Executor, Result
from harness.execution.host import probe_host
from harness.execution.opening import check_same_release
from harness.execution.workers import hosted
from harness.portable import poison
from tests.execution import stand
from tests.ssh_server import SshServer, last_descendant, python_without, running_server

PYTHON = os.environ.get("EQUIVALENCE_PYTHON") or sys.executable

pytestmark = pytest.mark.skipif(
    not {"sse4_1", "avx2"} <= set(probe_host(None).flags), reason="needs an x86-64 CPU with AVX2"
)


@dataclass(frozen=True)
class Place:
    """An executor whose AVX2 cell is behind a server; the SSE4.1 cell and the reference are here."""

    executor: Executor
    server: SshServer

    def run(self, case: Any = stand.CONV2D, **options: Any) -> Result:
        """One example everywhere."""
        (result,) = self.executor.run(case, [stand.example(case, **options)])
        return result

    def worker(self) -> int:
        """The process of the cell behind the server, whose connection is the only one once others have ended."""
        while len(connections := self.server.connections()) > 1:
            time.sleep(0.05)
        return last_descendant(connections[0])


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """One for all of these tests: each of its workers imports PyTorch."""
    folder = tmp_path_factory.mktemp("place")
    python = python_without(folder, "avx2")
    with running_server(folder) as server:
        executor = Executor([stand.SSE41, stand.AVX2], python=python, hosts=[server.host(PYTHON)], limit=4.0)
        with executor:
            yield Place(executor, server)


def statuses(result: Result) -> list[tuple[str, str]]:
    """Cell and status of each observation."""
    return [(observation.cell, observation.status) for observation in result.observations]


ALL_WELL = [("sse41", "ok"), ("sse41", "ok"), ("avx2", "ok"), ("avx2", "ok")]


def test_each_axis_took_effect_there(place: Place) -> None:
    """Both caps are read back from the libraries, and only the cell that is lacking here is there."""
    here, there = place.executor.cells
    assert (here.host, there.host) == ("localhost", place.server.name)
    assert there.proof == {"onednn": "Intel AVX2", "aten": "AVX2"}
    assert there.python == f"{place.server.name}:{PYTHON}"
    assert place.executor.hosts[place.server.name].torch == place.executor.build.torch
    assert place.executor.unavailable == {}
    assert place.executor.ineffective == {}


def test_kernels_there_are_those_of_the_level(place: Place) -> None:
    """OneDNN's implementations are noted as they are of a cell here."""
    result = place.run(sizes={"K": 8, "C": 8, "N": 2, "H": 12, "W": 12})
    assert statuses(result) == ALL_WELL
    kernels = {kernel for each in result.observations if each.cell == "avx2" for kernel in each.kernels}
    assert any(kernel.startswith("convolution:") and "avx2" in kernel for kernel in kernels), kernels


def test_memory_is_poisoned_there(place: Place) -> None:
    """What nobody has written has the byte of MALLOC_PERTURB_, in blocks that a cache would hand out too."""
    case = stand.case("torch.empty_like")
    there = [each for each in place.run(case).observations if each.cell == "avx2"]
    assert [each.status for each in there] == ["ok", "ok"]
    values = there[0].tensors["output[0]"].values.tobytes()
    assert set(values) == {poison.POISON_BYTES[0]}


def test_an_isolated_run_is_there_too(place: Place) -> None:
    """It has a worker of its own, behind a connection of its own, that forks for each request."""
    (example,) = [stand.example(stand.CONV2D, sizes={"K": 3})]
    result = place.executor.run_isolated(stand.CONV2D, example)
    assert statuses(result) == ALL_WELL
    first, second = place.server.connections()
    assert first != second
    os.kill(second, signal.SIGKILL)  # the worker of this test is of no use to the others
    assert statuses(place.executor.run_isolated(stand.CONV2D, example)) == ALL_WELL
    assert "the connection to" in place.executor.incidents[-1]
    os.kill(max(place.server.connections()), signal.SIGKILL)


def test_a_crash_there_is_a_crash(place: Place) -> None:
    """The signal is the worker's; another takes its place, and the run goes on."""
    incidents = len(place.executor.incidents)
    os.kill(place.worker(), signal.SIGSEGV)
    result = place.run(sizes={"K": 3})
    assert statuses(result) == [*ALL_WELL[:2], ("avx2", "died"), ("avx2", "died")]
    assert {each.signal for each in result.observations if each.cell == "avx2"} == {signal.SIGSEGV}
    assert statuses(place.run(sizes={"K": 3})) == ALL_WELL
    (incident,) = place.executor.incidents[incidents:]
    assert incident.startswith("worker cell-avx2 died (killed by SIGSEGV")


def test_a_worker_that_does_not_answer_hangs(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is asked for its CPU time, and given up where it does not even say that though the connection is there."""
    monkeypatch.setattr(hosted, "ANSWER_LIMIT", 2.0)
    os.kill(place.worker(), signal.SIGSTOP)
    assert statuses(place.run(sizes={"K": 3})) == [*ALL_WELL[:2], ("avx2", "hung"), ("avx2", "hung")]
    assert statuses(place.run(sizes={"K": 3})) == ALL_WELL


def test_a_run_tests_one_release() -> None:
    """The variant behind the plus may be another one."""
    build = Build("2.15.0+cpu", "3.13", "a CPU", "3.11", "2.4", "Linux")
    check_same_release(build, "there", Build("2.15.0+cu130", "3.13", "a CPU", "3.11", "2.4", "Linux"))
    with pytest.raises(UserError) as caught:
        check_same_release(build, "there", Build("2.13.0+cpu", "3.12", "a CPU", "3.11", "2.4", "Linux"))
    assert str(caught.value) == (
        "host there has PyTorch 2.13.0+cpu, and 2.15.0+cpu is tested here: a run tests one release; name an "
        "interpreter that has it by //python=/path"
    )
