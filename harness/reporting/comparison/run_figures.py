"""What a run comes to in figures: how much failed, headroom, speed and coverage."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from harness.core import ItemStatus
from harness.reporting.comparison.breakage import FAILING
from harness.reporting.record import Record, example_count
from harness.reporting.summary import sum_counts


class WorstRatio(NamedTuple):
    """The worst ratio of error to allowance of several, and the tensor and item that it is of; 1 is the allowance."""

    ratio: float
    item: str
    tensor: str


@dataclass(frozen=True)
class RunFigures:
    """One run. `seconds` are wall time, summed over items; `worst` is of what did not fail, None where all is exact.

    `near` counts the tensors above half of their bound, of `bounded` that have one.
    `pairs` and `triples` are per cent of the combinations of corner values, None where none was counted.
    """

    items: int
    failing: int
    known_issues: int
    unchecked: int
    examples: int
    seconds: float
    worst: WorstRatio | None
    near: int
    bounded: int
    pairs: float | None
    triples: float | None
    kernels: frozenset[str]
    operators: frozenset[str]

    @property
    def examples_a_second(self) -> float | None:
        """Examples a second of one process; None where no time was measured."""
        return self.examples / self.seconds if self.seconds else None

    @property
    def seconds_each(self) -> float:
        """Seconds for an example."""
        return self.seconds / max(self.examples, 1)


def run_figures(record: Record) -> RunFigures:
    """The figures of a record."""
    items, operators = record.items.values(), record.operators.values()
    statuses = [item.status for item in items]
    coverage = [item.coverage for item in operators]
    ratios = tensor_ratios(record)
    return RunFigures(
        items=len(statuses),
        failing=sum(status in FAILING for status in statuses),
        known_issues=statuses.count(ItemStatus.KNOWN_ISSUE),
        unchecked=sum(not status.is_checked for status in statuses),
        examples=sum(map(example_count, items)),
        seconds=sum(item.seconds for item in items),
        worst=max(ratios, default=None),
        near=sum(worst.ratio > 0.5 for worst in ratios),
        bounded=len(ratios),
        pairs=percent(sum(each.pairs for each in coverage), sum(each.of for each in coverage)),
        triples=percent(sum(each.triples for each in coverage), sum(each.of_triples for each in coverage)),
        kernels=frozenset(sum_counts(counts for item in items for counts in item.hits.values())),
        operators=frozenset(name for item in operators for name in item.operators),
    )


def tensor_ratios(record: Record) -> list[WorstRatio]:
    """The worst ratio of each tensor of each item that did not fail."""
    return [
        WorstRatio(ratio, name, tensor)
        for name, item in record.items.items()
        if item.status is not ItemStatus.FAILED
        for tensor, ratio in item.ratios.items()
    ]


def percent(part: int, whole: int) -> float | None:
    """The part in per cent of the whole; None where there is nothing of it."""
    return 100.0 * part / whole if whole else None
