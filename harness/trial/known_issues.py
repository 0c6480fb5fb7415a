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
    """The findings that remain failures, and those a known issue accepts, by known issue id.

    `in_baseline` are those that no known issue accepts, and that the build has in common with the one that it is
    compared with.
    """

    failures: tuple[Finding, ...]
    accepted: tuple[tuple[str, Finding], ...]
    in_baseline: tuple[Finding, ...] = ()


def applicable_known_issues(
    known_issues: Iterable[KnownIssue], case: str, dtype: str, torch: str
) -> tuple[KnownIssue, ...]:
    """The places of faults, of this case and dtype, that the PyTorch version under test is said to have."""
    return tuple(
        known_issue
        for known_issue in known_issues
        if known_issue.is_of(case, dtype) and covers_version(known_issue.torch, torch)
    )


def covers_version(specifier: str, version: str) -> bool:
    """Whether a version of PyTorch is among those of a PEP 440 specifier; an unknown version (empty) is."""
    return SpecifierSet(specifier, prereleases=True).contains(Version(version).public) if version else True


def subtract_known(
    findings: Iterable[Finding], known_issues: Sequence[KnownIssue], example: Example
) -> FindingPartition:
    """Take from every finding the cells that a known issue of this example accepts. What remains is a failure."""
    return subtract_accepted(findings, [known_issue for known_issue in known_issues if known_issue.holds(example)])


def subtract_accepted(findings: Iterable[Finding], entries: Sequence[Acceptance]) -> FindingPartition:
    """As `subtract_known`, with entries whose condition is known to hold: those of models have other conditions."""
    failures, accepted = [], []
    for finding in findings:
        remaining = finding
        for entry in entries:
            if not entry.is_about(remaining.oracle, remaining.tensor, remaining.cells):
                continue
            accepted.append((entry.id, finding))
            cells = {cell: ratio for cell, ratio in remaining.cells.items() if not entry.covers(cell)}
            remaining = replace(remaining, cells=cells)
        if remaining.cells:
            failures.append(remaining)
    return FindingPartition(tuple(failures), tuple(accepted))


def accumulators(known_issues: Iterable[KnownIssue], example: Example) -> dict[str, dict[str, str]]:
    """Tensor → cell → dtype of the accumulator that an accepted known issue admits for this example."""
    dtypes: dict[str, dict[str, str]] = {}
    for known_issue in known_issues:
        if known_issue.accumulates_in and known_issue.holds(example):
            dtype = example.dtype if known_issue.accumulates_in == "same" else known_issue.accumulates_in
            for tensor in known_issue.tensors:
                dtypes.setdefault(tensor, {}).update(dict.fromkeys(known_issue.cells, dtype))
    return dtypes


def fatal_known_issues(known_issues: Iterable[KnownIssue], example: Example) -> tuple[KnownIssue, ...]:
    """The known issues that say that this example crashes or hangs."""
    return tuple(issue for issue in known_issues if issue.oracle in DEATHS and issue.holds(example))


def fatal_cells(known_issues: Iterable[KnownIssue], example: Example) -> frozenset[str]:
    """Cells in which this example is known to crash or hang, so that it must not be run there."""
    return frozenset(cell for known_issue in fatal_known_issues(known_issues, example) for cell in known_issue.cells)
