"""A worker process, however it came to be: spoken to in messages of `portable.protocol`, ended by its id."""

from __future__ import annotations

import contextlib
import queue
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, Final

from harness.errors import UserError
from harness.execution.workers import environment
from harness.portable import protocol
from harness.portable.cpu_time_limit import CpuTimeLimit, cpu_seconds

START_LIMIT: Final = 180.0
"""Seconds that an interpreter may take to import torch; a cold disk is slow, a hang is longer."""

PROMPT: Final = 0.1
"""Seconds in which most replies come; only after them does a worker's CPU time count."""

END_LIMIT: Final = 0.5
"""Seconds for a process to end whose connection has closed, which happens a moment before."""

GARBLED: Final = "it sent what is no message, as where a file that it runs writes to the worker's own descriptors"
"""What is said of a process whose words cannot be understood."""


@dataclass(frozen=True)
class Setup:
    """What a worker process needs to know: interpreter, role, environment, preload files, where its stderr goes."""

    name: str
    python: str
    role: protocol.Role
    settings: Mapping[str, str]
    folder: Path
    preload: tuple[Path, ...] = ()
    traced: bool = False

    def path(self, generation: int, suffix: str) -> Path:
        """A file or socket of one of its processes alone."""
        return self.folder / f"{self.name}.{generation}.{suffix}"

    def message(self) -> bytes:
        """The first message to the process, encoded."""
        setup: protocol.SetupMessage = {
            "role": self.role,
            "trace": self.traced,
            "preload": [*map(str, self.preload)],
        }
        return protocol.encode(setup)


@dataclass(frozen=True)
class ProcessEnd:
    """How a process ended: the number of the `signal` that did it, 0 for none, and a text.

    `is_disconnected`: nothing is known of it but that the connection to its machine was lost.
    """

    signal: int
    message: str
    is_disconnected: bool = False


@dataclass
class Process(ABC):
    """A process that runs as a worker; `generation` is the number of those of this setup there were before it."""

    setup: Setup
    generation: int = 0
    end_limit: ClassVar[float] = END_LIMIT
    _inbox: queue.SimpleQueue[tuple[float, bytes | None]] = field(default_factory=queue.SimpleQueue)

    def __post_init__(self) -> None:
        self.stderr = self.path("err")
        self._is_garbled = False

    def path(self, suffix: str) -> Path:
        """A file or socket of this process alone."""
        return self.setup.path(self.generation, suffix)

    @property
    @abstractmethod
    def pid(self) -> int:
        """The process id. Raises RuntimeError where there is no process."""

    @abstractmethod
    def send(self, message: bytes) -> None:
        """Send a request; a process that has died shows in `receive`, not here."""

    @abstractmethod
    def wait_for_end(self, seconds: float) -> ProcessEnd:
        """Wait until it has ended, and kill it where it still runs after `seconds`. May be called again."""

    @abstractmethod
    def close(self) -> None:
        """Kill what still runs and let go of connections and threads."""

    def has_ended(self) -> bool:
        """Whether it has ended by itself, or somebody else ended it; False where the system does not say (/proc)."""
        try:
            state = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return Path("/proc/self/stat").exists()
        return state in ("Z", "X")

    def kill(self) -> None:
        """End it at once; a stopped process too. May be called again."""
        self.wait_for_end(0.0)

    def end(self) -> ProcessEnd:
        """Close it; how it ended before that, with its last words on stderr."""
        end = ProcessEnd(0, GARBLED) if self._is_garbled else self.wait_for_end(self.end_limit)
        self.close()
        return replace(end, message="; ".join([end.message, *environment.last_words(self.stderr)]))

    def start_error(self, what: str) -> UserError:
        """The error that says why no worker runs: its last word on stderr, else `what`; and what it was to run."""
        return self._error(GARBLED if self._is_garbled else (environment.last_words(self.stderr, 1) or [what])[-1])

    def timeout_error(self) -> UserError:
        """The error of one that did not answer in time, which is said before its last word: that may be of long ago."""
        return self._error("; ".join([f"no answer within {START_LIMIT:g} s", *environment.last_words(self.stderr, 1)]))

    def _error(self, reason: str) -> UserError:
        """Why no worker runs, and what it was to run."""
        files = " and ".join(map(str, self.setup.preload))
        preloads = f" (with the preload file {files})" if files else ""
        return UserError(f"the interpreter {self.setup.python} cannot run a worker{preloads}: {reason}")

    def wait_until_ready(self) -> Mapping[str, Any]:
        """Wait for its first message, which describes it. Raises UserError where it cannot start; it is ended then."""
        try:
            _arrival, message = self.receive_within(START_LIMIT)
        except queue.Empty:
            self.end()
            raise self.timeout_error() from None
        if message is None:
            raise self.start_error(self.end().message)
        if message["problem"]:
            self.end()
            raise UserError(message["problem"])
        return message

    def cpu_seconds(self) -> float:
        """The CPU time that it has used so far."""
        return cpu_seconds(self.pid)

    def receive(self, timeout: float) -> tuple[float, Mapping[str, Any] | None]:
        """The next reply, None where the process has died, and when it arrived on the monotonic clock.

        Who sends what is no message is taken for dead, and `end` says so.
        Raises queue.Empty after `timeout` seconds.
        """
        arrival, message = self._inbox.get(timeout=timeout) if timeout > 0 else self._inbox.get_nowait()
        reply = None
        with contextlib.suppress(ValueError, TypeError, EOFError):  # all that marshal raises
            reply = None if message is None else protocol.decode(message)
        self._is_garbled |= message is not None and not isinstance(reply, dict)
        return arrival, None if self._is_garbled else reply

    def receive_within(self, limit: float, begun: float | None = None) -> tuple[float, Mapping[str, Any] | None]:
        """As `receive`. Raises queue.Empty once the process has had `limit` seconds, as `CpuTimeLimit` counts them."""
        with contextlib.suppress(queue.Empty):  # asking /proc would cost more than most replies
            return self.receive(min(limit, PROMPT))
        cpu_time_limit = CpuTimeLimit(self.pid, limit, begun, self.cpu_seconds)
        while True:
            try:
                return self.receive(cpu_time_limit.wait)
            except queue.Empty:
                if cpu_time_limit.is_reached():
                    raise

    def _deliver(self, message: bytes | None) -> None:
        """Put a message where `receive` takes it; None says that the connection has closed."""
        self._inbox.put((time.monotonic(), message))
