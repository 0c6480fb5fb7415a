"""An interpreter without the harness in which scripts run one after another, each in a fork: torch is imported once."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Self

from packaging.version import Version

from harness.errors import UserError
from harness.execution import tuning_variables
from harness.reporting import POISON
from harness.script_runs import FreshMemory, ScriptRun

LIMIT: Final = 120.0
"""Seconds that a script may take; one that fills memory itself spends some of them on importing torch again."""

_RUNNER: Final = """
import os
os.chdir("/")  # where nothing lies that could be imported by mistake
import ctypes, json, select, signal, sys, time, traceback
import torch

def run_here(job):
    # in a fork, which has run no kernel yet
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    for name in job["forget"]:
        os.environ.pop(name, None)
    os.environ.update(job["environment"])
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(-6, int(job["environment"].get("MALLOC_PERTURB_", 0)))  # M_PERTURB
    sys.argv = [job["path"], *job["arguments"]]
    with open(job["path"], encoding="utf-8") as file:
        text = file.read()
    exec(compile(text, job["path"], "exec"), {"__name__": "__main__"})

def run(job):
    end = time.monotonic() + job["seconds"]
    child = os.fork()
    if child == 0:
        code = 2
        try:
            os.setpgid(0, 0)
            run_here(job)
            code = 0
        except SystemExit as error:
            code = int(error.code or 0)
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    ended, status = 0, 0
    while not ended and time.monotonic() < end:
        # what can be read here while a script runs is the end: nobody waits for its answer any more
        end = 0 if select.select([0], [], [], 0.005)[0] else end
        ended, status = os.waitpid(child, os.WNOHANG)
    for kill in (os.killpg, os.kill):  # with all that it has started
        try:
            kill(child, signal.SIGKILL)
        except OSError:
            pass
        if ended:
            break
    status = status if ended else os.waitpid(child, 0)[1]
    return -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)

print(json.dumps(torch.__version__), flush=True)
for line in iter(sys.stdin.readline, ""):
    print(json.dumps(run(json.loads(line))), flush=True)
"""
"""Says its version of PyTorch; then takes one job a line, and answers how it ended: minus a signal, or its code.

It ends where its input does, which is when the process that started it ends, however that comes about.
"""


@dataclass
class ScriptRunner:
    """Runs scripts in forks of one interpreter of that path, which starts when the first is to be run.

    A context manager: the interpreter lives until exit at most, and never longer than this process. One that was killed
    from outside is started again. The cache of malloc that cannot be filled, and that a setting of its process alone
    can switch off, is off in all kinds of memory.
    """

    python: str
    _release: str = field(default="", init=False)
    _process: subprocess.Popen[str] | None = field(default=None, init=False)
    _output: IO[bytes] = field(init=False, repr=False)
    _folder: tempfile.TemporaryDirectory[str] = field(init=False, repr=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def is_running(self) -> bool:
        """Whether the interpreter has been started."""
        return self._process is not None

    @property
    def release(self) -> str:
        """The release of PyTorch: ``2.15.0``. Raises UserError for an interpreter without it."""
        self._running_process()
        return self._release

    def run(
        self, script: str, memory: FreshMemory, *, arguments: Sequence[str] = (), limit: float = LIMIT
    ) -> ScriptRun:
        """Run the text of a script. One that takes longer than `limit` seconds ends as by SIGKILL.

        Raises UserError for an interpreter without PyTorch, and OSError for a full disk.
        """
        process = self._running_process()
        path = Path(self._folder.name) / "script.py"
        path.write_text(script, "utf-8")
        self._output.seek(0)
        self._output.truncate()
        job = {
            "path": str(path),
            "arguments": list(arguments),
            "forget": list(POISON),
            "environment": dict(memory.environment),
            "seconds": limit,
        }
        answer = self._ask(process, json.dumps(job))
        self._output.seek(0)
        output = self._output.read().decode("utf-8", "replace")
        if answer is None:
            self.close()
            return ScriptRun(-9, f"{output}the interpreter that ran it was killed")
        return ScriptRun(answer, output)

    def close(self) -> None:
        """End the interpreter, and what it runs. It can be used again."""
        process, self._process = self._process, None
        if process is None:
            return
        with suppress(OSError):
            process.communicate()
        self._output.close()
        self._folder.cleanup()

    @staticmethod
    def _ask(process: subprocess.Popen[str], job: str) -> int | None:
        """How the script of the job ended; None where its interpreter is not there any more."""
        assert process.stdin is not None and process.stdout is not None  # noqa: S101, PT018 - both are pipes
        try:
            process.stdin.write(f"{job}\n")
            process.stdin.flush()
            line = process.stdout.readline()
        except OSError:
            return None
        return int(line) if line else None

    def _running_process(self) -> subprocess.Popen[str]:
        """The interpreter, which has imported torch."""
        if self._process is not None:
            return self._process
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as the interpreter
        self._folder = tempfile.TemporaryDirectory(prefix="equivalence-scripts-")
        self._process = process = subprocess.Popen(  # noqa: S603 - the person's own interpreter
            [self.python, "-c", _RUNNER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._output,
            text=True,
            env=_environment(),
            start_new_session=True,  # Ctrl-C is for the run, which ends it
        )
        assert process.stdout is not None  # noqa: S101 - a pipe
        line = process.stdout.readline()
        if not line:
            self._output.seek(0)
            words = self._output.read().decode("utf-8", "replace").strip().splitlines()
            self.close()
            raise UserError(f"{self.python}: {(words or ['it did not run'])[-1]}")
        self._release = Version(json.loads(line)).public
        return process


def _environment() -> dict[str, str]:
    """The person's environment without what steers kernels or malloc, and without the cache of malloc."""
    steering = set(tuning_variables())
    kept = {name: value for name, value in os.environ.items() if name not in steering}
    return {**kept, "PYTHONDONTWRITEBYTECODE": "1", "GLIBC_TUNABLES": POISON["GLIBC_TUNABLES"]}
