"""Torch for what runs beside the harness: the debugger's mode, and a test written by hand."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys

_QUESTION = "import sysconfig, sys; print(*sys.version_info[:2], sysconfig.get_path('purelib'))"


def torch_folder(python: str | None) -> str | None:
    """The folder of that interpreter from which this one can import torch; None where it has a torch of its own.

    Raises RuntimeError where neither has, or the other is of another version of Python.
    """
    if importlib.util.find_spec("torch") is not None:
        return None
    if python is None:
        raise RuntimeError("no torch here, and no --python that has it")
    answer = subprocess.run([python, "-c", _QUESTION], capture_output=True, text=True, check=True).stdout.split(
        maxsplit=2
    )
    if [*map(int, answer[:2])] != [*sys.version_info[:2]]:
        raise RuntimeError(f"the torch of {python} is for Python {'.'.join(answer[:2])}")
    return answer[2].strip()


def borrow_torch(python: str | None) -> None:
    """Let this process, and those that it starts, import torch from that interpreter if they have none."""
    if folder := torch_folder(python):
        sys.path.append(folder)
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (os.environ.get("PYTHONPATH"), folder)))
