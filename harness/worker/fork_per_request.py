"""A request in a process of its own that costs milliseconds: a fork of a worker that never ran a kernel.

OpenMP's threads do not survive a fork, so the parent must not have started any: it imports torch and nothing more.
"""

from __future__ import annotations

import contextlib
import importlib
import marshal
import os
import select
import signal
from typing import Any, Callable

from ..portable import cpu_time_limit

LAZY = ("torch.fx.experimental.symbolic_shapes", "torch._dynamo")
"""What recent PyTorch imports at the first `torch.autograd.grad` and in the first `torch.overrides` mode: half a second
and one of CPU in each child if they are not there."""


def prepare() -> None:
    """Import in the parent what each child would import for itself; nothing of it starts a thread."""
    for module in LAZY:
        with contextlib.suppress(Exception):  # an older PyTorch has no such module and needs none
            importlib.import_module(module)


def forked(work: Callable[[], Any], limit: float) -> Any:
    """What `work` returns, computed in a child; or a dict with `status` ``died`` or ``hung`` where it gives nothing.

    `limit` is in seconds, as `cpu_time_limit` counts them; a child that outlasts it is killed.
    """
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        _answer(work, write)
    os.close(write)
    answer, ended = _gather(read, cpu_time_limit.CpuTimeLimit(child, limit))
    os.close(read)
    if not ended:
        os.kill(child, signal.SIGKILL)
    _pid, status = os.waitpid(child, 0)
    if not ended:
        return {"status": "hung", "signal": 0, "message": f"no answer within {limit:g} s"}
    if status == 0:
        return marshal.loads(answer)  # noqa: S302 - written by our own child
    return dict(status="died", **ending(status))


def ending(status: int) -> dict[str, Any]:
    """`signal` and `message` of a process's wait status."""
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        return {"signal": number, "message": f"killed by {signal.Signals(number).name}"}
    return {"signal": 0, "message": f"exited with status {os.WEXITSTATUS(status)}"}


def _answer(work: Callable[[], Any], write: int) -> None:
    status = 1
    try:
        answer = memoryview(marshal.dumps(work(), 2))
        while answer:
            answer = answer[os.write(write, answer) :]
        status = 0
    finally:
        os._exit(status)


def _gather(read: int, watch: cpu_time_limit.CpuTimeLimit) -> tuple[bytes, bool]:
    """All bytes until the child closes its end, and whether it did before `watch` gave it up."""
    parts: list[bytes] = []
    while True:
        ready, _w, _x = select.select([read], [], [], watch.wait)
        if ready:
            part = os.read(read, 1 << 20)
            if not part:
                return b"".join(parts), True
            parts.append(part)
        elif watch.lost():
            return b"", False
