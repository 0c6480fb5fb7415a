"""`equivalence gate`: the shipped suites, run by pytest from any folder."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Final

from harness.cli.parser import Commands, add_command
from harness.resources import SHIPPED
from harness.settings import Settings

_INI_FILE: Final = Path(__file__).with_name("gate.ini")
_NO_PREFIX: Final = "\0"
"""A character that begins no option: all that follows the command is pytest's, and argparse looks for none of it."""


def add_gate_command(commands: Commands) -> None:
    """Add its parser."""
    about = "run the shipped suites: `pytest suites`, from any folder and with pytest's options"
    parser = add_command(commands, "gate", run_shipped_suites, about, prefix_chars=_NO_PREFIX, add_help=False)
    parser.add_argument("arguments", nargs="*")


def run_shipped_suites(options: argparse.Namespace, settings: Settings) -> int:
    """Become pytest over the shipped suites, whose exit code is the command's.

    The folder in which it is run is pytest's root: record, saved failures and pytest's cache are written below it, and
    nothing beside the suites. No ini file and no conftest.py of that folder are read; ``-c`` names an ini file.
    """
    arguments = [*pytest_of_shipped_suites(settings.root), str(SHIPPED / "suites"), *options.arguments]
    os.execve(sys.executable, arguments, shipped_environment())  # noqa: S606 - no shell is needed


def pytest_of_shipped_suites(root: Path) -> list[str]:
    """The command that runs pytest over installed suites with that root; their paths follow."""
    head = [sys.executable, "-P", "-m", "pytest", "-c", str(_INI_FILE), f"--rootdir={root}"]
    return [*head, "--assert=plain"]  # else pytest rewrites the plugin's modules and keeps the result beside them


def shipped_environment() -> dict[str, str]:
    """The environment in which nothing is written beside the installed suites; xdist's processes have it too."""
    return {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
