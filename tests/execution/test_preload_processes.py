"""Preload files that start processes, speak out of turn, or fail when a worker starts later."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.core import Expression
from harness.errors import UserError
from harness.execution import Executor
from harness.execution.workers import environment
from harness.execution.workers.process import GARBLED, Setup
from harness.execution.workers.spawned import SpawnedProcess
from harness.portable import leftovers
from tests.execution import stand

pytestmark = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="finds processes under /proc")

SOON = 60.0
"""Seconds in which a worker has long started and ended; what is started here and waited for in vain would sleep 300."""

LIVES_ON = """
import os, time
if os.fork() == 0:
    os.setsid()
    open({note!r}, "a").write(f"{{os.getpid()}}\\n")
    time.sleep(300)
    os._exit(0)
while not os.path.exists({note!r}):
    time.sleep(0.01)
"""
RETURNS_TWICE = """
import os, time
if os.fork() == 0:
    open({note!r}, "a").write(f"{{os.getpid()}}\\n")
while not os.path.exists({note!r}):
    time.sleep(0.01)
"""
SPEAKS = """
import contextlib, os
for number in range(3, 40):
    with contextlib.suppress(OSError):
        os.write(number, b"nothing that a worker says")
"""
RAISES_LATER = """
import os
if os.path.exists({note!r}):
    os.remove({note!r})
    raise KeyError("lost")
"""
RUNS = {"fork of the fork server": True, "interpreter of its own": False}


@pytest.fixture
def preload(tmp_path: Path) -> Callable[[str], tuple[Path, Path]]:
    """A preload file of this text, and the file that it notes something in."""

    def write(text: str) -> tuple[Path, Path]:
        file, note = tmp_path / "kernels.py", tmp_path / "note"
        file.write_text(text.format(note=str(note)))
        return file, note

    return write


@pytest.fixture(params=RUNS.values(), ids=RUNS)
def forking(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether workers are forks; where not, it is because their sockets' paths are too long."""
    if not request.param:
        monkeypatch.setattr("harness.execution.workers.forked.LONGEST_PATH", 0)
    return bool(request.param)


@contextlib.contextmanager
def is_quick() -> Iterator[None]:
    """Nothing waits for a process that somebody else has started."""
    begun = time.monotonic()
    yield
    assert time.monotonic() - begun < SOON


def run_clone(executor: Executor, *, isolated: bool = False) -> str:
    """What came of one example of an operator that is right."""
    clone = stand.case("torch.clone")
    example = stand.example(clone)
    result = executor.run_isolated(clone, example) if isolated else next(executor.run(clone, [example]))
    return str(result.observations[0].status)


def are_gone(pids: list[int]) -> bool:
    """Whether the processes end; one that has just been killed may take a moment."""
    until = time.monotonic() + SOON
    while any(map(is_there, pids)) and time.monotonic() < until:
        time.sleep(0.01)
    return not any(map(is_there, pids))


def noted_pids(note: Path) -> list[int]:
    """The processes that a preload file has started."""
    return [int(line) for line in note.read_text().split()]


def is_there(pid: int) -> bool:
    """Whether the process runs; one that is dead and waited for by nobody does not."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


@pytest.mark.usefixtures("forking")
def test_a_child_that_lives_on_ends_with_the_run(preload: Callable[[str], tuple[Path, Path]]) -> None:
    """It has a session of its own, its worker answers, nobody waits for it, and it is gone when the workers are."""
    file, note = preload(LIVES_ON)
    with is_quick():
        with Executor([stand.SSE41], preload=[file]) as executor:
            assert run_clone(executor) == "ok"
            pids = noted_pids(note)
            assert all(map(is_there, pids))
        assert are_gone(pids)


@pytest.mark.usefixtures("forking")
def test_of_a_file_that_returns_in_two_processes_one_goes_on(preload: Callable[[str], tuple[Path, Path]]) -> None:
    """The child ends where the file ends, and says nothing in the worker's place."""
    file, note = preload(RETURNS_TWICE)
    with is_quick(), Executor([stand.SSE41], preload=[file]) as executor:
        assert run_clone(executor) == "ok"
        assert run_clone(executor, isolated=True) == "ok"
        assert executor.incidents == []
        assert are_gone(noted_pids(note))


def test_what_is_no_message_is_laid_to_the_preload_file(preload: Callable[[str], tuple[Path, Path]]) -> None:
    """The worker is ended, and the message names the file and what it may have done."""
    file, _note = preload(SPEAKS)
    with (
        is_quick(),
        pytest.raises(UserError, match=r"cannot run a worker \(with the preload file .*kernels\.py\): it sent what is"),
        Executor([stand.SSE41], preload=[file]),
    ):
        pass


def test_a_reply_that_is_no_message_is_an_end(tmp_path: Path) -> None:
    """Bytes that marshal cannot read, and values that are no reply, are taken for the death of who sent them."""
    for words in (b"nothing", b"i\x01\x00\x00\x00", b""):
        process = SpawnedProcess(Setup("reference", sys.executable, "reference", environment.COMMON, tmp_path))
        process._deliver(words)  # noqa: SLF001 - as the process would
        _arrival, reply = process.receive(1.0)
        assert reply is None
        assert process.end().message.startswith(GARBLED)


def test_a_worker_that_fails_to_start_is_started_again(preload: Callable[[str], tuple[Path, Path]]) -> None:
    """One request has the preload file's mistake for an answer; the next one has a worker, and so have all after it."""
    file, note = preload(RAISES_LATER)
    with Executor([stand.SSE41], preload=[file]) as executor:
        note.touch()
        with pytest.raises(UserError, match=r"preload .*kernels\.py raised KeyError: 'lost'"):
            run_clone(executor, isolated=True)
        assert [run_clone(executor, isolated=True) for _ in range(2)] == ["ok", "ok"]


def test_a_worker_that_cannot_be_replaced_is_started_again(tmp_path: Path) -> None:
    """What died with it has no result but the mistake; the next example runs in a worker that starts then."""
    file, note = tmp_path / "misbehaving_later.py", tmp_path / "note"
    file.write_text(stand.PRELOAD.read_text() + RAISES_LATER.format(note=str(note)))
    crash, double = stand.case("misbehaving_later.crash"), stand.case("misbehaving_later.double")
    with Executor([stand.SSE41], preload=[file]) as executor:
        list(executor.run(double, [stand.example(double)]))  # the reference has a worker with the file from here on
        note.touch()
        with pytest.raises(UserError, match=r"misbehaving_later\.py raised KeyError: 'lost'"):
            list(executor.run(crash, [stand.example(crash, seed=seed) for seed in range(4)]))
        assert run_clone(executor) == "ok"
        assert "cell-sse41 died (killed by SIGSEGV" in executor.incidents[0]


def test_memory_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    """An operator that takes more than a worker may have raises, and no worker is lost; other examples go on."""
    monkeypatch.setattr(environment, "memory_limit", lambda: 3 * 2**30)
    modest, greedy = (
        stand.case("misbehaving.greedy", arguments={"gibibytes": Expression.parse(size)}) for size in ("1", "4")
    )
    with Executor([stand.SSE41], preload=[stand.PRELOAD]) as executor:
        (taken,) = executor.run(modest, [stand.example(modest)])
        (refused,) = executor.run(greedy, [stand.example(greedy)])
        assert [each.status for each in taken.observations] == ["ok", "ok"]
        assert [each.status for each in refused.observations] == ["raised", "raised"]
        assert "memory" in refused.observations[0].message
        assert refused.reference.status == "raised"
        assert executor.incidents == []
        assert executor.worker_pids.keys() >= {"cell-sse41", "reference"}
        for pid in executor.worker_pids.values():
            assert Path(f"/proc/{pid}/oom_score_adj").read_text().strip() == str(environment.LEAVES_FIRST)


def test_a_mark_is_whole(tmp_path: Path) -> None:
    """Only processes of that very mark are killed, and that there is none is no error."""
    line = [sys.executable, "-c", "import time; time.sleep(300)"]
    marks = (str(tmp_path), f"{tmp_path}0")
    sleepers = [subprocess.Popen(line, env={leftovers.MARK: mark}) for mark in marks]
    for _ in range(2):
        leftovers.kill_marked(marks[0])
    ended, other = sleepers
    assert ended.wait(SOON) == -signal.SIGKILL
    assert other.poll() is None
    other.kill()
    other.wait()
