"""argparse with pytest's exit code, and how a command is added to it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from harness.settings import Settings

Command = Callable[[argparse.Namespace, Settings], int]
"""Takes the parsed options and the settings, prints, and returns an exit code."""

USAGE_ERROR: Final = 4
"""Exit code for wrong input, as pytest has it."""


class CommandParser(argparse.ArgumentParser):
    """argparse exits with 2 for wrong usage; pytest's code is 4."""

    def error(self, message: str) -> None:  # type: ignore[override] # NoReturn holds: exit() raises
        """Print the usage and the message, and exit with pytest's code for wrong usage."""
        self.print_usage(sys.stderr)
        self.exit(USAGE_ERROR, f"ERROR: {message}\n")


Commands: TypeAlias = "argparse._SubParsersAction[CommandParser]"  # noqa: SLF001 - it has no public name
"""What `add_subparsers` returns: where each command adds its own parser."""


def add_command(commands: Commands, name: str, command: Command, about: str, **options: Any) -> CommandParser:
    """The parser of a new command, to which it adds its options; `about` is its line in ``--help``.

    `options` are what argparse takes beside.
    """
    parser = commands.add_parser(name, help=about, **options)
    parser.set_defaults(command=command)
    return parser
