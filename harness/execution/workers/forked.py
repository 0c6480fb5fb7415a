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
from collections.abc import Mapping
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final, cast

from harness.execution.workers import environment
from harness.execution.workers.process import START_LIMIT, Process, ProcessEnd, Setup
from harness.execution.workers.spawned import SpawnedProcess
from harness.portable import protocol

LONGEST_FIRST_MESSAGE: Final = 2**20
"""Bytes of the first message of a process; a number in its place that is no message is a larger one."""

LONGEST_PATH: Final = 104
"""Bytes of a socket's path that every system takes: sun_path has 108 on Linux, unix(7), and 104 on others."""

ANSWER_LIMIT: Final = 30.0
"""Seconds for a fork, or for a killed process to be gone."""

UNKNOWN_END: Final = ProcessEnd(0, "ended, and so did the process that could have told how")


class ForkUnsafeError(Exception):
    """The forks of a process cannot run kernels: it has started threads when it imported torch."""


class ForkServer:
    """The process that becomes workers; it answers requests in order."""

    def __init__(self, python: str, folder: Path, generation: int) -> None:
        setup = Setup("fork_server", python, "fork_server", environment.COMMON, folder)
        self._process = SpawnedProcess(setup, generation)
        self._is_ready = False
        self._sent = self._received = 0
        self._replies: dict[int, Mapping[str, Any]] = {}
        self.is_gone = False

    def send(self, request: protocol.SpawnRequest | protocol.WaitRequest) -> int:
        """Hand over a request and return at once; its number."""
        self._process.send(protocol.encode(request))
        self._sent += 1
        return self._sent

    def collect(self, number: int) -> Mapping[str, Any] | None:
        """Wait for the reply to a request; None where the process is gone.

        Raises UserError where it never started, ForkUnsafeError where its forks are of no use.
        """
        if not self._is_ready and not self.is_gone:
            self._wait_until_ready()
        while self._received < number and not self.is_gone:
            self._receive()
        return self._replies.pop(number, None)

    def _wait_until_ready(self) -> None:
        """As `collect`; whoever asks a process again that did not start finds it gone, and another may take over."""
        self.is_gone = True
        message = cast("protocol.ForkServerReadyMessage", self._process.wait_until_ready())
        self.is_gone = False
        if not message["fork_safe"]:
            raise ForkUnsafeError
        self._is_ready = True

    def _receive(self) -> None:
        reply = None
        with contextlib.suppress(queue.Empty):
            _arrival, reply = self._process.receive_within(ANSWER_LIMIT)
        self.is_gone = reply is None
        self._received += 1
        if reply is not None:
            self._replies[self._received] = reply

    def wait_for(self, pid: int, seconds: float) -> protocol.WaitReply | None:
        """How a worker ended; empty where it still runs after `seconds`, None where nobody can tell."""
        reply = self.collect(self.send({"op": "wait", "pid": pid, "seconds": seconds}))
        return cast("protocol.WaitReply | None", reply)

    def close(self) -> None:
        """End it. Its workers live as long as their connections."""
        self._process.close()


@dataclass
class ForkedProcess(Process):
    """A worker that the fork server became. It connects to a socket here, which carries the messages."""

    fork_server: ForkServer = field(kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        self._pid: int | None = None
        self._socket: socket.socket | None = None
        self._end: ProcessEnd | None = None
        address = str(self.path("socket"))
        self._listener = socket.socket(socket.AF_UNIX)
        try:
            self._listener.bind(address)
            self._listener.listen(1)
        except OSError as error:
            self._listener.close()
            raise self.start_error(f"no socket {address}: {error.strerror}") from None
        self._spawning = self.fork_server.send(
            {
                "op": "spawn",
                "settings": dict(self.setup.settings),
                "setup": self.setup.message(),
                "stderr": str(self.stderr),
                "address": address,
            }
        )

    @staticmethod
    def can_connect(setup: Setup, generation: int) -> bool:
        """Whether the path of its socket is short enough for the system."""
        return len(os.fsencode(setup.path(generation, "socket"))) < LONGEST_PATH

    @property
    def pid(self) -> int:
        """The process id. Raises RuntimeError before `wait_until_ready`."""
        if self._pid is None:
            raise RuntimeError(f"{self.setup.name} has no process yet")
        return self._pid

    def wait_until_ready(self) -> Mapping[str, Any]:
        """As every process; its connection is accepted here."""
        reply = self.fork_server.collect(self._spawning)
        if reply is None:
            raise self.start_error("the process that becomes workers has ended")
        self._pid = cast("protocol.SpawnReply", reply)["pid"]
        self._listener.settimeout(START_LIMIT)
        try:
            self._socket, _address = self._listener.accept()
        except TimeoutError:
            self.end()
            raise self.timeout_error() from None
        self._connection = Connection(os.dup(self._socket.fileno()))
        self._receiver = threading.Thread(target=self._receive_all, args=(self._connection,), daemon=True)
        self._receiver.start()
        return super().wait_until_ready()

    def _receive_all(self, connection: Connection) -> None:
        with contextlib.suppress(EOFError, OSError):
            self._deliver(_first_message(connection))
            while True:
                self._deliver(connection.recv_bytes())
        self._deliver(None)

    def send(self, message: bytes) -> None:
        """Send a request; a process that has died shows in `receive`, not here."""
        with contextlib.suppress(OSError):
            if self._socket is not None:
                self._connection.send_bytes(message)

    def wait_for_end(self, seconds: float) -> ProcessEnd:
        """As every process; its parent, the fork server, says how it ended."""
        if self._end is None:
            reply = self.fork_server.wait_for(self.pid, seconds)
            if not reply:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(self.pid, signal.SIGKILL)
                reply = self.fork_server.wait_for(self.pid, ANSWER_LIMIT)
            self._end = ProcessEnd(reply["signal"], reply["message"]) if reply else UNKNOWN_END
        return self._end

    def close(self) -> None:
        """Kill what still runs and let go of the connection; one that never had any ends when it finds no socket.

        The connection is shut down and not only closed: a child of the process may have its other end open.
        """
        if self._pid is not None:
            self.kill()
        self._listener.close()
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
            self._receiver.join(ANSWER_LIMIT)
            self._connection.close()
            self._socket.close()
            self._socket = None


def _first_message(connection: Connection) -> bytes:
    """The first message, or bytes that are none where its length cannot be true. Raises EOFError and OSError."""
    try:
        return connection.recv_bytes(LONGEST_FIRST_MESSAGE)
    except OSError as error:
        if error.errno is None:  # Connection's own refusal of the length, and not the system's word
            return b""
        raise
