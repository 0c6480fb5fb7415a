"""The fork server: a process that imports torch once and never runs a kernel, and becomes each worker by a fork.

Importing torch takes seconds of CPU, a fork milliseconds. oneDNN and ATen read their caps when the first kernel is
called, so a worker that sets them before that is capped as if it had been started with them: its proof says so. What is
read when a library is loaded (glibc's and OpenMP's variables) is the same for all workers, and the fork server has it.
"""

from __future__ import annotations

import contextlib
import os
import stat
import time
import traceback
from pathlib import Path
from typing import Callable

from ..portable import protocol
from ..portable.protocol import (
    FORK_SERVER_OPERATIONS,
    ForkServerReadyMessage,
    SpawnReply,
    SpawnRequest,
    WaitReply,
    WaitRequest,
)
from . import describe, fork_per_request
from .channel import Channel, SocketChannel

TRIAL_LIMIT = 5.0
"""Seconds that the first fork may take over a small convolution; it needs milliseconds."""
PAUSE = 0.002
"""Seconds between two looks at a process that is about to end."""

ServeWorker = Callable[[Channel], None]
"""What a worker does with its channel."""


def serve_forks(channel: Channel, serve: ServeWorker) -> None:
    """Answer until the channel closes; each ``spawn`` makes a worker that does `serve`.

    Raises ValueError for an operation that there is not.
    """
    fork_per_request.prepare()
    ready: ForkServerReadyMessage = {"problem": "", "fork_safe": can_forks_run_kernels()}
    channel.send(protocol.encode(ready))
    for message in channel:
        channel.send(protocol.encode(_reply(protocol.decode(message), serve)))


def _reply(request: SpawnRequest | WaitRequest, serve: ServeWorker) -> SpawnReply | WaitReply:
    if request["op"] == "spawn":
        return _spawn(request, serve)
    if request["op"] == "wait":
        return _wait(request)
    raise ValueError(protocol.unknown_operation(request["op"], FORK_SERVER_OPERATIONS))


def can_forks_run_kernels() -> bool:
    """Whether a fork can run a kernel: not where threads had been started here, which a fork has not and waits for."""
    reply = fork_per_request.run_in_fork(lambda: {"ran": describe.run_small_convolution()}, TRIAL_LIMIT)
    return "ran" in reply


def _spawn(request: SpawnRequest, serve: ServeWorker) -> SpawnReply:
    child = os.fork()
    if child == 0:
        _become_worker(request, serve)
    return {"pid": child}


def _become_worker(request: SpawnRequest, serve: ServeWorker) -> None:
    """The child: a worker until its channel closes, with its own stderr from the first moment on."""
    status = 1
    try:
        stderr = os.open(request["stderr"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(stderr, 2)
        _close_pipes()
        os.environ.update(request["settings"])
        serve(SocketChannel(request["address"], request["setup"]))
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


def _close_pipes() -> None:
    """Let go of the pipes to the harness, which are the fork server's: nothing that runs here may speak for it."""
    opened = Path("/proc/self/fd")
    for number in sorted(int(entry.name) for entry in opened.iterdir()) if opened.exists() else ():
        with contextlib.suppress(OSError):  # the listing's own is closed by now
            if number > 2 and stat.S_ISFIFO(os.fstat(number).st_mode):
                os.close(number)


def _wait(request: WaitRequest) -> WaitReply:
    end = time.monotonic() + request["seconds"]
    while True:
        ended, status = os.waitpid(request["pid"], os.WNOHANG)
        if ended:
            ending = fork_per_request.ending_of(status)
            return {"signal": ending["signal"], "message": ending["message"]}
        if time.monotonic() >= end:
            return {}
        time.sleep(PAUSE)
