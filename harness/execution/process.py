"""One worker process: started by execnet, spoken to in marshal bytes, ended by its id."""

from __future__ import annotations

import contextlib
import marshal
import queue
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import PIPE, Popen, TimeoutExpired
from types import SimpleNamespace
from typing import Any, Final

import execnet
from execnet.gateway_base import ThreadExecModel

from harness.errors import UserError
from harness.execution import environment, shipping
from harness.execution.worker.patience import Patience

START_LIMIT: Final = 180.0
"""Seconds that an interpreter may take to import torch; a cold disk is slow, a hang is longer."""

FORMAT: Final = 2
"""marshal's format, as the worker writes and reads it."""


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


@dataclass(frozen=True)
class Ended:
    """How a process ended: `signal` 0 where none did it; `message` quotes its last words."""

    signal: int
    message: str


class _Threads(ThreadExecModel):
    """execnet's threads, keeping hold of the process it starts.

    execnet gives it to nobody, but only its parent can ask how it ended; and where the interpreter does not answer,
    nobody else would close its pipes.
    """

    popen: Popen[bytes] | None = None

    @property
    def subprocess(self) -> Any:
        """What execnet uses of the module."""
        return SimpleNamespace(PIPE=PIPE, Popen=self._start)

    def _start(self, command: list[str], **options: Any) -> Popen[bytes]:
        self.popen = Popen(command, **options)  # noqa: S603 - the interpreter the user chose
        return self.popen


@dataclass
class Process:
    """A running worker. `receive` gives (arrival time on the monotonic clock, reply); reply None means it has died."""

    setup: Setup
    generation: int = 0
    _inbox: queue.SimpleQueue[tuple[float, bytes | None]] = field(default_factory=queue.SimpleQueue)

    def __post_init__(self) -> None:
        self.stderr = self.setup.folder / f"{self.setup.name}.{self.generation}.err"
        line = environment.command(self.setup.python, self.setup.settings, self.stderr)
        self._threads = _Threads()
        self._group = execnet.Group()
        self._group.set_execmodel(self._threads, "thread")  # type: ignore[arg-type] # it takes an object too
        try:
            self._connect(f"popen//python={line}")
        except (OSError, EOFError, execnet.HostNotFound) as error:
            self.close()
            raise self._broken(type(error).__name__) from None

    def _connect(self, spec: str) -> None:
        self._channel = self._group.makegateway(spec).remote_exec(shipping.BOOTSTRAP)
        self._channel.setcallback(self._arrived, endmarker=None)
        self._channel.send(marshal.dumps(shipping.sources(), FORMAT))
        setup = {"role": self.setup.role, "trace": self.setup.traced, "preload": [*map(str, self.setup.preload)]}
        self._channel.send(marshal.dumps(setup, FORMAT))

    def _arrived(self, item: bytes | None) -> None:
        self._inbox.put((time.monotonic(), item))

    def _broken(self, what: str) -> UserError:
        last = (environment.last_words(self.stderr, 1) or [what])[-1]
        return UserError(f"the interpreter {self.setup.python} cannot run a worker: {last}")

    def ready(self) -> dict[str, Any]:
        """Wait for the description of a started worker. Raises UserError where it cannot start."""
        try:
            _arrival, item = self.awaited(START_LIMIT)
        except queue.Empty:
            self.end()
            raise self._broken(f"no answer within {START_LIMIT:g} s") from None
        if item is None:
            ended = self.end()
            raise self._broken(ended.message)
        if item["problem"]:
            self.end()
            raise UserError(item["problem"])
        return item

    @property
    def pid(self) -> int:
        """The process id; the interpreter's own, for the command line replaces itself."""
        return int(self._popen.pid)

    @property
    def _popen(self) -> Popen[bytes]:
        if self._threads.popen is None:
            raise RuntimeError(f"{self.setup.name} has no process")
        return self._threads.popen

    def send(self, payload: bytes) -> None:
        """Send a request; a process that has died shows in `receive`, not here."""
        try:
            self._channel.send(payload)
        except OSError:
            self._inbox.put((time.monotonic(), None))

    def receive(self, timeout: float) -> tuple[float, dict[str, Any] | None]:
        """The next reply and when it arrived. Raises queue.Empty after `timeout` seconds."""
        arrival, item = self._inbox.get(timeout=timeout) if timeout > 0 else self._inbox.get_nowait()
        return arrival, None if item is None else marshal.loads(item)  # noqa: S302 - from a worker we started

    def awaited(self, limit: float, begun: float | None = None) -> tuple[float, dict[str, Any] | None]:
        """As `receive`. Raises queue.Empty once the worker has had `limit` seconds, as `Patience` counts them."""
        patience = Patience(self.pid, limit, begun)
        while True:
            try:
                return self.receive(patience.wait)
            except queue.Empty:
                if patience.lost():
                    raise

    def end(self) -> Ended:
        """Kill it if it runs, and say how it ended before that."""
        try:
            self._popen.wait(0.5)  # the pipe closes a moment before the process has ended
        except TimeoutExpired:
            self._popen.kill()
            self._popen.wait()
        self.close()
        return self._ended(self._popen.returncode)

    def _ended(self, code: int) -> Ended:
        text = f"killed by {signal.Signals(-code).name}" if code < 0 else f"exited with status {code}"
        return Ended(max(-code, 0), "; ".join([text, *environment.last_words(self.stderr)]))

    def kill(self) -> None:
        """End it at once; a stopped process too."""
        self._popen.kill()
        self._popen.wait()

    def close(self) -> None:
        """Kill what still runs and let go of pipes and threads."""
        self.kill()
        self._group.terminate(timeout=5.0)
        for pipe in (self._popen.stdin, self._popen.stdout):
            with contextlib.suppress(OSError):  # closing flushes, and nobody reads any more
                if pipe is not None:
                    pipe.close()
