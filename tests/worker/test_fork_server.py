"""Workers that are forks of one process: where they come from, and what happens where that does not do."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.execution import Executor
from harness.execution.host import probe_host
from tests.execution import stand
from tests.execution.test_interpreters import script

PID = stand.case("misbehaving.pid")

pytestmark = [
    pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="finds a process's parent under /proc"),
    pytest.mark.skipif("avx2" not in probe_host(None).flags, reason="needs an x86-64 CPU with AVX2"),
]


def parent(pid: int) -> int:
    """Field 4 of /proc/PID/stat: proc_pid_stat(5)."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def workers(executor: Executor) -> list[int]:
    """The process ids of the cells' workers."""
    (result,) = executor.run(PID, [stand.example(PID)])
    drawn = [each for each in result.observations if each.layout == "drawn"]
    return [int(each.tensors["output[0]"].values.ravel()[0]) for each in drawn]


@pytest.fixture
def fresh() -> Iterator[Executor]:
    """An executor that a test may damage."""
    with Executor([stand.SSE41, stand.AVX2], preload=[stand.PRELOAD], limit=20.0) as opened:
        yield opened


def test_workers_are_forks_of_one_process_with_caps_of_their_own(fresh: Executor) -> None:
    """The process is started by this one, and each cell's proof shows its own cap."""
    first, second = workers(fresh)
    assert first != second
    assert parent(first) == parent(second)
    assert parent(parent(first)) == os.getpid()
    assert [cell.proof["aten"] for cell in fresh.cells] == ["DEFAULT", "AVX2"]
    assert len({cell.proof["onednn"] for cell in fresh.cells}) == 2


def test_when_the_process_is_gone_another_takes_its_place(fresh: Executor) -> None:
    """Its workers go on; a worker that is lost afterwards is a fork of a new one, and no result is missing."""
    first, second = workers(fresh)
    fork_server = parent(first)
    os.kill(fork_server, signal.SIGKILL)
    assert workers(fresh) == [first, second]
    os.kill(first, signal.SIGKILL)
    (lost,) = fresh.run(PID, [stand.example(PID)], cells=["sse41"])
    assert {each.status for each in lost.observations} == {"died"}
    again, same = workers(fresh)
    assert same == second
    assert parent(parent(again)) == os.getpid()
    assert parent(again) != fork_server


def test_a_folder_too_long_for_a_socket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each worker has an interpreter of its own then."""
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    deep.mkdir(parents=True)
    monkeypatch.setattr(tempfile, "tempdir", str(deep))
    with Executor([stand.SSE41], preload=[stand.PRELOAD], limit=20.0) as opened:
        (worker,) = workers(opened)
        assert parent(worker) == os.getpid()


@pytest.mark.parametrize("size", [2, 1 << 20], ids=["one thread", "all threads"])
def test_a_build_that_runs_a_kernel_when_it_is_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    """A fork of it would not be capped, or wait for threads, so each worker gets an interpreter of its own."""
    (tmp_path / "sitecustomize.py").write_text(f"import torch; torch.ones({size}) + 1")
    monkeypatch.setenv("EAGER", str(tmp_path))
    python = script(tmp_path / "python", f'PYTHONPATH="$EAGER:$PYTHONPATH" exec {sys.executable} "$@"')
    with Executor([stand.SSE41, stand.AVX2], python=python, preload=[stand.PRELOAD], limit=20.0) as opened:
        assert [parent(worker) for worker in workers(opened)] == [os.getpid()] * 2
        assert [cell.proof["aten"] for cell in opened.cells] == ["DEFAULT", "AVX2"]
        assert not opened.ineffective
        assert not opened.aliases
