"""`equivalence history`: the records of a folder, and since when each thing fails."""

from __future__ import annotations

import argparse
from pathlib import Path

from harness.cli.parser import Commands, add_command
from harness.reporting import history_of, history_text, read_runs
from harness.settings import Settings


def add_history_command(commands: Commands) -> None:
    """Add its parser."""
    about = "the records below a folder: since when each item fails; headroom, speed and coverage over time"
    parser = add_command(commands, "history", print_history, about)
    parser.add_argument("folder", type=Path, metavar="DIR", help="where the records are kept, in files named *.json")


def print_history(options: argparse.Namespace, _: Settings) -> int:
    """Print it. Raises UserError where the folder holds no record."""
    print(history_text(history_of(*read_runs(options.folder))))  # noqa: T201 - a command prints
    return 0
