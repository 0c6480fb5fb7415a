"""`equivalence rediscover`: what the gate would find today of all that is known, if nothing of it were known."""

from __future__ import annotations

import argparse
import secrets
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from harness.cli.gate import pytest_of_shipped_suites, shipped_environment
from harness.cli.parser import Commands, add_command
from harness.errors import UserError
from harness.project import Project
from harness.reporting import read_operator_record, rediscovery_report
from harness.resources import SHIPPED
from harness.settings import Settings

_FOLDER: Final = Path(".equivalence/rediscovery")
_JUDGED: Final = (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)


def add_rediscover_command(commands: Commands) -> None:
    """Add its parser."""
    about = "run the gate as if nothing were known, and say which known faults it finds, and after how long"
    parser = add_command(commands, "rediscover", print_rediscovery, about)
    records = "records of runs with --eq-rediscover, to be read in place of new runs"
    parser.add_argument("records", nargs="*", type=Path, metavar="RECORD", help=records)
    parser.add_argument(
        "--runs", type=int, default=5, metavar="N", help="how many runs, each with its own seed (default: 5)"
    )
    parser.add_argument(
        "--seed", type=int, metavar="S", help="of the first run; the others follow (default: a fresh one)"
    )
    parser.add_argument("--examples", metavar="N", help="examples for each item (default: a whole gate's)")
    parser.add_argument("-n", dest="processes", default="2", metavar="N", help="processes of pytest-xdist (default: 2)")
    parser.add_argument("--python", metavar="PATH", help="the interpreter whose PyTorch is tested")


def print_rediscovery(options: argparse.Namespace, settings: Settings) -> int:
    """Run, read and print. 1 where a fault that this machine can show was not met in four of five runs.

    Raises UserError where a run could not be made, or a record is of no such run.
    """
    if options.runs < 1:
        raise UserError(f"--runs: {options.runs} is less than 1")
    records = [read_operator_record(path) for path in options.records or _make_runs(options, settings)]
    for path, record in zip(options.records, records, strict=False):
        if not record.run.rediscovers:
            raise UserError(
                f"{path} is the record of a usual run, in which known faults are not looked for; "
                "make one with --eq-rediscover"
            )
    report = rediscovery_report(records, Project(settings.root).known_issues.faults)
    print(report.text())  # noqa: T201 - a command prints
    return int(len(report.reliable) < len(report.faults))


def _make_runs(options: argparse.Namespace, settings: Settings) -> list[Path]:
    """The records of new runs. Raises UserError where one could not be made."""
    first = secrets.randbits(31) if options.seed is None else options.seed
    return [_make_run(options, settings, seed) for seed in range(first, first + options.runs)]


def _make_run(options: argparse.Namespace, settings: Settings, seed: int) -> Path:
    record = settings.root / _FOLDER / f"seed-{seed}.json"
    record.parent.mkdir(parents=True, exist_ok=True)
    arguments = ["-n", options.processes, "--eq-rediscover", "--eq-seed", str(seed), f"--eq-record={record}", "-q"]
    arguments += [f"--eq-examples={options.examples}"] if options.examples else []
    arguments += [f"--eq-python={options.python}"] if options.python else []
    command = [*_pytest_of_operators(settings.root), *arguments]
    code = subprocess.call(command, stdout=sys.stderr, env=shipped_environment())  # noqa: S603 - our own words
    if code not in _JUDGED:
        raise UserError(f"the run with seed {seed} ended with exit code {code}; what is above says why")
    return record


def _pytest_of_operators(root: Path) -> list[str]:
    """The command that runs the operators of the project, or where it has none those that are shipped."""
    own = root / "suites/operators"
    if own.is_dir():
        return [sys.executable, "-m", "pytest", str(own)]
    return [*pytest_of_shipped_suites(root), str(SHIPPED / "suites/operators")]
