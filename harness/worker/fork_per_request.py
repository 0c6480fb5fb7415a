"""A request in a process of its own that costs milliseconds: a fork of a worker that never ran a kernel.

OpenMP's threads do not survive a fork, so the parent must not have started any: it imports torch and nothing more.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import select
import signal
from typing import Callable, Mapping, TypeVar

from ..portable import cpu_time_limit, protocol
from ..portable.protocol import EndingData, LostReply
from .stray_forks import end_stray_fork

LAZY = ("torch.fx.experimental.symbolic_shapes", "torch._dynamo", "torch._decomp.decompositions_for_jvp")
"""What recent PyTorch imports at the first `torch.autograd.grad`, in the first `torch.overrides` mode and for the first
tangent: half a second, one, and a third of CPU in each child if they are not there."""

Reply = TypeVar("Reply", bound=Mapping[str, object])


def prepare() -> None:
    """Import in the parent what each child would import for itself; nothing of it starts a thread.

    What is there now is no garbage: a child that looked through it would copy 120 MB of memory.
    """
    for module in LAZY:
        with contextlib.suppress(Exception):  # an older PyTorch has no such module and needs none
            importlib.import_module(module)
    gc.freeze()


def run_in_fork(work: Callable[[], Reply], limit: float) -> Reply | LostReply:
    """What `work` returns, computed in a child; or how the child was lost where it gives nothing.

    `limit` is in seconds, as `cpu_time_limit` counts them; a child that outlasts it is killed.
    """
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        _write_reply(work, write)
    os.close(write)
    message, in_time = _read_all(read, cpu_time_limit.CpuTimeLimit(child, limit))
    os.close(read)
    if not in_time:
        os.kill(child, signal.SIGKILL)
    _pid, status = os.waitpid(child, 0)
    if not in_time:
        return {"status": "hung", "signal": 0, "message": f"no answer within {limit:g} s"}
    if status == 0:
        reply: Reply = protocol.decode(message)
        return reply
    ending = ending_of(status)
    return {"status": "died", "signal": ending["signal"], "message": ending["message"]}


def ending_of(status: int) -> EndingData:
    """How a process ended, from what waitpid says of it."""
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        return {"signal": number, "message": f"killed by {signal.Signals(number).name}"}
    return {"signal": 0, "message": f"exited with status {os.WEXITSTATUS(status)}"}


def _write_reply(work: Callable[[], Mapping[str, object]], write: int) -> None:
    status, owner = 1, os.getpid()
    try:
        reply = work()
        end_stray_fork(owner)
        message = memoryview(protocol.encode(reply))
        while message:
            message = message[os.write(write, message) :]
        status = 0
    finally:
        os._exit(status)


def _read_all(read: int, limit: cpu_time_limit.CpuTimeLimit) -> tuple[bytes, bool]:
    """All bytes until the child closes its end, and whether it did before `limit` gave it up."""
    parts: list[bytes] = []
    while True:
        ready, _w, _x = select.select([read], [], [], limit.wait)
        if ready:
            part = os.read(read, 1 << 20)
            if not part:
                return b"".join(parts), True
            parts.append(part)
        elif limit.is_reached():
            return b"", False
