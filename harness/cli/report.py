"""`equivalence report`: a record as one HTML file."""

from __future__ import annotations

import argparse
from pathlib import Path

from harness.cli.parser import Commands, add_command
from harness.reporting import history_of, html_report, read_record, read_runs
from harness.settings import Settings


def add_report_command(commands: Commands) -> None:
    """Add its parser."""
    parser = add_command(commands, "report", write_report, "a record as one HTML file that needs no network")
    parser.add_argument("record_file", type=Path, metavar="RECORD", help="the record of a run")
    parser.add_argument("--html", type=Path, metavar="FILE", required=True, help="where the report goes")
    parser.add_argument("--history", type=Path, metavar="DIR", help="the records below this folder are its history")


def write_report(options: argparse.Namespace, _: Settings) -> int:
    """Write the file. Raises UserError for what is no record, and OSError where the file cannot be written."""
    record = read_record(options.record_file)
    history = history_of(*read_runs(options.history)) if options.history else None
    text = html_report(record, str(options.record_file), history)
    options.html.write_text(text, "utf-8")
    print(f"report: {options.html}")  # noqa: T201 - a command prints
    return 0
