"""A process that execnet starts: an interpreter of its own."""

from __future__ import annotations

import os
import signal
import time
import warnings
from typing import Final

import execnet

from harness.execution.workers import bundle, environment
from harness.execution.workers.process import Process, ProcessEnd
from harness.portable import leftovers, protocol

PAUSE: Final = 0.002
"""Seconds between two looks at a process that is about to end."""

TERMINATION_TIME: Final = 5.0
"""Seconds that execnet has to let go of the connection to a process that has ended."""


class SpawnedProcess(Process):
    """A worker with an interpreter of its own, its environment right from the first instruction.

    execnet starts it and carries the messages. It hands out neither the process id nor the exit status, which only the
    parent can ask for: so the command line writes the one into a file, and the other is read by waiting for the child
    before execnet does, whose own wait then finds nothing and is content (`subprocess.Popen.wait`).
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        self._pid: int | None = None
        self._end: ProcessEnd | None = None
        self._group = execnet.Group()
        with warnings.catch_warnings():
            # execnet lets go of a process that has ended before it was written to; it is waited for here
            warnings.simplefilter("ignore", ResourceWarning)
            failure = self._try_to_connect()
        if failure:
            self.close()
            raise self.start_error(failure)

    def _try_to_connect(self) -> str:
        """Start the process and greet it; the class of what that raised, or nothing."""
        try:
            self._connect()
        except (OSError, EOFError, AssertionError, execnet.HostNotFound) as error:  # it asserts what the answer is
            return type(error).__name__
        return ""

    def _connect(self) -> None:
        self._gateway = self._group.makegateway(f"popen//python={self._command()}")
        self._channel = self._gateway.remote_exec(bundle.BOOTSTRAP)
        self._channel.setcallback(self._deliver, endmarker=None)
        self._channel.send(protocol.encode(bundle.sources()))
        self._channel.send(self.setup.message())

    def _command(self) -> str:
        """The shell-quoted command line that execnet starts, behind which it puts options of a Python interpreter."""
        settings = {**self.setup.settings, leftovers.MARK: str(self.stderr)}
        return environment.command(self.setup.python, settings, self.stderr, self.path("pid"))

    @property
    def pid(self) -> int:
        """The process id; the interpreter's own, for the command line replaces itself."""
        if self._pid is None:
            try:
                self._pid = int(self.path("pid").read_text("utf-8"))
            except (OSError, ValueError):
                raise RuntimeError(f"{self.setup.name} has no process") from None
        return self._pid

    def send(self, message: bytes) -> None:
        """Send a request; a process that has died shows in `receive`, not here."""
        try:
            self._channel.send(message)
        except OSError:
            self._deliver(None)

    def wait_for_end(self, seconds: float) -> ProcessEnd:
        """As every process; its exit status says how it ended."""
        deadline = time.monotonic() + seconds
        end = self._end or self._reap()
        while end is None:
            if time.monotonic() >= deadline:
                os.kill(self.pid, signal.SIGKILL)
            time.sleep(PAUSE)
            end = self._reap()
        self._end = end
        return end

    def _reap(self) -> ProcessEnd | None:
        """How the process ended; None where it still runs."""
        try:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
        except ChildProcessError:  # execnet waits for an interpreter that ends before it has answered
            return ProcessEnd(0, "ended before it had answered")
        if pid == 0:
            return None
        return self._end_of(os.waitstatus_to_exitcode(status))

    def _end_of(self, code: int) -> ProcessEnd:
        """What an exit code says, or a signal where it is negative."""
        if code < 0:
            return ProcessEnd(-code, f"killed by {signal.Signals(-code).name}")
        return ProcessEnd(0, f"exited with status {code}")

    def close(self) -> None:
        """Kill what still runs, children that live on included, and let go of pipes and threads."""
        if self.path("pid").exists():
            self.kill()
        leftovers.kill_marked(str(self.stderr))
        self._group.terminate(timeout=TERMINATION_TIME)
