"""`equivalence issues list`: one line for each fault, the worst first."""

from __future__ import annotations

import argparse
from collections.abc import Iterable

from harness.cli.issues.faults import align_columns
from harness.cli.parser import Commands, add_command
from harness.core import KnownFault, sort_by_severity
from harness.project import Project
from harness.settings import Settings

HEAD = ("severity", "fault", "places", "since", "fixed", "last verified", "link")


def add_list_command(commands: Commands) -> None:
    """Add its parser."""
    add_command(commands, "list", list_faults, "every fault: severity, places, releases, last verified, link")


def list_faults(_: argparse.Namespace, settings: Settings) -> int:
    """Print the table of all faults."""
    faults = Project(settings.root).known_issues.faults
    print("\n".join(fault_table(faults)))  # noqa: T201 - a command prints
    return 0


def fault_table(faults: Iterable[KnownFault]) -> list[str]:
    """The faults as lines, by severity and then by id, below a head and above their number."""
    ranked = sort_by_severity(faults)
    places = sum(len(fault.places) for fault in ranked)
    return [*align_columns([HEAD, *map(_row, ranked)]), f"{len(ranked)} faults, {places} places"]


def _row(fault: KnownFault) -> tuple[str, ...]:
    last = f"{fault.verified.torch}, {fault.verified.date}" if fault.verified else "-"
    releases = (fault.since or "-", fault.fixed or "-")
    return (fault.severity, fault.id, str(len(fault.places)), *releases, last, fault.link)
