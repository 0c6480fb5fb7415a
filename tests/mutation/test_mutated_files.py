"""Files that accidents and people have changed: what comes out is the harness's own error, soon, and in little memory.

``EQUIVALENCE_MUTATIONS=10000 pytest tests/mutation`` reads that many files; a failure names the number of the file,
which is made again from it alone.
"""

from __future__ import annotations

import os
import signal
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from types import FrameType

import pytest

from harness.errors import UserError
from tests.mutation.kinds import kinds
from tests.mutation.mutate import mutate

COUNT = int(os.environ.get("EQUIVALENCE_MUTATIONS", "390"))
"""Files in all, divided among the kinds."""

SECONDS = 5.0
"""Processor time that one file may take."""

MEGABYTES = 900
"""Memory by which this process may have grown at most while it read files; other tests have made it larger before."""


class TooSlowError(BaseException):
    """A file has taken more than its time. Nothing that catches exceptions may catch this."""


@contextmanager
def processor_time(seconds: float) -> Iterator[None]:
    """Raise TooSlowError in what runs within, once it has had so much time of the processor."""

    def stop(_signal: int, _frame: FrameType | None) -> None:
        """End what runs."""
        raise TooSlowError

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def memory(name: str) -> int:
    """A line of /proc/self/status in KiB: ``VmRSS`` is what the process has, ``VmHWM`` the most that it has had."""
    lines = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text("ascii").splitlines())
    return int(lines[name].split()[0])


def start_measuring_memory() -> int:
    """Begin ``VmHWM`` anew (proc_pid_clear_refs(5)); what the process has now, in KiB."""
    Path("/proc/self/clear_refs").write_text("5", "ascii")
    return memory("VmRSS")


@dataclass(frozen=True)
class Reading:
    """How one changed file was read: whether it was refused, and what is wrong with how; nothing where all is right."""

    is_refused: bool
    problem: str = ""


def read_changed_file(name: str, number: int, root: Path) -> Reading:
    """Read the changed file of that number, of a kind."""
    kind, random = kinds()[name], Random(f"{name}:{number}")  # noqa: S311 - the same file for the same number
    file = random.choice(kind.files)
    path = root / file.path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(mutate(file.text, random))
    try:
        with processor_time(SECONDS):
            kind.read(path, root)
    except UserError as error:
        return Reading(is_refused=True, problem="" if str(error) else f"{number}: it says nothing")
    except (Exception, TooSlowError) as error:  # noqa: BLE001 - any other is what is looked for
        is_due = name == "example" and type(error) is ValueError
        return Reading(is_refused=True, problem="" if is_due else f"{number}: {_story(error)}")
    return Reading(is_refused=False)


def _story(error: BaseException) -> str:
    """What came out, and where from."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {error} ({last.filename}:{last.lineno})"[:500]


@pytest.mark.parametrize("name", kinds())
def test_a_changed_file_is_read_or_refused(tmp_path: Path, name: str) -> None:
    """No exception but the harness's own comes out, whatever became of the file, and none takes long or much memory."""
    before = start_measuring_memory()
    readings = [read_changed_file(name, number, tmp_path) for number in range(-(-COUNT // len(kinds())))]
    assert [reading.problem for reading in readings if reading.problem] == []
    assert memory("VmHWM") - before < MEGABYTES * 1024
    assert any(reading.is_refused for reading in readings) == (name != "saved failures")
