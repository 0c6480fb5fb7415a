"""The fork server: a process that imports torch once and never runs a kernel, and becomes each worker by a fork.

Importing torch takes seconds of CPU, a fork milliseconds. oneDNN and ATen read their caps when the first kernel is
called, so a worker that sets them before that is capped as if it had been started with them: its proof says so. What is
read when a library is loaded (glibc's and OpenMP's variables) is the same for all workers, and the fork server has it.
"""

from __future__ import annotations

import contextlib
import marshal
import os
import socket
import time
import traceback
from multiprocessing.connection import Connection
from typing import Any, Callable, Iterator

from . import describe, fork_per_request

TRIAL = 5.0
"""Seconds that the first fork may take over a small convolution; it needs milliseconds."""
PAUSE = 0.002
"""Seconds between two looks at a process that is about to end."""


class Line:
    """A connection to the harness with the manners of an execnet channel: whole messages, iterated until it closes."""

    def __init__(self, address: str, first: bytes) -> None:
        speaker = socket.socket(socket.AF_UNIX)
        speaker.connect(address)
        self._connection = Connection(speaker.detach())
        self._first = [first]

    def receive(self) -> bytes:
        """The next message: at first what came with the request. Raises EOFError once the harness has closed."""
        return self._first.pop() if self._first else self._connection.recv_bytes()

    def send(self, message: bytes) -> None:
        """Send one message."""
        self._connection.send_bytes(message)

    def __iter__(self) -> Iterator[bytes]:
        with contextlib.suppress(EOFError, ConnectionResetError):
            while True:
                yield self.receive()


def tend(channel: Any, work: Callable[[Any], None]) -> None:
    """Answer until the channel closes; `work` is what a worker does with its line to the harness.

    ``spawn`` is answered with the new worker's process id, ``wait`` with how it ended, empty if it still runs after
    so many seconds.
    """
    fork_per_request.prepare()
    channel.send(marshal.dumps({"problem": "", "fertile": fertile()}, 2))
    for message in channel:
        request = marshal.loads(message)  # noqa: S302 - from the harness that started this process
        reply = _spawned(request, work) if request["op"] == "spawn" else _waited(request["pid"], request["seconds"])
        channel.send(marshal.dumps(reply, 2))


def fertile() -> bool:
    """Whether a fork can run a kernel: not where threads had been started here, which a fork has not and waits for."""
    return bool(fork_per_request.forked(lambda: {"ran": describe.small_convolution()}, TRIAL).get("ran"))


def _spawned(request: dict[str, Any], work: Callable[[Any], None]) -> dict[str, Any]:
    child = os.fork()
    if child == 0:
        _become(request, work)
    return {"pid": child}


def _become(request: dict[str, Any], work: Callable[[Any], None]) -> None:
    """The child: a worker until its line closes, with its own stderr from the first moment on."""
    status = 1
    try:
        stderr = os.open(request["stderr"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(stderr, 2)
        os.environ.update(request["settings"])
        work(Line(request["address"], request["setup"]))
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


def _waited(child: int, seconds: float) -> dict[str, Any]:
    end = time.monotonic() + seconds
    while True:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return fork_per_request.ending(status)
        if time.monotonic() >= end:
            return {}
        time.sleep(PAUSE)
