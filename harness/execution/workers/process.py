"""A worker process, however it came to be: spoken to in marshal bytes, ended by its id."""

from __future__ import annotations

import contextlib
import queue
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from harness.errors import UserError
from harness.execution.workers import environment
from harness.portable import protocol
from harness.portable.cpu_time_limit import CpuTimeLimit

START_LIMIT: Final = 180.0
"""Seconds that an interpreter may take to import torch; a cold disk is slow, a hang is longer."""

PROMPT: Final = 0.1
"""Seconds in which most replies come; only after them does a worker's CPU time count."""


@dataclass(frozen=True)
class Setup:
    """What a worker process needs to know: interpreter, role, environment, preload files, where its stderr goes."""

    name: str
    python: str
    role: str
    settings: Mapping[str, str]
    folder: Path
    preload: tuple[Path, ...] = ()
    traced: bool = False

    def told(self) -> bytes:
        """What the process is told first."""
        setup = {"role": self.role, "trace": self.traced, "preload": [*map(str, self.preload)]}
        return protocol.encode(setup)


@dataclass(frozen=True)
class Ended:
    """How a process ended: `signal` 0 where none did it; `message` quotes its last words."""

    signal: int
    message: str


@dataclass
class Process(ABC):
    """A running worker. `receive` gives (arrival time on the monotonic clock, reply); reply None means it has died."""

    setup: Setup
    generation: int = 0
    _inbox: queue.SimpleQueue[tuple[float, bytes | None]] = field(default_factory=queue.SimpleQueue)

    def __post_init__(self) -> None:
        self.stderr = self.setup.folder / f"{self.setup.name}.{self.generation}.err"

    @property
    @abstractmethod
    def pid(self) -> int:
        """The process id."""

    @abstractmethod
    def send(self, payload: bytes) -> None:
        """Send a request; a process that has died shows in `receive`, not here."""

    @abstractmethod
    def kill(self) -> None:
        """End it at once; a stopped process too. May be called again."""

    @abstractmethod
    def close(self) -> None:
        """Kill what still runs and let go of pipes and threads."""

    @abstractmethod
    def ending(self, seconds: float) -> tuple[int, str]:
        """The signal, 0 for none, and the text of how it ended; one that still runs after `seconds` is killed."""

    def _arrived(self, item: bytes | None) -> None:
        self._inbox.put((time.monotonic(), item))

    def broken(self, what: str) -> UserError:
        """The error that says why no worker runs: its last word on stderr, else `what`."""
        last = (environment.last_words(self.stderr, 1) or [what])[-1]
        return UserError(f"the interpreter {self.setup.python} cannot run a worker: {last}")

    def ready(self) -> dict[str, Any]:
        """Wait for the description of a started worker. Raises UserError where it cannot start."""
        try:
            _arrival, item = self.awaited(START_LIMIT)
        except queue.Empty:
            self.end()
            raise self.broken(f"no answer within {START_LIMIT:g} s") from None
        if item is None:
            ended = self.end()
            raise self.broken(ended.message)
        if item["problem"]:
            self.end()
            raise UserError(item["problem"])
        return item

    def receive(self, timeout: float) -> tuple[float, dict[str, Any] | None]:
        """The next reply and when it arrived. Raises queue.Empty after `timeout` seconds."""
        arrival, item = self._inbox.get(timeout=timeout) if timeout > 0 else self._inbox.get_nowait()
        return arrival, None if item is None else protocol.decode(item)

    def awaited(self, limit: float, begun: float | None = None) -> tuple[float, dict[str, Any] | None]:
        """As `receive`. Raises queue.Empty once the worker has had `limit` seconds, as `CpuTimeLimit` counts them."""
        with contextlib.suppress(queue.Empty):  # asking /proc would cost more than most replies
            return self.receive(min(limit, PROMPT))
        cpu_time_limit = CpuTimeLimit(self.pid, limit, begun)
        while True:
            try:
                return self.receive(cpu_time_limit.wait)
            except queue.Empty:
                if cpu_time_limit.is_reached():
                    raise

    def end(self) -> Ended:
        """Kill it if it runs, and say how it ended before that."""
        number, text = self.ending(0.5)  # its line closes a moment before the process has ended
        self.close()
        return Ended(number, "; ".join([text, *environment.last_words(self.stderr)]))
