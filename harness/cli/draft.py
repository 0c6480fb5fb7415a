"""`equivalence draft`: the failures of a run as drafts of issues, in Markdown, each with its script."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.cli.options import add_record_option
from harness.cli.parser import Commands, add_command
from harness.errors import UserError, did_you_mean
from harness.failure_scripts import file_stem
from harness.project import Project
from harness.reporting import (
    FailureRecord,
    IssueDraft,
    OperatorItemRecord,
    Record,
    failure_draft,
    read_record,
)
from harness.settings import Settings


@dataclass(frozen=True)
class NamedDraft:
    """A draft, and the name of the files that it is written to."""

    name: str
    draft: IssueDraft


def add_draft_command(commands: Commands) -> None:
    """Add its parser."""
    about = "the failures of a run as drafts of issues, in Markdown, each with its script"
    parser = add_command(commands, "draft", print_drafts, about)
    parser.add_argument("items", nargs="*", metavar="ITEM", help="avg_pool2d[float32], or its id (default: all failed)")
    add_record_option(parser)
    parser.add_argument("--write", type=Path, metavar="DIR", help="write each draft there, and its script beside it")


def print_drafts(options: argparse.Namespace, settings: Settings) -> int:
    """Print or write a draft for each failure. Raises UserError for an item that did not fail, or is not there."""
    record = read_record(settings.record)
    faults = Project(settings.root).known_issues.faults
    drafts = [
        NamedDraft(f"{file_stem(item.case, item.dtype)}-{number}", failure_draft(record, item, failure, faults))
        for item, number, failure in chosen_failures(record, options.items)
    ]
    if not drafts:
        print("no failure of an operator in this record")  # noqa: T201 - a command prints
    output_drafts(drafts, options.write)
    return 0


def output_drafts(drafts: list[NamedDraft], folder: Path | None) -> None:
    """Print the drafts, or write them with their scripts, and print what was written. Raises OSError."""
    if folder is None:
        print("\n\n".join(named.draft.text() for named in drafts))  # noqa: T201 - a command prints
        return
    folder.mkdir(parents=True, exist_ok=True)
    for named in drafts:
        texts = {f"{named.name}.md": named.draft.text(), f"{named.name}.py": named.draft.script}
        for name, text in texts.items():
            if text:
                (folder / name).write_text(text, "utf-8")
                print(folder / name)  # noqa: T201 - the same


def chosen_failures(record: Record, names: list[str]) -> Iterator[tuple[OperatorItemRecord, int, FailureRecord]]:
    """The failures of the items of these names, of all without one, each with its number in its item.

    Raises UserError for a name that is no failed item's.
    """
    failed = {node: item for node, item in record.operators.items() if item.failures}
    for name in names:
        if not any(_is_called(name, node, item) for node, item in failed.items()):
            known = [f"{item.name}[{item.dtype}]" for item in failed.values()]
            hint = did_you_mean(name, known) or f"; there failed {', '.join(known) or 'none'}"
            raise UserError(f"draft: no item {name!r} failed in this record{hint}")
    for node, item in failed.items():
        if not names or any(_is_called(name, node, item) for name in names):
            yield from ((item, number, failure) for number, failure in enumerate(item.failures, 1))


def _is_called(name: str, node: str, item: OperatorItemRecord) -> bool:
    return name in (node, f"{item.name}[{item.dtype}]")
