"""`equivalence issues`: what PyTorch is known to get wrong, listed, shown, checked and proposed."""

from __future__ import annotations

from harness.cli.issues.check import add_check_reproducers_command
from harness.cli.issues.draft import add_issue_draft_command
from harness.cli.issues.list import add_list_command
from harness.cli.issues.matrix import add_matrix_command
from harness.cli.issues.propose import add_propose_command
from harness.cli.issues.show import add_show_command
from harness.cli.parser import Commands


def add_issues_command(commands: Commands) -> None:
    """Add its parser, and those of its own commands."""
    about = "the known issues: which there are, and whether they are still there"
    parser = commands.add_parser("issues", help=about, description=__doc__)
    own = parser.add_subparsers(required=True, metavar="COMMAND")
    add_list_command(own)
    add_show_command(own)
    add_check_reproducers_command(own)
    add_propose_command(own)
    add_matrix_command(own)
    add_issue_draft_command(own)
