"""What is printed of a comparison and of a history: for a terminal, as Markdown, and in a few lines for a chat."""

from __future__ import annotations

from typing import Final

from harness.reporting.comparison.comparison import RunComparison
from harness.reporting.comparison.history import History
from harness.reporting.templating import MARKDOWN, TEMPLATES

MOST_LISTED: Final = 20
"""Entries of a list in which order says what matters; the others are counted."""

MOST_IN_CHAT: Final = 5
"""New failures that the short text names."""


def comparison_text(comparison: RunComparison) -> str:
    """For a terminal."""
    return TEMPLATES.get_template("comparison.txt").render(comparison=comparison, most=MOST_LISTED)


def comparison_markdown(comparison: RunComparison) -> str:
    """As Markdown."""
    return MARKDOWN.get_template("comparison.md.jinja").render(comparison=comparison, most=MOST_LISTED)


def comparison_short_text(comparison: RunComparison) -> str:
    """In a few lines of plain text for a chat or a mail, the verdict first."""
    return TEMPLATES.get_template("comparison_short.txt").render(comparison=comparison, most=MOST_IN_CHAT)


def history_text(history: History) -> str:
    """For a terminal."""
    return TEMPLATES.get_template("history.txt").render(history=history, most=MOST_LISTED)
