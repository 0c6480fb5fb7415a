"""The command `equivalence`: the gate from any folder, and what a person needs beside it."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence

from harness import __version__
from harness.cli.accuracy import add_accuracy_command
from harness.cli.bisect import add_bisect_command
from harness.cli.check import add_check_command
from harness.cli.compare import add_compare_command
from harness.cli.contract import add_contract_command
from harness.cli.corpus import add_corpus_command
from harness.cli.coverage import add_coverage_command
from harness.cli.doctor import add_doctor_command
from harness.cli.draft import add_draft_command
from harness.cli.gate import add_gate_command
from harness.cli.history import add_history_command
from harness.cli.issues import add_issues_command
from harness.cli.merge import add_merge_command
from harness.cli.model import add_model_command
from harness.cli.mutants import add_mutants_command
from harness.cli.options import settings_of
from harness.cli.parser import USAGE_ERROR, CommandParser
from harness.cli.rediscover import add_rediscover_command
from harness.cli.replay import add_replay_command
from harness.cli.report import add_report_command
from harness.cli.schema import add_schema_command
from harness.cli.speed import add_speed_command
from harness.errors import UserError, system_refusal
from harness.termination import TerminationRequest, termination_requests


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command. 0: fine; 1: the example failed; 4: wrong input, with one message on stderr.

    128 and the number of a signal that ended it, of which 130 is Ctrl-C's.
    """
    options = command_line().parse_args(arguments)
    try:
        with termination_requests():
            return _run(options)
    except UserError as error:
        print(f"ERROR: {error}", file=sys.stderr)  # noqa: T201 - a command prints
        return USAGE_ERROR
    except KeyboardInterrupt as interrupt:
        number = interrupt.number if isinstance(interrupt, TerminationRequest) else signal.SIGINT
        print(str(interrupt) or "interrupted", file=sys.stderr)  # noqa: T201 - the same
        return 128 + number


def _run(options: argparse.Namespace) -> int:
    """The exit code of the command. Raises UserError, also for what the operating system refuses."""
    try:
        code = int(options.command(options, settings_of(options)))
        sys.stdout.flush()
    except BrokenPipeError:  # whoever reads has read enough; the interpreter would complain at its end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except OSError as error:
        raise system_refusal(error) from None
    return code


def command_line() -> CommandParser:
    """The parser of all commands, in the order of ``--help``."""
    parser = CommandParser(prog="equivalence", description=__doc__)
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    add_gate_command(commands)
    add_doctor_command(commands)
    add_replay_command(commands)
    add_bisect_command(commands)
    add_draft_command(commands)
    add_check_command(commands)
    add_report_command(commands)
    add_compare_command(commands)
    add_history_command(commands)
    add_coverage_command(commands)
    add_corpus_command(commands)
    add_rediscover_command(commands)
    add_model_command(commands)
    add_speed_command(commands)
    add_contract_command(commands)
    add_accuracy_command(commands)
    add_merge_command(commands)
    add_issues_command(commands)
    add_mutants_command(commands)
    add_schema_command(commands)
    return parser
