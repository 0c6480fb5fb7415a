"""`equivalence doctor`: what would be tested here, and whether each ISA level takes effect."""

from __future__ import annotations

import argparse

from harness.cli.options import add_build_options
from harness.cli.parser import Commands, add_command
from harness.gate import Gate
from harness.run_header import build_lines
from harness.settings import Settings


def add_doctor_command(commands: Commands) -> None:
    """Add its parser."""
    about = "CPU, PyTorch and oneDNN, and each ISA level with its proof"
    add_build_options(add_command(commands, "doctor", print_build, about))


def print_build(_: argparse.Namespace, settings: Settings) -> int:
    """Print the build under test and each level: available or not, alias of which, with the proof."""
    with Gate(settings) as gate:
        print("\n".join(build_lines(gate.executor)))  # noqa: T201 - a command prints
    return 0
