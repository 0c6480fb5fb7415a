"""The faults of a report: what fails, one page for each fault with its places, in the order of the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from harness.core import Severity
from harness.reporting.comparison import Lasting
from harness.reporting.fault_groups import FaultGroup, fault_groups, fault_order
from harness.reporting.finding_record import FindingRecord
from harness.reporting.html_report.page_place import PagePlace, model_place, operator_place, other_places
from harness.reporting.record import Record
from harness.trial import BuildChange, failure_severity

LastingByKey = Mapping[tuple[str, str, str], Lasting]
"""What the history says of each breakage, by the breakage's key."""


@dataclass(frozen=True)
class FaultPage:
    """One fault and its places, that first which tells most of it. `severity` is None for what is no finding.

    `anchor` is the id of its element in the document; `label` a word or two for its kind; `kernels` are what its places
    have in common of what ran, none where that is not known.
    """

    label: str
    severity: Severity | None
    places: Sequence[PagePlace]
    kernels: Sequence[str] = ()
    anchor: str = ""

    @property
    def first(self) -> PagePlace:
        """The place that is shown for all of them."""
        return self.places[0]

    @property
    def since(self) -> Lasting | None:
        """What the history says of the place in which it began first; None where it says nothing of any."""
        stories = [place.since for place in self.places if place.since]
        return min(stories, key=lambda story: story.since.time, default=None)

    @property
    def changes(self) -> list[BuildChange]:
        """Which of two builds shows it; none where one alone was run."""
        return [change for change in BuildChange if any(place.change is change for place in self.places)]


def fault_pages(record: Record, lasting: Iterable[Lasting] = ()) -> list[FaultPage]:
    """A page for each fault, the most serious first; `lasting` is what the history says of the breakages."""
    since: LastingByKey = {story.breakage.key: story for story in lasting}
    pages = [*_operator_pages(record), *_model_pages(record), *_other_pages(record)]
    pages.sort(key=lambda page: fault_order(page.severity, len(page.places), page.first.breakage.item))
    return [_with_anchors(page, f"fault-{number}", since) for number, page in enumerate(pages, 1)]


def _operator_pages(record: Record) -> Iterator[FaultPage]:
    for group in fault_groups(record):
        places = tuple(operator_place(place, record.run.seed) for place in group.places)
        yield FaultPage(_label(group), group.severity, places, group.kernels)


def _label(group: FaultGroup) -> str:
    """As the terminal heads a fault, with the kind where it says more than the severity."""
    kind = group.first.finding.kind
    return str(group.severity) if kind == group.severity else f"{group.severity} ({kind})"


def _model_pages(record: Record) -> Iterator[FaultPage]:
    """A page for each failure of a model: what runs in it is said by its modules, and no two share one."""
    for name, item in record.models.items():
        for failure in item.failures:
            severity = min(map(_finding_severity, failure.findings), key=lambda each: each.rank)
            place = model_place(name, item, failure, record.run.seed)
            yield FaultPage(f"{severity} ({failure.findings[0].kind})", severity, (place,))


def _finding_severity(finding: FindingRecord) -> Severity:
    return failure_severity(finding.oracle, finding.tensor)


def _other_pages(record: Record) -> Iterator[FaultPage]:
    for name, item in record.items.items():
        for place in other_places(name, item, record.run.seed):
            yield FaultPage(str(place.breakage.kind), None, (place,))


def _with_anchors(page: FaultPage, anchor: str, since: LastingByKey) -> FaultPage:
    """The page with its anchor, and with those of its places and what the history says of them.

    The one place of a page has the page's anchor.
    """
    anchors = [f"{anchor}-place-{number}" for number in range(1, len(page.places) + 1)]
    places = [
        replace(place, anchor=place_anchor, since=since.get(place.breakage.key))
        for place, place_anchor in zip(page.places, anchors if len(anchors) > 1 else [anchor], strict=True)
    ]
    return replace(page, anchor=anchor, places=places)
