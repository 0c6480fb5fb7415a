"""The summary of a run as Markdown, as a step of GitHub's Actions shows it."""

from __future__ import annotations

from collections import Counter
from typing import Final

from harness.reporting.comparison import run_figures
from harness.reporting.fault_groups import MOST_PLACES
from harness.reporting.html_report import fault_pages
from harness.reporting.record import Record
from harness.reporting.templating import MARKDOWN

MOST_FAULTS: Final = 30
"""Faults that are listed: all of them have to fit into the MiB that GitHub takes of a step."""

LONGEST_COMMAND: Final = 8000
"""Characters of a command that is printed; a longer one is in the record."""


def step_summary(record: Record) -> str:
    """Verdict, build, figures, and the first faults with the commands that run them again."""
    return MARKDOWN.get_template("step_summary.md.jinja").render(
        record=record,
        figures=run_figures(record),
        statuses=sorted(Counter(str(item.status) for item in record.items.values()).items()),
        pages=fault_pages(record),
        most=MOST_FAULTS,
        most_places=MOST_PLACES,
        longest=LONGEST_COMMAND,
    )
