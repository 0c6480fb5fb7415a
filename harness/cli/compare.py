"""`equivalence compare`: two records, and what is new, gone or otherwise in the second."""

from __future__ import annotations

import argparse
from pathlib import Path

from harness.cli.parser import Commands, add_command
from harness.reporting import compare_runs, comparison_markdown, comparison_short_text, comparison_text, read_run
from harness.settings import Settings


def add_compare_command(commands: Commands) -> None:
    """Add its parser."""
    about = "what a run shows that an older one does not; 1 where something new fails"
    parser = add_command(commands, "compare", print_comparison, about)
    parser.add_argument("old", type=Path, metavar="OLD", help="the record to compare with")
    parser.add_argument("new", type=Path, metavar="NEW", help="the record that is asked about")
    views = parser.add_mutually_exclusive_group()
    views.add_argument("--markdown", action="store_true", help="as Markdown")
    views.add_argument("--short", action="store_true", help="a few lines for a chat or a mail")


def print_comparison(options: argparse.Namespace, _: Settings) -> int:
    """Print it. 1 where something fails in NEW that does not in OLD. Raises UserError for what is no record."""
    comparison = compare_runs(read_run(options.old), read_run(options.new))
    views = {"markdown": comparison_markdown, "short": comparison_short_text}
    view = next((view for name, view in views.items() if getattr(options, name)), comparison_text)
    print(view(comparison))  # noqa: T201 - a command prints
    return int(comparison.is_worse)
