"""`equivalence issues draft`: known issues as drafts of issues for an upstream tracker, each with its script."""

from __future__ import annotations

import argparse
from pathlib import Path

from harness.cli.draft import NamedDraft, output_drafts
from harness.cli.parser import Commands, add_command
from harness.errors import UserError, did_you_mean
from harness.golden import MATRIX_FILE, load_fault_matrix
from harness.project import Project
from harness.reporting import fault_draft
from harness.settings import Settings


def add_issue_draft_command(commands: Commands) -> None:
    """Add its parser."""
    about = "known issues as drafts of issues, in Markdown, each with the script that was seen to show it"
    parser = add_command(commands, "draft", print_fault_drafts, about)
    parser.add_argument("faults", nargs="+", metavar="FAULT", help="the id of a known issue")
    parser.add_argument("--write", type=Path, metavar="DIR", help="write FAULT.md and FAULT.py there: docs/drafts")


def print_fault_drafts(options: argparse.Namespace, settings: Settings) -> int:
    """Print or write a draft for each fault. Raises UserError for an id that is none. Runs nothing."""
    project = Project(settings.root)
    matrix, cases = load_fault_matrix(settings.root / MATRIX_FILE), project.every_case()
    faults = {fault.id: fault for fault in project.known_issues.faults}
    for name in options.faults:
        if name not in faults:
            raise UserError(f"there is no known issue {name!r}{did_you_mean(name, faults)}")
    output_drafts(
        [NamedDraft(name, fault_draft(faults[name], matrix, cases, project.levels)) for name in options.faults],
        options.write,
    )
    return 0
