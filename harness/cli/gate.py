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
    head = [sys.executable, "-P", "-m", "pytest", "-c", str(_INI_FILE), f"--rootdir={settings.root}"]
    plain = "--assert=plain"  # else pytest rewrites the plugin's modules and keeps what it makes of them beside them
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}  # xdist's processes do not get that option
    arguments = [*head, plain, str(SHIPPED / "suites"), *options.arguments]
    os.execve(sys.executable, arguments, environment)  # noqa: S606 - no shell is needed
