"""Drafts of issues for an upstream tracker, in Markdown: of a failure of a run, and of a known issue."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from harness.core import Case, KnownFault, Level, PlaceState
from harness.core.finding import Oracle
from harness.golden import FaultMatrix, describe_levels
from harness.reporting.catalogue import describe_place, describe_releases
from harness.reporting.fault_groups import FaultGroup, FaultPlace
from harness.reporting.foreign_text import Markdown
from harness.reporting.operator_item import CellRowRecord, FailureRecord, OperatorItemRecord
from harness.reporting.record import Record
from harness.reporting.script import fault_scripts
from harness.reporting.templating import MARKDOWN

EXPECTED: Final[Mapping[Oracle, str]] = {
    "values": "the float64 result, within the roundings of the dtype, in either memory format and at every level",
    "strides": "the memory format that the call was given, or the one that it promises",
    "shape": "the shape that the same call has elsewhere",
    "dtype": "the dtype that the same call has in contiguous memory",
    "range": "indices that lie inside the tensor",
    "written": "inputs that are the same after the call as before",
    "repeat": "the same bits whenever the same call is made",
    "error": "an answer wherever the same call has one in the other memory format, or in float64",
    "crash": "a call that returns, or raises",
    "hang": "a call that returns, or raises",
}
"""What is right where an oracle says that something is wrong."""

_LINK: Final = re.compile(r"https?://[\w./?=&%+~:#-]+")
"""An address that is harmless between angle brackets."""


@dataclass(frozen=True)
class RelatedThread:
    """A thread about a fault that may be the same: of the same kernel, or of the same oracle in the same case."""

    fault: str
    link: Markdown
    why: str


@dataclass(frozen=True, kw_only=True)
class IssueDraft:
    """What a draft says. `rows` are the levels of a failure, `levels` those of a known issue in words.

    `places` are all that a known issue covers, `elsewhere` those of a run beside the failure that is shown.
    """

    title: str
    expected: str
    actual: str
    details: Sequence[str] = ()
    script: str = ""
    no_script: str = ""
    ran_with: str = ""
    rows: Sequence[CellRowRecord] = ()
    levels: str = ""
    places: Sequence[str] = ()
    elsewhere: Sequence[str] = ()
    releases: str = ""
    goes_away: Sequence[str] = ()
    stays: Sequence[str] = ()
    versions: Mapping[str, str]
    threads: Sequence[RelatedThread] = ()
    replay: str = ""

    def text(self) -> str:
        """The draft in Markdown, in which nothing that a record or an entry says is markup."""
        return MARKDOWN.get_template("draft.md.jinja").render(draft=self)


def group_draft(record: Record, group: FaultGroup, faults: Sequence[KnownFault]) -> IssueDraft:
    """The draft of a fault of a run: its most telling failure, and the other places where it was seen."""
    shown = group.most_telling
    others = [describe_fault_place(place) for place in group.places if place is not shown]
    return replace(failure_draft(record, shown.item, shown.failure, faults), elsewhere=others)


def describe_fault_place(place: FaultPlace) -> str:
    """One place of a fault as a draft lists it: item, tensor, cells, and what is wrong there."""
    finding = place.failure.finding
    return f"{place.words} ({', '.join(finding.cells)}): {place.failure.pattern or finding.where or finding.message}"


def failure_draft(
    record: Record, item: OperatorItemRecord, failure: FailureRecord, faults: Sequence[KnownFault]
) -> IssueDraft:
    """The draft of one failure of a run; `faults` are those known, whose threads may be about it."""
    finding = failure.finding
    build = record.build
    elements = [
        f"at {list(element.index)}: got {element.got}, expected {element.expected}"
        + (f" ({element.ulps} ulps)" if element.ulps is not None else "")
        for element in failure.elements
    ]
    return IssueDraft(
        title=f"{item.name} in {item.dtype}: {finding.message}",
        expected=EXPECTED[finding.oracle],
        actual=". ".join(filter(None, [finding.message, failure.pattern or finding.where])),
        details=elements,
        script=failure.script,
        no_script=failure.no_script,
        ran_with=build.torch,
        rows=failure.rows,
        goes_away=[variation.words for variation in failure.diagnosis.goes_away],
        stays=[variation.words for variation in failure.diagnosis.stays],
        versions={
            "PyTorch": build.torch,
            "oneDNN": build.onednn or "none",
            "CPU": build.cpu,
            "Python": build.python,
            "NumPy": build.numpy,
            "platform": build.platform,
        },
        threads=list(related_threads(item, failure, faults)),
        replay=failure.example.to_json(),
    )


def fault_draft(
    fault: KnownFault, matrix: FaultMatrix, cases: Mapping[str, Case], levels: Sequence[Level]
) -> IssueDraft:
    """The draft of a known issue: what its entry says, what was measured, and the script that was seen to show it."""
    scripts = (text for poison in (False, True) for text in fault_scripts(fault, cases, levels, poison=poison))
    script = next((text for text in scripts if matrix.shows(fault.id, text)), "")
    states = {release: matrix.fault_state(fault, release) for release in matrix.releases}
    failing = [release for release, state in states.items() if state is PlaceState.FAILS]
    build = matrix.builds[failing[-1]] if failing else None
    cells = tuple(dict.fromkeys(cell for place in fault.places for cell in place.cells))
    return IssueDraft(
        title=fault.summary,
        expected=EXPECTED[fault.places[0].oracle],
        actual=fault.reason,
        script=script,
        no_script="" if script else "none of plain PyTorch has been seen to show it",
        ran_with=matrix.scripts[fault.id].release if script else "",
        levels=describe_levels(cells, levels),
        places=[describe_place(place, levels).replace("`", "") for place in fault.places],
        releases=describe_releases(states),
        versions={"PyTorch": build.torch, "oneDNN": build.onednn or "none", "CPU": build.cpu} if build else {},
        threads=[
            RelatedThread(fault.id, Markdown(link), "noted with it")
            for link in (fault.link, *fault.related)
            if _LINK.fullmatch(link)
        ],
        replay=fault.places[0].reproducer.to_json(),
    )


def related_threads(
    item: OperatorItemRecord, failure: FailureRecord, faults: Sequence[KnownFault]
) -> Iterator[RelatedThread]:
    """The threads of known faults that a failure may be: each link once, those of the same kernel first."""
    kernels = {part for row in failure.rows for kernel in row.kernels for part in kernel.split(":") if len(part) > 3}
    by_kernel = [(fault, sorted(name for name in kernels if name in fault.reason)) for fault in faults]
    matches = [(fault, f"its kernel is {names[0]} too") for fault, names in by_kernel if names]
    matches += [(fault, "the same property of the same operator") for fault in faults if _is_of(fault, item, failure)]
    links: dict[str, RelatedThread] = {}
    for fault, why in matches:
        for link in (fault.link, *fault.related):
            if _LINK.fullmatch(link):
                links.setdefault(link, RelatedThread(fault.id, Markdown(link), why))
    yield from links.values()


def _is_of(fault: KnownFault, item: OperatorItemRecord, failure: FailureRecord) -> bool:
    oracle = failure.finding.oracle
    return any(place.oracle == oracle and place.is_of(item.case, item.dtype) for place in fault.places)
