"""Which findings are known: matching a Finding against the Known issues that name it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from harness.core import Acceptance, Example, Finding, KnownIssue

DEATHS: Final = ("crash", "hang")
"""The oracles of what ends a worker."""


@dataclass(frozen=True)
class FindingPartition:
    """The findings that remain failures, and those a known issue accepts, by known issue id."""

    failures: tuple[Finding, ...]
    accepted: tuple[tuple[str, Finding], ...]


def concerned(known_issues: Iterable[KnownIssue], case: str, dtype: str, torch: str) -> tuple[KnownIssue, ...]:
    """The known issues of this case and dtype that the PyTorch version under test is said to have."""
    return tuple(
        known_issue
        for known_issue in known_issues
        if case in known_issue.cases and dtype in known_issue.dtypes and in_range(known_issue.torch, torch)
    )


def in_range(specifier: str, version: str) -> bool:
    """Whether a version of PyTorch is among those of a PEP 440 specifier; an unknown version (empty) is."""
    return SpecifierSet(specifier, prereleases=True).contains(Version(version).public) if version else True


def subtract_known(
    findings: Iterable[Finding], known_issues: Sequence[KnownIssue], example: Example
) -> FindingPartition:
    """Take from every finding the cells that a known issue of this example accepts. What remains is a failure."""
    return subtract(findings, [known_issue for known_issue in known_issues if known_issue.holds(example)])


def subtract(findings: Iterable[Finding], known: Sequence[Acceptance]) -> FindingPartition:
    """The same with the entries whose condition holds."""
    failures, accepted = [], []
    for finding in findings:
        remaining = finding
        for known_issue in known:
            if not _names(known_issue, remaining):
                continue
            accepted.append((known_issue.id, finding))
            cells = {cell: ratio for cell, ratio in remaining.cells.items() if not known_issue.covers(cell)}
            remaining = replace(remaining, cells=cells)
        if remaining.cells:
            failures.append(remaining)
    return FindingPartition(tuple(failures), tuple(accepted))


def _names(known_issue: Acceptance, finding: Finding) -> bool:
    """Whether the entry is about this oracle, tensor and a cell; values nobody wrote vary from call to call too."""
    oracles = ("values", "repeat") if known_issue.oracle == "values" else (known_issue.oracle,)
    return (
        finding.oracle in oracles and known_issue.names(finding.tensor) and any(map(known_issue.covers, finding.cells))
    )


def accumulators(known_issues: Iterable[KnownIssue], example: Example) -> dict[str, dict[str, str]]:
    """Tensor → cell → dtype of the accumulator that an accepted known issue admits for this example."""
    widened: dict[str, dict[str, str]] = {}
    for known_issue in known_issues:
        if known_issue.accumulates_in and known_issue.holds(example):
            dtype = example.dtype if known_issue.accumulates_in == "same" else known_issue.accumulates_in
            for tensor in known_issue.tensors:
                widened.setdefault(tensor, {}).update(dict.fromkeys(known_issue.cells, dtype))
    return widened


def fatal(known_issues: Iterable[KnownIssue], example: Example) -> tuple[KnownIssue, ...]:
    """The known issues that say that this example crashes or hangs."""
    return tuple(one for one in known_issues if one.oracle in DEATHS and one.holds(example))


def fatal_cells(known_issues: Iterable[KnownIssue], example: Example) -> frozenset[str]:
    """Cells in which this example is known to crash or hang, so that it must not be run there."""
    return frozenset(cell for known_issue in fatal(known_issues, example) for cell in known_issue.cells)
