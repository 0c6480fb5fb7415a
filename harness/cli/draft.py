"""`equivalence draft`: the faults of a run as drafts of issues, in Markdown, each with its script."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

from harness.cli.options import add_record_option
from harness.cli.parser import Commands, add_command
from harness.errors import UserError, did_you_mean
from harness.failure_scripts import file_stem
from harness.project import Project
from harness.reporting import (
    FaultGroup,
    FaultPlace,
    IssueDraft,
    Record,
    fault_groups,
    group_draft,
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
    about = "the faults of a run as drafts of issues, in Markdown, each with its script"
    parser = add_command(commands, "draft", print_drafts, about)
    parser.add_argument("items", nargs="*", metavar="ITEM", help="avg_pool2d[float32], or its id (default: all failed)")
    add_record_option(parser)
    parser.add_argument("--write", type=Path, metavar="DIR", help="write each draft there, and its script beside it")


def print_drafts(options: argparse.Namespace, settings: Settings) -> int:
    """Print or write a draft for each fault. Raises UserError for an item that did not fail, or is not there."""
    record = read_record(settings.record)
    known = Project(settings.root).known_issues.faults
    groups = _groups_of(record, options)
    drafts = [NamedDraft(_draft_name(group), group_draft(record, group, known)) for group in groups]
    if not drafts:
        print("no failure of an operator in this record")  # noqa: T201 - a command prints
    output_drafts(drafts, options.write)
    return 0


def _draft_name(group: FaultGroup) -> str:
    """The name of the files of a fault: the item that tells most of it, and the number of the failure in it."""
    place = group.most_telling
    return f"{file_stem(place.item.case, place.item.dtype)}-{place.item.failures.index(place.failure) + 1}"


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


def _groups_of(record: Record, options: argparse.Namespace) -> list[FaultGroup]:
    """The faults with a place in the items that are named, all without one. Raises UserError for one without any."""
    names = set(options.items)
    groups = fault_groups(record)
    places = [place for group in groups for place in group.places]
    for name in sorted(names - {name for place in places for name in _names(place)}):
        failed = dict.fromkeys(_names(place)[1] for place in places)
        hint = did_you_mean(name, failed) or f"; there failed {', '.join(failed) or 'none'}"
        raise UserError(f"draft: no item {name!r} failed in this record{hint}")
    return [group for group in groups if not names or any(names & {*_names(place)} for place in group.places)]


def _names(place: FaultPlace) -> tuple[str, str]:
    """What a person may call the item of a place: its id, or as it is shown."""
    return place.node_id, f"{place.item.name}[{place.item.dtype}]"
