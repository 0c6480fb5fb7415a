"""The terminal summary: a view of the record, rendered from `templates/summary.txt`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from harness.core import CellState, FactKind, ItemStatus, NotCompared, ReproducerState
from harness.portable.dtypes import DTYPES
from harness.reporting.operator_item import OperatorItemRecord
from harness.reporting.record import Record, example_count
from harness.reporting.templating import TEMPLATES

Name = TypeVar("Name", bound=str)

MARKS: Final = {
    CellState.PASSED: ".",
    CellState.FAILED: "F",
    CellState.KNOWN_ISSUE: "d",
    CellState.UNTRUSTED: "u",
    CellState.NOT_RUN: "-",
}
WORST_FIRST: Final = (CellState.FAILED, CellState.KNOWN_ISSUE, CellState.PASSED, CellState.UNTRUSTED)


@dataclass(frozen=True)
class SummaryRow:
    """One case over its dtypes. `marks` has a mark for each cell, by dtype; `ratio` is None where all were exact."""

    name: str
    marks: Mapping[str, str]
    examples: int
    ratio: float | None
    pairs: str


@dataclass(frozen=True)
class KnownIssueLine:
    """A known issue, how many examples it accepted, and what its reproducers of this run do."""

    name: str
    examples: int
    reproducers: Sequence[str]


def terminal_summary(record: Record) -> str:
    """Matrix of case x dtype x level, counts, kernels hit at each level, coverage, headroom, what is not trusted.

    Empty where only models ran, which have a table of their own.
    """
    items = tuple(record.operators.values())
    if not items:
        return ""
    return TEMPLATES.get_template("summary.txt").render(
        cells=record.cells,
        levels=record.levels,
        marks=MARKS,
        dtypes=_dtypes(items),
        rows=_rows(items, record.cells),
        hits=_hits(items, record.cells),
        examples=+sum_counts(item.examples for item in items),
        untrusted=sum_counts(item.untrusted for item in items).most_common(),
        skipped=sum_counts(item.skipped for item in items).most_common(),
        in_parts=sum_counts(item.in_parts for item in items).most_common(),
        checked=sum_counts(counts for item in items for counts in item.cells.values()),
        known_issues=_known_issues(items),
        doubles=Counter(item.double for item in items if item.double).most_common(),
        unchecked=sorted(f"{item.name}[{item.dtype}]" for item in items if item.status is ItemStatus.UNTRUSTED),
        pairs=sum(item.coverage.pairs for item in items),
        all_pairs=sum(item.coverage.of for item in items),
        facts=sum(item.golden.facts for item in items),
        snapshots=sum(item.golden.snapshots for item in items),
        not_available=_not_available(items),
        not_compared=_not_compared(items),
        advice=sorted({item.golden.advice for item in items if item.golden.advice}),
        incidents=[incident for item in items for incident in item.incidents],
        notes=[f"{item.name}[{item.dtype}]: {note}" for item in items for note in item.notes],
    )


def release_summary(record: Record) -> str:
    """What is new, gone and moved in a release that golden/ was not verified with; empty with one that it was."""
    release = record.release
    if release.verified is None or release.tested in release.verified:
        return ""
    return TEMPLATES.get_template("release.txt").render(
        release=release, counts=Counter(c.change for c in release.changes)
    )


def cell_state(item: OperatorItemRecord, cell: str) -> CellState:
    """What one cell came to over all examples."""
    return worst_state(item.cells.get(cell, {}))


def worst_state(counts: Mapping[CellState, int]) -> CellState:
    """The worst state that any example came to, and `untrusted` only where nothing was checked."""
    return next((state for state in WORST_FIRST if counts.get(state)), CellState.NOT_RUN)


def sum_counts(several: Iterable[Mapping[Name, int]]) -> Counter[Name]:
    """The sum of several counts."""
    total: Counter[Name] = Counter()
    for counts in several:
        total.update(counts)
    return total


def _dtypes(items: Iterable[OperatorItemRecord]) -> list[str]:
    dtypes = {item.dtype for item in items}
    return [dtype for dtype in DTYPES if dtype in dtypes]


def _rows(items: Iterable[OperatorItemRecord], cells: Sequence[str]) -> list[SummaryRow]:
    cases: dict[str, list[OperatorItemRecord]] = {}
    for item in items:
        cases.setdefault(item.case, []).append(item)
    return [_row(of_case, cells) for of_case in cases.values()]


def _row(items: Sequence[OperatorItemRecord], cells: Sequence[str]) -> SummaryRow:
    """The row of the items of one case."""
    pairs, all_pairs = sum(item.coverage.pairs for item in items), sum(item.coverage.of for item in items)
    return SummaryRow(
        name=items[0].name,
        marks={item.dtype: "".join(MARKS[cell_state(item, cell)] for cell in cells) for item in items},
        examples=sum(map(example_count, items)),
        ratio=max((ratio for item in items for ratio in item.ratios.values()), default=None),
        pairs=f"{100 * pairs // all_pairs} %" if all_pairs else "-",
    )


def _hits(items: Collection[OperatorItemRecord], cells: Iterable[str]) -> dict[str, list[tuple[str, int]]]:
    """Cell → implementations with counts, most used first, then by name."""
    totals = {cell: sum_counts(item.hits.get(cell, {}) for item in items) for cell in cells}
    return {cell: sorted(total.items(), key=lambda hit: (-hit[1], hit[0])) for cell, total in totals.items()}


def _not_available(items: Collection[OperatorItemRecord]) -> list[tuple[str, list[str]]]:
    """What the build lacks, and the items that need it."""
    lacks: dict[str, list[str]] = {}
    for item in items:
        if item.lack:
            lacks.setdefault(item.lack, []).append(f"{item.name}[{item.dtype}]")
    return sorted(lacks.items())


def _not_compared(items: Collection[OperatorItemRecord]) -> list[NotCompared]:
    """What was not compared over all items, the same reason once."""
    counts: Counter[tuple[FactKind, str]] = Counter()
    for item in items:
        for each in item.golden.not_compared:
            counts[each.fact, each.reason] += each.count
    return [NotCompared(fact, count, reason) for (fact, reason), count in sorted(counts.items())]


def _known_issues(items: Collection[OperatorItemRecord]) -> list[KnownIssueLine]:
    """Those that accepted an example, and those with a reproducer of this run, in the order of their ids."""
    counts = sum_counts(item.known_issues for item in items)
    checks: dict[str, list[str]] = {}
    for item in items:
        for name, check in item.reproducers.items():
            if check.state is not ReproducerState.OF_ANOTHER_ITEM:
                fault, _, place = name.partition("/")
                checks.setdefault(fault, []).append(f"{check} (place {place})" if place else str(check))
    return [KnownIssueLine(name, counts.get(name, 0), checks.get(name, [])) for name in sorted({*counts, *checks})]
