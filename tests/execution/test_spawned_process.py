"""A worker with an interpreter of its own: its id and its end are known, whoever ends it."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.errors import UserError
from harness.execution.workers import environment
from harness.execution.workers.process import ProcessEnd, Setup
from harness.execution.workers.spawned import SpawnedProcess
from harness.portable import protocol
from tests.execution.test_interpreters import script


@pytest.fixture
def process(tmp_path: Path) -> Iterator[SpawnedProcess]:
    """A reference worker that is ready."""
    setup = Setup("reference", sys.executable, "reference", environment.COMMON, tmp_path)
    started = SpawnedProcess(setup)
    assert started.wait_until_ready()["problem"] == ""
    yield started
    started.close()


def is_there(pid: int) -> bool:
    """Whether the process exists, be it that nobody has waited for it yet."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_process_that_is_killed_has_a_signal(process: SpawnedProcess) -> None:
    """Its connection closes, and its end can be asked for again."""
    os.kill(process.pid, signal.SIGABRT)
    _arrival, reply = process.receive(60.0)
    assert reply is None
    end = process.end()
    assert (end.signal, end.message.partition(";")[0]) == (signal.SIGABRT, "killed by SIGABRT")
    assert process.wait_for_end(0.0) == ProcessEnd(signal.SIGABRT, "killed by SIGABRT")
    assert not is_there(process.pid)


def test_a_stopped_process_is_killed(process: SpawnedProcess) -> None:
    """It cannot end by itself, and is gone at once; sending to it is no error."""
    os.kill(process.pid, signal.SIGSTOP)
    process.kill()
    process.send(protocol.encode({"op": "packages", "requires": ()}))
    assert process.wait_for_end(60.0).signal == signal.SIGKILL
    assert not is_there(process.pid)


def test_an_interpreter_that_ends_without_an_answer_is_a_mistake(tmp_path: Path) -> None:
    """It raises UserError with its last word; no process and no pipe is left."""
    python = script(tmp_path / "python", "echo 'not today' >&2; exec head -n 1 >/dev/null")
    with pytest.raises(UserError, match=r"cannot run a worker: not today$"):
        SpawnedProcess(Setup("reference", python, "reference", {}, tmp_path))
    assert not is_there(int((tmp_path / "reference.0.pid").read_text()))
