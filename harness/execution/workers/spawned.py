"""A process that execnet starts: an interpreter of its own."""

from __future__ import annotations

import contextlib
import signal
from subprocess import PIPE, Popen, TimeoutExpired
from types import SimpleNamespace
from typing import Any

import execnet
from execnet.gateway_base import ThreadExecModel

from harness.execution.workers import bundle, environment
from harness.execution.workers.process import Process
from harness.portable import protocol


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


class SpawnedProcess(Process):
    """A worker with an interpreter of its own, its environment right from the first instruction."""

    def __post_init__(self) -> None:
        super().__post_init__()
        line = environment.command(self.setup.python, self.setup.settings, self.stderr)
        self._threads = _Threads()
        self._group = execnet.Group()
        self._group.set_execmodel(self._threads, "thread")  # type: ignore[arg-type] # it takes an object too
        try:
            self._connect(f"popen//python={line}")
        except (OSError, EOFError, execnet.HostNotFound) as error:
            self.close()
            raise self.broken(type(error).__name__) from None

    def _connect(self, spec: str) -> None:
        self._channel = self._group.makegateway(spec).remote_exec(bundle.BOOTSTRAP)
        self._channel.setcallback(self._arrived, endmarker=None)
        self._channel.send(protocol.encode(bundle.sources()))
        self._channel.send(self.setup.told())

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
            self._arrived(None)

    def ending(self, seconds: float) -> tuple[int, str]:
        """As the process's exit status says."""
        try:
            self._popen.wait(seconds)
        except TimeoutExpired:
            self.kill()
        code = self._popen.returncode
        return max(-code, 0), f"killed by {signal.Signals(-code).name}" if code < 0 else f"exited with status {code}"

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
