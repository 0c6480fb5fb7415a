"""Workers forked from one process that has imported torch: ready in milliseconds instead of seconds.

See `worker/fork_server.py` for why their caps hold all the same.
"""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import socket
import threading
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

from harness.execution.workers import environment
from harness.execution.workers.process import START_LIMIT, Process, Setup
from harness.execution.workers.spawned import SpawnedProcess
from harness.portable import protocol

LONGEST: Final = 104
"""Bytes of a socket's path that every system takes: sun_path has 108 on Linux, unix(7), and 104 on others."""

ANSWER_LIMIT: Final = 30.0
"""Seconds for a fork, or for a killed process to be gone."""


class ForkUnsafeError(Exception):
    """The forks of a process cannot run kernels: it has started threads when it imported torch."""


class ForkServer:
    """The process that becomes workers; it answers requests in order."""

    def __init__(self, python: str, folder: Path, generation: int) -> None:
        self._process = SpawnedProcess(
            Setup("fork_server", python, "fork_server", environment.COMMON, folder), generation
        )
        self._started = False
        self._asked = self._heard = 0
        self._answers: dict[int, dict[str, Any]] = {}
        self.gone = False

    def ask(self, request: dict[str, Any]) -> int:
        """Hand over a request and return at once; its number."""
        self._process.send(protocol.encode(request))
        self._asked += 1
        return self._asked

    def answer(self, number: int) -> dict[str, Any] | None:
        """Wait for the answer to a request; None where the process is gone.

        Raises UserError where it never started, ForkUnsafeError where its forks are of no use.
        """
        if not self._started:
            if not self._process.ready()["fork_safe"]:
                raise ForkUnsafeError
            self._started = True
        while self._heard < number and not self.gone:
            self._hear()
        return self._answers.pop(number, None)

    def _hear(self) -> None:
        reply = None
        with contextlib.suppress(queue.Empty):
            _arrival, reply = self._process.awaited(ANSWER_LIMIT)
        self.gone = reply is None
        self._heard += 1
        if reply is not None:
            self._answers[self._heard] = reply

    def waited(self, pid: int, seconds: float) -> dict[str, Any] | None:
        """How a worker ended; empty where it still runs after `seconds`, None where nobody can tell."""
        return self.answer(self.ask({"op": "wait", "pid": pid, "seconds": seconds}))

    def close(self) -> None:
        """End it. Its workers live as long as their lines."""
        self._process.close()


def address(setup: Setup, generation: int) -> Path:
    """The path of the socket on which a worker's line arrives."""
    return setup.folder / f"{setup.name}.{generation}.line"


def is_fork_safe(setup: Setup, generation: int) -> bool:
    """Whether the path is short enough for a socket."""
    return len(os.fsencode(address(setup, generation))) < LONGEST


@dataclass
class ForkedProcess(Process):
    """A worker that the fork server became."""

    fork_server: ForkServer = field(kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        self._pid: int | None = None
        self._line: Connection | None = None
        self._ended: tuple[int, str] | None = None
        where = str(address(self.setup, self.generation))
        self._door = socket.socket(socket.AF_UNIX)
        self._door.bind(where)
        self._door.listen(1)
        told = {"settings": dict(self.setup.settings), "setup": self.setup.told()}
        self._birth = self.fork_server.ask({"op": "spawn", **told, "stderr": str(self.stderr), "address": where})

    @property
    def pid(self) -> int:
        """The process id. Raises RuntimeError before `ready`."""
        if self._pid is None:
            raise RuntimeError(f"{self.setup.name} has no process yet")
        return self._pid

    def ready(self) -> dict[str, Any]:
        """As every process; its line is picked up here."""
        born = self.fork_server.answer(self._birth)
        if born is None:
            raise self.broken("the process that becomes workers has ended")
        self._pid = int(born["pid"])
        self._door.settimeout(START_LIMIT)
        try:
            speaker, _address = self._door.accept()
        except TimeoutError:
            ended = self.end()
            raise self.broken(ended.message) from None
        self._line = Connection(speaker.detach())
        self._ears = threading.Thread(target=self._listen, args=(self._line,), daemon=True)
        self._ears.start()
        return super().ready()

    def _listen(self, line: Connection) -> None:
        with contextlib.suppress(EOFError, OSError):
            while True:
                self._arrived(line.recv_bytes())
        self._arrived(None)

    def send(self, payload: bytes) -> None:
        """Send a request; a process that has died shows in `receive`, not here."""
        with contextlib.suppress(OSError):
            if self._line is not None:
                self._line.send_bytes(payload)

    def ending(self, seconds: float) -> tuple[int, str]:
        """As the fork server's wait for it says."""
        if self._ended is None:
            told = self.fork_server.waited(self.pid, seconds)
            if not told:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(self.pid, signal.SIGKILL)
                told = self.fork_server.waited(self.pid, ANSWER_LIMIT)
            lost = 0, "ended, and so did the process that could have told how"
            self._ended = (int(told["signal"]), str(told["message"])) if told else lost
        return self._ended

    def kill(self) -> None:
        """End it at once; a stopped process too."""
        if self._pid is not None:
            self.ending(0.0)

    def close(self) -> None:
        """Kill what still runs and let go of the line; a worker that never had one ends when it finds no door."""
        self.kill()
        self._door.close()
        if self._line is not None:
            self._ears.join(ANSWER_LIMIT)
            self._line.close()
            self._line = None
