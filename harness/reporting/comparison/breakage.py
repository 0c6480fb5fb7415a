"""What makes an item fail, one entry for each thing, with what it is known by from one run to the next."""

from __future__ import annotations

import enum
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from harness.core import ItemStatus, PatternKind, ReproducerState, Severity
from harness.reporting.finding_record import FindingRecord
from harness.reporting.golden_item import GoldenItemRecord
from harness.reporting.model_item import ModelItemRecord
from harness.reporting.operator_item import OperatorItemRecord
from harness.reporting.record import ItemRecord, Record
from harness.trial import failure_severity


class BreakageKind(enum.StrEnum):
    """What sort of thing it is. The text is what is printed."""

    FINDING = "finding"
    GOLDEN = "golden"
    """golden/ says otherwise of the layout or of an exact result."""
    DOUBLE_BACKWARD = "double backward"
    STALE = "stale known issue"
    UNCHECKED = "nothing was checked"
    PROBLEM = "could not be judged"
    """A model that does not run, or not twice alike."""


@dataclass(frozen=True)
class Breakage:
    """One thing for which an item fails. Those with the same `key` are taken for the same in two runs.

    `item` is the node id; `name` says which of its kind it is: oracle and tensor of a finding, the id of a known issue,
    the sentence of a difference. `cells` are the levels where it shows, none where it is not about levels. `severity`
    is how bad a finding is, None for what is none.
    """

    item: str
    kind: BreakageKind
    name: str
    message: str
    cells: tuple[str, ...] = ()
    severity: Severity | None = None

    @property
    def title(self) -> str:
        """Its kind, and of a finding the oracle and the tensor."""
        return f"{self.kind} {self.name}" if self.kind is BreakageKind.FINDING else str(self.kind)

    @property
    def key(self) -> tuple[str, BreakageKind, str]:
        """What it is known by: item, kind and name."""
        return self.item, self.kind, self.name


Breakages = Mapping[tuple[str, BreakageKind, str], Breakage]
"""By their keys, in the order of the record."""

FAILING: Final = (ItemStatus.FAILED, ItemStatus.UNTRUSTED)
"""What makes pytest's item a failed one."""

_LINE_NUMBER: Final = re.compile(r"(?<=\.yaml):\d+")
"""In a sentence of golden/: it moves with every edit of the file, and is no part of what a breakage is known by."""


def record_breakages(record: Record) -> Breakages:
    """Everything for which an item of the record fails."""
    return _by_key(breakage for name, item in record.items.items() for breakage in item_breakages(name, item))


def item_breakages(name: str, item: ItemRecord) -> Iterator[Breakage]:
    """Everything for which one item fails; `name` is its node id."""
    if item.status not in FAILING:
        return
    if isinstance(item, GoldenItemRecord):
        yield from (Breakage(name, BreakageKind.GOLDEN, _LINE_NUMBER.sub("", each), each) for each in item.misfits)
        return
    yield from _operator_breakages(name, item) if isinstance(item, OperatorItemRecord) else _model_breakages(name, item)
    if item.status is ItemStatus.UNTRUSTED:
        yield Breakage(name, BreakageKind.UNCHECKED, "", "; ".join(item.untrusted) or "no example ran")


def finding_breakage(name: str, finding: FindingRecord, pattern: Collection[PatternKind] = ()) -> Breakage:
    """A finding; another seed words it otherwise, and shrinks it to another example, but oracle and tensor stay.

    `pattern` is what its differing elements have in common.
    """
    where = f", {finding.where}" if finding.where else ""
    return Breakage(
        item=name,
        kind=BreakageKind.FINDING,
        name=f"{finding.oracle} {finding.tensor}".strip(),
        message=f"{finding.message}{where}",
        cells=tuple(finding.cells),
        severity=failure_severity(finding.oracle, finding.tensor, pattern),
    )


def _operator_breakages(name: str, item: OperatorItemRecord) -> Iterator[Breakage]:
    for failure in item.failures:
        yield finding_breakage(name, failure.finding, failure.pattern_kinds)
    for issue, check in item.reproducers.items():
        if check.state is ReproducerState.STALE:
            yield Breakage(name, BreakageKind.STALE, issue, f"{issue} is {check}")
    for sentence in item.golden.differing:
        yield Breakage(name, BreakageKind.GOLDEN, _LINE_NUMBER.sub("", sentence), sentence)
    for sentence in item.faults:
        yield Breakage(name, BreakageKind.DOUBLE_BACKWARD, "", sentence)


def _model_breakages(name: str, item: ModelItemRecord) -> Iterator[Breakage]:
    if item.problem:
        yield Breakage(name, BreakageKind.PROBLEM, "", item.problem)
    for finding in (finding for failure in item.failures for finding in failure.findings):
        yield finding_breakage(name, finding)
    for issue in item.stale:
        yield Breakage(name, BreakageKind.STALE, issue, f"{issue} of the model accepted nothing")


def _by_key(breakages: Iterable[Breakage]) -> Breakages:
    """The first of each key, in all cells in which any of them shows."""
    by_key: dict[tuple[str, BreakageKind, str], Breakage] = {}
    for breakage in breakages:
        first = by_key.setdefault(breakage.key, breakage)
        by_key[breakage.key] = replace(first, cells=tuple(dict.fromkeys([*first.cells, *breakage.cells])))
    return by_key
