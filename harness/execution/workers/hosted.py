"""A worker on another machine: execnet starts ssh, and ssh a watchdog there, whose child is the worker."""

from __future__ import annotations

import contextlib
import signal
import uuid
from dataclasses import dataclass, field
from typing import ClassVar, Final

from harness.execution.host_address import LOST_AFTER, HostAddress
from harness.execution.workers import bundle, environment
from harness.execution.workers.process import ProcessEnd
from harness.execution.workers.spawned import SpawnedProcess
from harness.portable.watched_end import DISCONNECTED, SIGNALLED

ANSWER_LIMIT: Final = 2 * LOST_AFTER
"""Seconds for a worker to say what CPU time it has used: enough for ssh to find out that there is no connection."""


@dataclass
class HostedProcess(SpawnedProcess):
    """A worker that ssh runs. What ends here is ssh: `pid` is its id, and its exit status tells of the worker.

    To kill it is to end the connection, at which the watchdog kills the worker (`worker/watchdog.py`). What the worker
    and ssh itself write to their stderr comes back here.
    """

    address: HostAddress = field(kw_only=True)
    end_limit: ClassVar[float] = 5.0

    def __post_init__(self) -> None:
        self._cpu_seconds = 0.0
        super().__post_init__()

    def _connect(self) -> None:
        super()._connect()
        self._clock = self._gateway.remote_exec(bundle.CLOCK)

    def _command(self) -> str:
        source = bundle.watchdog_source(self.setup.settings, environment.SCRUBBED, uuid.uuid4().hex)
        return environment.remote_command(self.address.command(source), self.stderr, self.path("pid"))

    def cpu_seconds(self) -> float:
        """The CPU time that the worker has used so far, by itself; what it said last where it does not answer."""
        with contextlib.suppress(OSError, EOFError, self._clock.RemoteError):
            self._clock.send(None)
            self._cpu_seconds = self._clock.receive(ANSWER_LIMIT)
        return self._cpu_seconds

    def _end_of(self, code: int) -> ProcessEnd:
        if code < 0 or code == DISCONNECTED:
            return ProcessEnd(0, f"no connection to {self.address.name}", is_disconnected=True)
        number = code - SIGNALLED
        if number in [*signal.Signals]:
            return ProcessEnd(number, f"killed by {signal.Signals(number).name}")
        return super()._end_of(code)
