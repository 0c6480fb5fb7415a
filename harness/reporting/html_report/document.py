"""The document: everything of a report put together, with styles and script inside and nothing from outside."""

from __future__ import annotations

from collections import Counter
from typing import Final

from harness.core import Severity
from harness.reporting.comparison import History, run_figures
from harness.reporting.fault_groups import MOST_PLACES
from harness.reporting.html_report.builds import builds_section
from harness.reporting.html_report.fault_page import fault_pages
from harness.reporting.html_report.headroom import headroom
from harness.reporting.html_report.inline_source import inline_source
from harness.reporting.html_report.matrix import CODES, model_matrix, operator_matrix
from harness.reporting.html_report.sections import (
    examined_items,
    implementation_rows,
    known_issue_rows,
    suite_rows,
    unchecked_reasons,
)
from harness.reporting.html_report.trend import trends
from harness.reporting.record import Record
from harness.reporting.summary import MARKS, sum_counts
from harness.reporting.templating import HTML

_STYLE: Final = "report/style.css"
_SCRIPTS: Final = ("report/copy.js", "report/script.js")
_DOCUMENT: Final = "report/report.html.jinja"


def html_report(record: Record, name: str, history: History | None = None) -> str:
    """The report of a run as one HTML document; `name` is that of its record's file.

    A policy in it lets no script run but its own, known by its digest, and lets nothing be loaded: should a text of
    the record ever become an element, it would be inert.
    """
    pages = fault_pages(record, history.lasting if history else ())
    items = record.operators.values()
    examined = examined_items(record)
    return HTML.get_template(_DOCUMENT).render(
        name=name,
        record=record,
        style=inline_source(HTML, _STYLE),
        script=inline_source(HTML, *_SCRIPTS),
        figures=run_figures(record),
        statuses=Counter(str(item.status) for item in record.items.values()),
        pages=pages,
        severities=[*Severity],
        builds=builds_section(record, pages),
        most=MOST_PLACES,
        operators=operator_matrix(record, pages),
        models=model_matrix(record, pages),
        legend=[(CODES[state], MARKS[state], str(state)) for state in CODES],
        headroom=headroom(record),
        suites=suite_rows(record),
        implementations=implementation_rows(record),
        known_issues=known_issue_rows(record),
        unchecked=unchecked_reasons(record),
        untrusted=sum_counts(item.untrusted for item in examined.values()).most_common(),
        not_compared=sum_counts(
            {f"{each.fact}: {each.reason}": each.count} for item in items for each in item.golden.not_compared
        ).most_common(),
        advice=sorted({item.golden.advice for item in items if item.golden.advice}),
        events=[(name, text) for name, item in examined.items() for text in (*item.incidents, *item.notes)],
        history=history,
        trends=trends(history) if history else [],
    )
