"""What differs between the build under test and the one that it is compared with: views of the record."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from harness.reporting.build_comparison_record import (
    BuildComparisonRecord,
    ChangedFindingRecord,
    ReferenceDifferenceRecord,
    TensorDriftRecord,
)
from harness.reporting.record import BaselineRecord, Record
from harness.reporting.templating import TEMPLATES
from harness.trial import BuildChange, failure_severity, severity_rank

MOST_DRIFT: Final = 10
"""Tensors whose drift is printed; the record has all of them."""


@dataclass(frozen=True)
class ComparedItem:
    """An item that was compared: its node id, the item as pytest's ``-k`` takes it, and how the builds compare."""

    node_id: str
    name: str
    comparison: BuildComparisonRecord


@dataclass(frozen=True)
class FindingLine:
    """A finding of one item."""

    item: ComparedItem
    finding: ChangedFindingRecord


@dataclass(frozen=True)
class DriftLine:
    """The drift of one tensor of one item."""

    item: ComparedItem
    tensor: str
    drift: TensorDriftRecord


@dataclass(frozen=True)
class ReferenceLine:
    """A tensor of one item, of which the two float64 references differ."""

    item: ComparedItem
    tensor: str
    difference: ReferenceDifferenceRecord


@dataclass
class FaultLine:
    """A known issue over the whole run: how many of its reproducers, and of the other examples, show which change."""

    name: str
    places: Counter[BuildChange] = field(default_factory=Counter)
    examples: Counter[BuildChange] = field(default_factory=Counter)

    @property
    def change(self) -> BuildChange:
        """In which build the fault is; what its reproducers say comes before what other examples say.

        One that shows in both anywhere, or here in the one and there in the other, is in both.
        """
        counts = self.places or self.examples
        return next(iter(counts)) if len(counts) == 1 else BuildChange.IN_BOTH

    def __str__(self) -> str:
        """As it is printed after the name."""
        return "; ".join(
            f"{what} " + ", ".join(f"{counts[change]} {change}" for change in BuildChange if counts[change])
            for what, counts in (("reproducers", self.places), ("examples", self.examples))
            if counts
        )


@dataclass(frozen=True)
class BuildsView:
    """What both builds came to, as it is listed.

    `findings` has what fails, then what no known issue accepts, each the most serious first; `known` the known issues
    by the build that has the fault, `unasked` counts the reproducers that tell nothing. `references` has each tensor of
    which the float64 references differ, `drift` each other one that is right in both and not the same to the bit, the
    worst first, and `lacking` what the baseline lacks, with the items that need it.
    """

    baseline: BaselineRecord
    item_count: int
    example_count: int
    findings: Mapping[BuildChange, Sequence[FindingLine]]
    known: Mapping[BuildChange, Sequence[FaultLine]]
    unasked: int
    references: Sequence[ReferenceLine]
    drift: Sequence[DriftLine]
    lacking: Sequence[tuple[str, Sequence[str]]]


def builds_view(record: Record) -> BuildsView | None:
    """What is new, gone and in both; None for a run of one build."""
    if record.against is None:
        return None
    items = [
        ComparedItem(node_id, f"{item.name}[{item.dtype}]", item.against)
        for node_id, item in record.operators.items()
        if item.against
    ]
    faults = sort_faults(item.comparison for item in items)
    return BuildsView(
        baseline=record.against,
        item_count=sum(not item.comparison.lack for item in items),
        example_count=sum(item.comparison.examples for item in items),
        findings={change: _finding_lines(items, change) for change in BuildChange},
        known={change: [fault for fault in faults if fault.change is change] for change in BuildChange},
        unasked=sum(place.change is None for item in items for place in item.comparison.places.values()),
        references=[
            ReferenceLine(item, tensor, difference)
            for item in items
            for tensor, difference in item.comparison.references.items()
        ],
        drift=_drift(items),
        lacking=_items_by_lack(items),
    )


def against_summary(record: Record) -> str:
    """What is new, gone and in both, known issues by their reproducers, references, drift, and what is lacking.

    Empty for a run of one build.
    """
    view = builds_view(record)
    if view is None:
        return ""
    return TEMPLATES.get_template("against.txt").render(view=view, ours=record.build, most=MOST_DRIFT)


def sort_faults(comparisons: Iterable[BuildComparisonRecord]) -> list[FaultLine]:
    """The known issues that show in either build, by their ids."""
    faults: dict[str, FaultLine] = {}
    for comparison in comparisons:
        for name, place in comparison.places.items():
            if place.change:
                fault = name.partition("/")[0]
                faults.setdefault(fault, FaultLine(fault)).places[place.change] += 1
        for finding in comparison.findings:
            for issue in finding.issues:
                faults.setdefault(issue, FaultLine(issue)).examples[finding.change] += finding.examples
    return [faults[name] for name in sorted(faults)]


def _finding_lines(items: Iterable[ComparedItem], change: BuildChange) -> list[FindingLine]:
    """Those that fail, then those that no known issue accepts: the others are in the list of known issues."""
    lines = [FindingLine(item, each) for item in items for each in item.comparison.findings]
    own = [line for line in lines if line.finding.change is change and (line.finding.fails or not line.finding.issues)]
    return sorted(own, key=lambda line: (not line.finding.fails, _rank(line.finding)))


def _rank(finding: ChangedFindingRecord) -> int:
    """How bad it is, 0 for the worst."""
    return severity_rank(failure_severity(finding.oracle, finding.tensor))


def _drift(items: Iterable[ComparedItem]) -> list[DriftLine]:
    """Every tensor that is not the same to the bit, the worst first."""
    rows = [DriftLine(item, tensor, drift) for item in items for tensor, drift in item.comparison.drift.items()]
    return sorted(rows, key=lambda row: -(math.inf if row.drift.ratio is None else row.drift.ratio))


def _items_by_lack(items: Iterable[ComparedItem]) -> list[tuple[str, list[str]]]:
    """What the baseline lacks, and the items that need it."""
    lacks: dict[str, list[str]] = {}
    for item in items:
        if item.comparison.lack:
            lacks.setdefault(item.comparison.lack, []).append(item.name)
    return sorted(lacks.items())
