"""The section of a report on two builds: what is new, gone and in both, with the way to its fault and its example."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from harness.core.finding import Oracle
from harness.reporting.against_summary import BuildsView, FindingLine, builds_view
from harness.reporting.html_report.fault_page import FaultPage
from harness.reporting.record import Record
from harness.reporting.replay import replay_line
from harness.trial import BuildChange

MOST_FINDINGS: Final = 200
MOST_DRIFTS: Final = 100
"""Rows of a table; the record has all."""

TITLES: Final = {
    BuildChange.NEW: "New: in the build under test alone",
    BuildChange.GONE: "Gone: in the other build alone",
    BuildChange.IN_BOTH: "In both builds",
}

PlaceKey = tuple[str, Oracle, str]
"""What a failure is known by: the node id of its item, the broken property, the tensor."""


@dataclass(frozen=True)
class FindingRow:
    """A finding that one of the builds shows, or both. `fault` is the anchor of its fault, empty where it fails none.

    `command` runs the first example that shows it.
    """

    line: FindingLine
    fault: str
    command: str


@dataclass(frozen=True)
class ChangeTable:
    """The findings of one change; `more` counts those that are left out."""

    change: BuildChange
    title: str
    rows: Sequence[FindingRow]
    more: int

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.rows) + self.more


@dataclass(frozen=True)
class BuildsSection:
    """What the section says: the view that the terminal has too, and its findings as tables."""

    view: BuildsView
    tables: Sequence[ChangeTable]
    most_drifts: int = MOST_DRIFTS

    @property
    def known_count(self) -> int:
        """How many known issues show in either build."""
        return sum(map(len, self.view.known.values()))


def builds_section(record: Record, pages: Iterable[FaultPage]) -> BuildsSection | None:
    """The section; None for a run of one build."""
    view = builds_view(record)
    if view is None:
        return None
    anchors = _anchors(pages)
    return BuildsSection(view, [_change_table(change, lines, anchors) for change, lines in view.findings.items()])


def _anchors(pages: Iterable[FaultPage]) -> dict[PlaceKey, str]:
    places = [place for page in pages for place in page.places]
    return {
        (place.breakage.item, place.failure.finding.oracle, place.tensor): place.anchor
        for place in places
        if place.failure
    }


def _change_table(change: BuildChange, lines: Sequence[FindingLine], anchors: Mapping[PlaceKey, str]) -> ChangeTable:
    rows = [_row(line, anchors) for line in lines[:MOST_FINDINGS]]
    return ChangeTable(change, TITLES[change], rows, len(lines) - len(rows))


def _row(line: FindingLine, anchors: Mapping[PlaceKey, str]) -> FindingRow:
    finding = line.finding
    fault = anchors.get((line.item.node_id, finding.oracle, finding.tensor), "") if finding.fails else ""
    return FindingRow(line, fault, replay_line(finding.example))
