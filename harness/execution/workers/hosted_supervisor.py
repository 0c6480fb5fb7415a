"""A supervisor of a worker on another machine: a lost connection is no answer, and a lost machine no end of the run."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from harness.errors import UserError
from harness.execution.workers.process import Process, Setup
from harness.execution.workers.supervisor import HostLost, PendingRequest, Reply, Request, WorkerLost, WorkerSupervisor
from harness.portable.protocol import ReadyMessage

PAUSES: Final = (0.0, 2.0, 8.0, 20.0)
"""Seconds before each attempt to reach a machine again: a network that is down for half a minute costs no level."""

MOST_LOSSES: Final = 3
"""Connections that may be lost on one request: what is asked for may itself be what takes the machine away."""


@dataclass
class HostLink:
    """What the supervisors of one machine's workers know of it together.

    `lose` takes the levels of it and the reason once it is given up, and raises UserError where there are no others.
    `is_open`: its workers have answered, so that the run has begun; `lost` is why it was given up, empty before.
    """

    name: str
    levels: Sequence[str]
    lose: Callable[[Sequence[str], str], None]
    is_open: bool = False
    lost: str = ""

    def give_up(self, message: str) -> HostLost:
        """Give it up, if it was not; the loss of whatever is asked of it. Raises UserError as `lose` does."""
        if not self.lost:
            self.lost = f"host {self.name} is lost: {message}"
            self.lose(self.levels, self.lost)
        return HostLost(self.lost)


class HostedSupervisor(WorkerSupervisor):
    """Runs requests in a worker on another machine.

    Where the connection is lost it connects again and sends what waits once more: a call has no lasting effect, so it
    may be made twice. Where that fails for good the machine is given up, and each request to it is a HostLost.
    """

    def __init__(
        self, setup: Setup, launch: Callable[[Setup, int], Process], note: Callable[[str], None], link: HostLink
    ) -> None:
        super().__init__(setup, launch, note)
        self._link = link
        self._losses = 0

    def start(self) -> None:
        """As every supervisor; once the run has begun `wait_until_ready` says that it cannot start."""
        try:
            super().start()
        except UserError:
            if not self._link.is_open:
                raise

    def wait_until_ready(self) -> ReadyMessage:
        """As every supervisor; once the run has begun it is tried for a while. Raises HostLost where that is in vain.

        Raises UserError where there are no levels beside those of the machine.
        """
        if not self._link.is_open:
            return super().wait_until_ready()
        message = ""
        for pause in () if self._link.lost else PAUSES:
            time.sleep(pause)
            try:
                return super().wait_until_ready()
            except UserError as error:
                message = str(error)
        raise self._link.give_up(message)

    def send(self, request: Request, *, about: str, limit: float) -> PendingRequest:
        """As every supervisor; to a machine that was given up nothing goes any more."""
        try:
            return super().send(request, about=about, limit=limit)
        except HostLost as lost:
            return PendingRequest(self, request, about, limit, outcome=lost)

    def _take_outcome(self, oldest: PendingRequest, outcome: Reply | WorkerLost) -> None:
        """Keep the request where only the connection was lost."""
        if not isinstance(outcome, HostLost):
            self._losses = 0
            super()._take_outcome(oldest, outcome)
            return
        self._losses += 1
        about = f"worker {self.setup.name}: the connection to {self._link.name} was lost ({outcome.message})"
        self._note(f"{about} on {oldest.about}; sent again")
        if self._losses < MOST_LOSSES:
            self._restart()
        else:
            self.close()
            self._lose_waiting(self._link.give_up(f"its connection was lost {MOST_LOSSES} times on {oldest.about}"))

    def _restart(self) -> None:
        """Start another process and give it what waits, which is lost where the machine is."""
        try:
            super()._restart()
        except HostLost as lost:
            self._lose_waiting(lost)
