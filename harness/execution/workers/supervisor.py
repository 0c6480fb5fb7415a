"""A supervisor: one place where requests run in order, whatever becomes of the processes behind it."""

from __future__ import annotations

import queue
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from harness.errors import UserError
from harness.execution.workers.process import Process, Setup
from harness.portable import protocol
from harness.portable.protocol import LostStatus, ReadyMessage

Request = Mapping[str, object]
"""Plain data that marshal can write; `op` says what is asked for."""

Reply = Mapping[str, Any]
"""Plain data from a worker; what it holds depends on the request."""

LOST: Final[tuple[LostStatus, ...]] = ("died", "hung")


class WorkerLost(Exception):  # noqa: N818 - a kernel that crashes is what is looked for, and no error of the harness
    """No reply will come: the process that had the request has died, or does not answer.

    `how` says which. `signal` is the number of the signal that ended the process, 0 for none. `message` tells how the
    process ended and quotes its last words.
    """

    def __init__(self, how: LostStatus, signal: int, message: str) -> None:
        super().__init__(message)
        self.how = how
        self.signal = signal
        self.message = message


class HostLost(WorkerLost):
    """No reply will come: the connection to the worker's machine is lost. It says nothing of what was asked."""

    def __init__(self, message: str) -> None:
        super().__init__("died", 0, message)


@dataclass(eq=False)
class PendingRequest:
    """A request that a supervisor has taken.

    `about` is what an incident says it was about. `limit` is in seconds, from when the worker can begin it, and `sent`
    a time on the monotonic clock.
    """

    supervisor: Supervisor
    request: Request
    about: str
    limit: float
    sent: float = 0.0
    outcome: Reply | WorkerLost | None = None

    def collect(self) -> Reply:
        """Wait for the reply, and give it as often as it is asked for.

        Raises WorkerLost where none will come, and RuntimeError with the worker's traceback where the request could not
        be carried out, which is a fault of the harness and no observation.
        """
        if self.outcome is None:
            self.supervisor.settle(self)
        return _sound_reply(self.outcome)

    def collect_outcome(self) -> Reply | WorkerLost:
        """Wait as `collect` does, and return a loss where that raises it."""
        try:
            return self.collect()
        except WorkerLost as lost:
            return lost


def _sound_reply(outcome: Reply | WorkerLost | None) -> Reply:
    """The reply, unless it says that there is none: a worker that forks for each request tells of its forks' ends."""
    assert outcome is not None  # noqa: S101 - a supervisor settles what it is asked to settle
    if isinstance(outcome, WorkerLost):
        raise outcome
    if "fault" in outcome:
        raise RuntimeError(f"the worker could not carry out a request:\n{outcome['fault']}")
    if outcome.get("status") in LOST:
        raise WorkerLost(outcome["status"], outcome.get("signal", 0), outcome.get("message", ""))
    return outcome


class Supervisor(ABC):
    """Takes requests and answers them in the order in which they came."""

    def ask(self, request: Request, *, about: str, limit: float) -> Reply:
        """Wait for the reply to one request. Raises as `PendingRequest.collect` does."""
        return self.send(request, about=about, limit=limit).collect()

    @abstractmethod
    def send(self, request: Request, *, about: str, limit: float) -> PendingRequest:
        """Hand over one of several requests that are to be under way at once, and return at once."""

    @abstractmethod
    def settle(self, pending: PendingRequest) -> None:
        """Wait for the outcome of a request that was sent here."""

    @abstractmethod
    def close(self) -> None:
        """End everything behind it."""


class InProcessSupervisor(Supervisor):
    """Runs requests in this very process, when their reply is collected: for a debugger."""

    def __init__(self, serve: Any) -> None:
        self._worker = serve.Worker("local", traced=False)

    def prepare(self, preload: list[str]) -> ReadyMessage:
        """Load the preload files and describe the build."""
        message: ReadyMessage = self._worker.ready(preload)
        return message

    def send(self, request: Request, *, about: str, limit: float) -> PendingRequest:
        """Keep it until its reply is collected."""
        return PendingRequest(self, request, about, limit)

    def settle(self, pending: PendingRequest) -> None:
        """Run it here."""
        pending.outcome = self._worker.answer(pending.request)

    def close(self) -> None:
        """Nothing runs elsewhere."""


class WorkerSupervisor(Supervisor):
    """Runs requests in a worker process, and replaces it when it dies or outlasts a limit.

    Requests are answered in order, so the culprit is always the oldest one unanswered; those behind it are sent again
    to the new process. `launch` starts a process from a setup and the number of those there were before; `note` takes
    the message of each incident.
    """

    def __init__(self, setup: Setup, launch: Callable[[Setup, int], Process], note: Callable[[str], None]) -> None:
        self.setup = setup
        self._launch = launch
        self._note = note
        self._waiting: deque[PendingRequest] = deque()
        self._last_arrival = 0.0
        self._generation = 0
        self._process: Process | None = None
        self._description: ReadyMessage | None = None
        self._has_failed_to_start = False

    def start(self) -> None:
        """Start a process without waiting for it. Raises UserError where the interpreter does not run."""
        self._start_process()

    def _start_process(self) -> None:
        self._has_failed_to_start = True  # until it is there
        generation, self._generation = self._generation, self._generation + 1
        self._process = self._launch(self.setup, generation)
        self._has_failed_to_start = False

    def wait_until_ready(self) -> ReadyMessage:
        """Wait until the process can take requests; its description, as often as it is asked for.

        Where one could not start before, another is started. Raises UserError where it cannot start either.
        """
        if self._has_failed_to_start:
            self._start_process()
        if self._description is None:
            try:
                self._description = cast("ReadyMessage", self.process.wait_until_ready())
            except BaseException:
                self.close()
                self._has_failed_to_start = True
                raise
        return self._description

    @property
    def pid(self) -> int | None:
        """The id of the process now behind the supervisor; None where there is none."""
        return self._process.pid if self._process is not None else None

    @property
    def process(self) -> Process:
        """The process now behind the supervisor. Raises RuntimeError before `start` and after `close`."""
        if self._process is None:
            raise RuntimeError(f"the worker {self.setup.name} has not been started or is closed")
        return self._process

    def send(self, request: Request, *, about: str, limit: float) -> PendingRequest:
        """Give it to the process, behind what that has not answered yet.

        Raises UserError where a process could not be started before and cannot be now.
        """
        self.wait_until_ready()
        pending = PendingRequest(self, request, about, limit)
        self._waiting.append(pending)
        self._dispatch(pending)
        return pending

    def _dispatch(self, pending: PendingRequest) -> None:
        pending.sent = time.monotonic()
        self.process.send(protocol.encode(pending.request))

    def settle(self, pending: PendingRequest) -> None:
        """Wait for its outcome; what was sent before it is settled first, even if nobody collects that."""
        while pending.outcome is None:
            oldest = self._waiting[0]
            self._take_outcome(oldest, self._await_outcome(oldest))

    def _take_outcome(self, oldest: PendingRequest, outcome: Reply | WorkerLost) -> None:
        """Give the oldest request its outcome, and replace the process where that is lost."""
        oldest.outcome = outcome
        self._waiting.popleft()
        if isinstance(outcome, WorkerLost):
            self._replace(outcome, oldest.about)

    def _lose_waiting(self, lost: WorkerLost) -> None:
        """No reply will come to any of the requests."""
        while self._waiting:
            self._waiting.popleft().outcome = lost

    def _await_outcome(self, oldest: PendingRequest) -> Reply | WorkerLost:
        """The reply to the oldest request, or why there is none."""
        try:
            self._last_arrival, reply = self.process.receive_within(oldest.limit, max(oldest.sent, self._last_arrival))
        except queue.Empty:
            if not self.process.has_ended():
                self.process.kill()
                return WorkerLost("hung", 0, f"no answer within {oldest.limit:g} s")
            reply = None  # a child of the process keeps its connection open
        if reply is not None:
            return reply
        end = self.process.end()
        return HostLost(end.message) if end.is_disconnected else WorkerLost("died", end.signal, end.message)

    def _replace(self, lost: WorkerLost, about: str) -> None:
        """Start another process and give it what waits. Raises UserError where none starts; what waits is lost then."""
        self._note(f"worker {self.setup.name} {lost.how} ({lost.message}) on {about}; replaced")
        self._restart()

    def _restart(self) -> None:
        """Start another process and give it what waits. Raises as `_replace` does."""
        self.close()
        try:
            self.start()
            self.wait_until_ready()
        except UserError as error:
            self._lose_waiting(WorkerLost("died", 0, f"no other worker could be started: {error}"))
            raise
        self._last_arrival = 0.0
        for pending in self._waiting:
            self._dispatch(pending)

    def close(self) -> None:
        """End the process."""
        self._description = None
        if self._process is not None:
            self._process.close()
            self._process = None
