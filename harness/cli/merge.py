"""`equivalence merge`: one record of several, of the parts of a run or of runs over different suites."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from pathlib import Path

from harness.cli.parser import Commands, add_command
from harness.errors import UserError
from harness.reporting import Record, merge_records, missing_parts, prepare_record, read_record, write_record
from harness.settings import INCOMPLETE, Settings


def add_merge_command(commands: Commands) -> None:
    """Add its parser."""
    parser = add_command(commands, "merge", write_merged_record, "make one record of those of the parts of a run")
    parser.add_argument("records", type=Path, nargs="+", metavar="RECORD", help="the record of a part")
    where = "where the record of all goes (default: .equivalence/record.json)"
    parser.add_argument("--record", metavar="FILE", help=where)


def write_merged_record(options: argparse.Namespace, settings: Settings) -> int:
    """Write it, and print what is missing; 6 where something is, as a run ends.

    Raises UserError for what is no record, and for records that are not of one run.
    """
    records = {path: read_record(path) for path in options.records}
    record = merge_records(records, settings.record)
    prepare_record(settings.record)
    written = write_record(record, settings.record)
    if written.problem:
        raise UserError(str(written).removeprefix("ERROR: "))
    print(f"{written}: {len(record.items)} items of {len(records)} records")  # noqa: T201 - a command prints
    for line in _missing_lines(records):
        print(line)  # noqa: T201 - a command prints
    return 0 if record.complete else INCOMPLETE


def _missing_lines(records: Mapping[Path, Record]) -> Iterator[str]:
    """A line for each thing that a complete record would have."""
    if parts := missing_parts(records.values()):
        yield f"INCOMPLETE: there is no record of part {', '.join(map(str, parts))}"
    for path, record in records.items():
        if not record.complete:
            yield f"INCOMPLETE: {path} is of a run that did not come to its end"
