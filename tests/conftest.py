"""The harness needs no torch beside it, some of its tests do: the debugger's mode, and the worker's own files.

Where torch is not installed here, that of the interpreter under test (EQUIVALENCE_PYTHON) is made importable.
"""

import importlib.util
import os
import subprocess
import sys

_ASK = "import sysconfig, sys; print(sys.version_info[:2] == {}, sysconfig.get_path('purelib'))"


def _borrow(interpreter: str) -> None:
    """Put the packages of `interpreter` behind ours, for this process and those it starts."""
    asked = [interpreter, "-c", _ASK.format(tuple(sys.version_info[:2]))]
    same, _, folder = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip().partition(" ")
    if same == "True":
        sys.path.append(folder)
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (os.environ.get("PYTHONPATH"), folder)))


if importlib.util.find_spec("torch") is None and "EQUIVALENCE_PYTHON" in os.environ:
    _borrow(os.environ["EQUIVALENCE_PYTHON"])
