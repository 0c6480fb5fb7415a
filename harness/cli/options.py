"""Options that several commands share, and the settings that they become."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

from harness.core.text_file import check_regular_file, is_there
from harness.errors import UserError
from harness.settings import Settings, settings

_SETTINGS: Final = ("levels", "python", "preload", "in_process", "record", "host")
"""The options that are settings; a command that has not all of them takes the rest from the environment."""


def add_record_option(parser: argparse.ArgumentParser) -> None:
    """The option of a command that reads the record of a run."""
    parser.add_argument("--record", metavar="FILE", help="the record of a run (default: .equivalence/record.json)")


def add_build_options(parser: argparse.ArgumentParser) -> None:
    """The options of a command that starts workers: which build is tested, at which levels, with which kernels."""
    python = "the interpreter whose PyTorch is tested (default: EQUIVALENCE_PYTHON, then this one)"
    parser.add_argument("--python", metavar="PATH", help=python)
    host = "another machine for the levels that this CPU lacks: ssh=user@host//python=/path"
    parser.add_argument("--host", metavar="SPEC", action="append", help=host)
    add_kernel_options(parser)


def add_kernel_options(parser: argparse.ArgumentParser) -> None:
    """The same without the build, for a command that takes several."""
    parser.add_argument("--levels", metavar="A,B", help="ISA levels by name (default: those isa.yaml runs)")
    parser.add_argument("--preload", metavar="FILE", action="append", help="a Python file each worker runs first")
    parser.add_argument(
        "--in-process", action="store_true", default=None, help="everything in this process, for a debugger"
    )


def settings_of(options: argparse.Namespace) -> Settings:
    """The settings of a command, whose project is the current directory. Raises UserError that names the option."""
    values = {name: getattr(options, name, None) for name in _SETTINGS}
    return settings(Path.cwd(), {"profile": "replay", **values}, prefix="--")


def check_writable(path: Path) -> None:
    """Find out whether a file can be written, and leave it as it is. Raises OSError where it cannot."""
    is_new = not path.exists()
    path.open("a").close()
    if is_new:
        path.unlink()


def existing_file(path: Path) -> Path:
    """The path. Raises UserError where there is no such file, or it is no regular one."""
    if not is_there(path):
        raise UserError(f"there is no file {path}")
    check_regular_file(path)
    return path
