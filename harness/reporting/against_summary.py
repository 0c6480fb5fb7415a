"""What differs between the build under test and the one that it is compared with: a view of the record."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from harness.reporting.build_comparison_record import BuildComparisonRecord, ChangedFindingRecord, TensorDriftRecord
from harness.reporting.record import Record
from harness.reporting.templating import TEMPLATES
from harness.trial import BuildChange

MOST_DRIFT: Final = 10
"""Tensors whose drift is printed; the record has all of them."""


@dataclass(frozen=True)
class FindingLine:
    """A finding of one item, which is named as pytest's ``-k`` takes it."""

    item: str
    finding: ChangedFindingRecord


@dataclass(frozen=True)
class DriftLine:
    """The drift of one tensor of one item."""

    item: str
    tensor: str
    drift: TensorDriftRecord


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


def against_summary(record: Record) -> str:
    """What is new, gone and in both, known issues by their reproducers, drift, and what the baseline lacks.

    Empty for a run of one build.
    """
    if record.against is None:
        return ""
    items = {f"{item.name}[{item.dtype}]": item.against for item in record.operators.values() if item.against}
    faults = sort_faults(items)
    return TEMPLATES.get_template("against.txt").render(
        ours=record.build,
        theirs=record.against.build,
        interpreter=record.against.interpreter,
        item_count=sum(not item.lack for item in items.values()),
        example_count=sum(item.examples for item in items.values()),
        findings={change: list(_failures(items, change)) for change in BuildChange},
        known={change: [fault for fault in faults if fault.change is change] for change in BuildChange},
        unasked=sum(place.change is None for item in items.values() for place in item.places.values()),
        drift=_drift(items),
        most=MOST_DRIFT,
        lacking=_items_by_lack(items),
    )


def sort_faults(items: Mapping[str, BuildComparisonRecord]) -> list[FaultLine]:
    """The known issues that show in either build, by their ids."""
    faults: dict[str, FaultLine] = {}
    for item in items.values():
        for name, place in item.places.items():
            if place.change:
                fault = name.partition("/")[0]
                faults.setdefault(fault, FaultLine(fault)).places[place.change] += 1
        for finding in item.findings:
            for issue in finding.issues:
                faults.setdefault(issue, FaultLine(issue)).examples[finding.change] += finding.examples
    return [faults[name] for name in sorted(faults)]


def _failures(items: Mapping[str, BuildComparisonRecord], change: BuildChange) -> Iterator[FindingLine]:
    """Those that fail, then those that no known issue accepts: the others are in the list of known issues."""
    lines = [FindingLine(name, each) for name, item in items.items() for each in item.findings]
    own = [line for line in lines if line.finding.change is change and (line.finding.fails or not line.finding.issues)]
    return iter(sorted(own, key=lambda line: not line.finding.fails))


def _drift(items: Mapping[str, BuildComparisonRecord]) -> list[DriftLine]:
    """Every tensor that is not the same to the bit, the worst first."""
    rows = [DriftLine(name, tensor, drift) for name, item in items.items() for tensor, drift in item.drift.items()]
    return sorted(rows, key=lambda row: -(math.inf if row.drift.ratio is None else row.drift.ratio))


def _items_by_lack(items: Mapping[str, BuildComparisonRecord]) -> Sequence[tuple[str, Iterable[str]]]:
    """What the baseline lacks, and the items that need it."""
    lacks: dict[str, list[str]] = {}
    for name, item in items.items():
        if item.lack:
            lacks.setdefault(item.lack, []).append(name)
    return sorted(lacks.items())
