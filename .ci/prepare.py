"""What a tox environment needs before it begins, each done again only when the file that decides it has changed.

`prepare.py BUILD_PYTHON` makes the environment with the PyTorch under test, unless EQUIVALENCE_PYTHON already names
another interpreter. With ``--install`` it also installs the harness from this checkout, which tox would do in each run:
that takes as long as the check of an operator.
"""

import hashlib
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path


def main(build_python: str, *options: str) -> None:
    """Prepare; where a command fails its status is this script's."""
    if "--install" in options:
        install = [sys.executable, "-m", "pip", "install", "--quiet", "--editable", "."]
        run_once(install, Path(sys.prefix) / "harness-installed", Path("pyproject.toml"))
    if os.environ.get("EQUIVALENCE_PYTHON") == build_python:
        make_build = [sys.executable, "-m", "tox", "run", "-qq", "-e", "build", "--notest"]
        run_once(make_build, Path(build_python).parents[1] / "build-made", Path("tox.ini"))


def run_once(command: Sequence[str], stamp: Path, source: Path) -> None:
    """Run a command, unless the stamp says that it has been run since `source` was last changed.

    The stamp lies in the environment that the command fills, so that it goes where that is made anew.
    """
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    if stamp.is_file() and stamp.read_text("ascii") == digest:
        return
    if status := subprocess.call(command):
        sys.exit(status)
    stamp.write_text(digest, "ascii")


if __name__ == "__main__":
    main(*sys.argv[1:])
