"""A supervisor: one place where examples run in order, whatever becomes of the processes behind it."""

from __future__ import annotations

import marshal
import queue
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from harness.execution.workers.process import FORMAT, Process, Setup

Reply = dict[str, Any]


@dataclass(eq=False)
class PendingRequest:
    """A request on its way: `limit` in seconds, from when the worker can begin it; `reply` once it is there."""

    request: Reply
    about: str
    limit: float
    sent: float = 0.0
    reply: Reply | None = None


class Supervisor(Protocol):
    """Takes requests, gives replies in the order asked for; a reply may be ``{"status": "died" or "hung", …}``."""

    def send(self, pending: PendingRequest) -> PendingRequest:
        """Hand over a request and return at once."""

    def collect(self, pending: PendingRequest) -> Reply:
        """Wait for its reply."""

    def close(self) -> None:
        """End everything behind it."""


class InProcessSupervisor:
    """Runs requests in this very process, when their reply is collected: for a debugger."""

    def __init__(self, serve: Any) -> None:
        self._worker = serve.Worker("local", traced=False)

    def ready(self, preload: list[str]) -> Reply:
        """Load the preload files and describe the build."""
        reply: Reply = self._worker.ready(preload)
        return reply

    def send(self, pending: PendingRequest) -> PendingRequest:
        """Keep it for `collect`."""
        return pending

    def collect(self, pending: PendingRequest) -> Reply:
        """Run it here."""
        if pending.reply is None:
            pending.reply = self._worker.answer(pending.request)
        return _sound(pending.reply)

    def close(self) -> None:
        """Nothing runs elsewhere."""


class WorkerSupervisor:
    """Runs requests in a worker process, and replaces it when it dies or outlasts a limit.

    Requests are answered in order, so the culprit is always the oldest one unanswered; those behind it are sent again
    to the new process. `launch` starts a process from a setup and how many there were before; `note` is told about
    each incident.
    """

    def __init__(self, setup: Setup, launch: Callable[[Setup, int], Process], note: Callable[[str], None]) -> None:
        self.setup = setup
        self._launch = launch
        self.description: Reply = {}
        self._note = note
        self._waiting: deque[PendingRequest] = deque()
        self._last = 0.0
        self._count = 0
        self._process: Process | None = None

    def start(self) -> None:
        """Start a process without waiting for it. Raises UserError where the interpreter does not run."""
        self._process = self._launch(self.setup, self._count)
        self._count += 1

    def ready(self) -> Reply:
        """Wait until the process can take requests; its description. Raises UserError where it cannot start."""
        self.description = self.process.ready()
        return self.description

    @property
    def process(self) -> Process:
        """The process now behind the supervisor. Raises RuntimeError before `start` and after `close`."""
        if self._process is None:
            raise RuntimeError(f"the worker {self.setup.name} has not been started or is closed")
        return self._process

    def send(self, pending: PendingRequest) -> PendingRequest:
        """Hand over a request and return at once."""
        self._waiting.append(pending)
        self._dispatch(pending)
        return pending

    def _dispatch(self, pending: PendingRequest) -> None:
        pending.sent = time.monotonic()
        self.process.send(marshal.dumps(pending.request, FORMAT))

    def collect(self, pending: PendingRequest) -> Reply:
        """Wait for its reply; what was asked before it is settled first, even if nobody collects it."""
        while pending.reply is None:
            self._settle(self._waiting[0])
        return _sound(pending.reply)

    def _settle(self, head: PendingRequest) -> None:
        """Get the reply of the oldest request, or find out why there is none."""
        lost = True
        try:
            self._last, reply = self.process.awaited(head.limit, max(head.sent, self._last))
        except queue.Empty:
            self.process.kill()
            head.reply = {"status": "hung", "signal": 0, "message": f"no answer within {head.limit:g} s"}
        else:
            head.reply = self._died() if reply is None else reply
            lost = reply is None
        self._waiting.popleft()
        if lost:
            self._replace(head)

    def _died(self) -> Reply:
        ended = self.process.end()
        return {"status": "died", "signal": ended.signal, "message": ended.message}

    def _replace(self, culprit: PendingRequest) -> None:
        told = culprit.reply or {}
        self._note(f"worker {self.setup.name} {told['status']} ({told['message']}) on {culprit.about}; replaced")
        self.process.close()
        self.start()
        self.ready()
        self._last = 0.0
        for pending in self._waiting:
            self._dispatch(pending)

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.close()
            self._process = None


def _sound(reply: Reply) -> Reply:
    """The reply, unless the worker itself went wrong: that is a fault of the harness and no observation."""
    if "fault" in reply:
        raise RuntimeError(f"the worker could not carry out a request:\n{reply['fault']}")
    return reply
