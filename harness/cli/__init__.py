"""The commands beside pytest: `equivalence doctor`, `replay`, `check`, `coverage`, `accuracy`, `model`, `contract`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, TypeAlias

from harness import __version__
from harness.cli.accuracy import accuracy
from harness.cli.commands import check, contract, doctor, replay
from harness.cli.coverage import coverage
from harness.cli.model import model
from harness.errors import UserError
from harness.settings import Settings, settings

Command = Callable[[argparse.Namespace, Settings], int]
"""Takes the parsed options and the settings, prints, and returns an exit code."""

USAGE_ERROR: Final = 4
"""Exit code for wrong input, as pytest has it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command. 0: fine; 1: the example failed; 4: wrong input, with one message on stderr."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.command(options, _settings(options)))
    except UserError as error:
        print(f"ERROR: {error}", file=sys.stderr)  # noqa: T201 - a command prints
        return USAGE_ERROR


class _Parser(argparse.ArgumentParser):
    """argparse exits with 2 for wrong usage; pytest's code is 4."""

    def error(self, message: str) -> None:  # type: ignore[override] # NoReturn holds: exit() raises
        """Print the usage and the message, and exit with pytest's code for wrong usage."""
        self.print_usage(sys.stderr)
        self.exit(USAGE_ERROR, f"ERROR: {message}\n")


_Commands: TypeAlias = "argparse._SubParsersAction[_Parser]"  # noqa: SLF001 - it has no public name


def _settings(options: argparse.Namespace) -> Settings:
    given = {name: getattr(options, name, None) for name in ("levels", "python", "preload", "in_process", "record")}
    return settings(Path.cwd(), {"profile": "replay", **given}, prefix="--")


def _parser() -> _Parser:
    parser = _Parser(prog="equivalence", description=__doc__)
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_doctor(commands)
    _add_replay(commands)
    _add_check(commands)
    _add_coverage(commands)
    _add_model(commands)
    _add_contract(commands)
    _add_accuracy(commands)
    return parser


def _add_doctor(commands: _Commands) -> None:
    _add_build(_added(commands, "doctor", doctor, "CPU, PyTorch and oneDNN, and each ISA level with its proof"))


def _add_replay(commands: _Commands) -> None:
    command = _added(commands, "replay", replay, "run one example again on all levels: FAILED or PASSED")
    command.add_argument("example", metavar="JSON|FILE", help="an example as a failure prints it, or a file with it")
    _add_build(command)


def _add_check(commands: _Commands) -> None:
    command = _added(commands, "check", check, "check suite files: YAML, expressions, callables, arguments")
    command.add_argument("files", nargs="+", type=Path, metavar="FILE")
    _add_build(command)


def _add_coverage(commands: _Commands) -> None:
    command = _added(commands, "coverage", coverage, "the operators and functions that a full run reached, or missed")
    _add_record(command)
    _add_build(command)


def _add_model(commands: _Commands) -> None:
    about = "whether a model of your own is right in channels-last and stays so"
    command = _added(commands, "model", model, about)
    command.add_argument("factory", metavar="PACKAGE.MODULE:FACTORY", help="what makes it: torchvision.models:resnet18")
    shape = "the shape of an input; once for each, in order"
    command.add_argument("--input", action="append", required=True, metavar="N,C,H,W", help=shape)
    arguments = "the factory's keyword arguments: '{\"num_classes\": 10}'"
    command.add_argument("--arguments", metavar="JSON", help=arguments)
    command.add_argument("--train", action="store_true", help="a step of training too: loss, gradients, statistics")
    command.add_argument("--bfloat16", action="store_true", help="under autocast to bfloat16 too")
    frozen = "a class of modules that stays in evaluation mode: Dropout"
    command.add_argument("--frozen", action="append", metavar="CLASS", help=frozen)
    seeded = "it draws random numbers, and must give the same from the same seed"
    command.add_argument("--seeded", action="store_true", help=seeded)
    _add_build(command)


def _add_contract(commands: _Commands) -> None:
    command = _added(commands, "contract", contract, "which operators keep channels-last, from golden/contract")
    command.add_argument("--write", metavar="FILE", type=Path, help="write it into this Markdown file")


def _add_accuracy(commands: _Commands) -> None:
    about = "write the worst ratios of error to allowance to golden/accuracy/"
    _add_record(_added(commands, "accuracy", accuracy, about))


def _added(commands: _Commands, name: str, run: Command, about: str) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=about)
    command.set_defaults(command=run)
    return command


def _add_record(command: argparse.ArgumentParser) -> None:
    command.add_argument("--record", metavar="FILE", help="the record of a run (default: .equivalence/record.json)")


def _add_build(command: argparse.ArgumentParser) -> None:
    python = "the interpreter whose PyTorch is tested (default: EQUIVALENCE_PYTHON, then this one)"
    command.add_argument("--python", metavar="PATH", help=python)
    command.add_argument("--levels", metavar="A,B", help="ISA levels by name (default: those isa.yaml runs)")
    command.add_argument("--preload", metavar="FILE", action="append", help="a Python file each worker runs first")
    command.add_argument(
        "--in-process", action="store_true", default=None, help="everything in this process, for a debugger"
    )
