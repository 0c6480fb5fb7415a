"""The tables of a report beside faults and matrix: suites, implementations, known issues, what was not checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.core import DoubleBackwardState, ReproducerState
from harness.reporting.comparison import FAILING, percent
from harness.reporting.golden_item import GoldenItemRecord
from harness.reporting.model_item import ModelItemRecord
from harness.reporting.operator_item import OperatorItemRecord
from harness.reporting.record import ItemRecord, Record, example_count
from harness.reporting.summary import sum_counts


@dataclass(frozen=True)
class SuiteRow:
    """One suite of operators: layout contract and coverage. Pairs and triples are per cent, None without any.

    `not_compared` counts facts of golden/ that could not be compared; `unchecked` the items of which nothing was.
    """

    suite: str
    items: int
    failing: int
    unchecked: int
    examples: int
    facts: int
    snapshots: int
    differing: int
    not_compared: int
    pairs: float | None
    triples: float | None
    operators: int
    double_agrees: int
    double_other: int


@dataclass(frozen=True)
class ImplementationRow:
    """One oneDNN implementation, how often it ran at each level, and the cases that reached it."""

    name: str
    counts: Sequence[int]
    cases: Sequence[str]


@dataclass(frozen=True)
class KnownIssueRow:
    """A known issue: how many examples it accepted, and what its reproducers of this run do."""

    name: str
    examples: int
    reproducers: Sequence[str]


def examined_items(record: Record) -> Mapping[str, OperatorItemRecord | ModelItemRecord]:
    """The items in which something was run: those of operators and of models, by node id."""
    items: dict[str, OperatorItemRecord | ModelItemRecord] = dict(record.operators)
    return items | dict(record.models)


def suite_rows(record: Record) -> list[SuiteRow]:
    """A row for each suite of operators, in the order of the record."""
    suites: dict[str, list[OperatorItemRecord]] = {}
    for item in record.operators.values():
        suites.setdefault(item.suite, []).append(item)
    return [_suite_row(suite, items) for suite, items in suites.items()]


def _suite_row(suite: str, items: Sequence[OperatorItemRecord]) -> SuiteRow:
    doubles = [item.double for item in items if item.double]
    coverage = [item.coverage for item in items]
    return SuiteRow(
        suite=suite,
        items=len(items),
        failing=sum(item.status in FAILING for item in items),
        unchecked=sum(not item.status.is_checked for item in items),
        examples=sum(map(example_count, items)),
        facts=sum(item.golden.facts for item in items),
        snapshots=sum(item.golden.snapshots for item in items),
        differing=sum(len(item.golden.differing) for item in items),
        not_compared=sum(each.count for item in items for each in item.golden.not_compared),
        pairs=percent(sum(each.pairs for each in coverage), sum(each.of for each in coverage)),
        triples=percent(sum(each.triples for each in coverage), sum(each.of_triples for each in coverage)),
        operators=len({name for item in items for name in item.operators}),
        double_agrees=doubles.count(DoubleBackwardState.AGREES),
        double_other=len(doubles) - doubles.count(DoubleBackwardState.AGREES),
    )


def implementation_rows(record: Record) -> list[ImplementationRow]:
    """A row for each implementation that ran at any level, the most used first."""
    totals = [sum_counts(item.hits.get(level, {}) for item in record.items.values()) for level in record.cells]
    cases: dict[str, dict[str, None]] = {}
    for item in record.items.values():
        for name in (name for hits in item.hits.values() for name in hits):
            cases.setdefault(name, {})[item.name] = None
    rows = [ImplementationRow(name, [total[name] for total in totals], [*reached]) for name, reached in cases.items()]
    return sorted(rows, key=lambda row: (-sum(row.counts), row.name))


def known_issue_rows(record: Record) -> list[KnownIssueRow]:
    """Those that accepted something, and those with a reproducer of this run, by their ids."""
    counts = sum_counts(item.known_issues for item in examined_items(record).values())
    checks: dict[str, list[str]] = {}
    for item in record.operators.values():
        for name, check in item.reproducers.items():
            if check.state is not ReproducerState.OF_ANOTHER_ITEM:
                checks.setdefault(name, []).append(str(check))
    return [KnownIssueRow(name, counts.get(name, 0), checks.get(name, [])) for name in sorted({*counts, *checks})]


def unchecked_reasons(record: Record) -> list[tuple[str, list[str]]]:
    """Why nothing was checked of items, and of which: what is missing, could not be trusted, or did not run."""
    reasons: dict[str, list[str]] = {}
    for name, item in record.items.items():
        if not item.status.is_checked:
            reasons.setdefault(_reason(item), []).append(name)
    return sorted(reasons.items())


def _reason(item: ItemRecord) -> str:
    words = "; ".join(filter(None, _reason_words(item)))
    return f"{item.status}: {words}" if words else str(item.status)


def _reason_words(item: ItemRecord) -> list[str]:
    if isinstance(item, GoldenItemRecord):
        return [*item.misfits]
    missing = [item.lack] if isinstance(item, OperatorItemRecord) else [*item.skipped.values(), item.problem]
    return [*missing, *item.untrusted, *item.notes]
