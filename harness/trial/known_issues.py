"""Which findings are known: matching a Finding against the Deviations that name it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from harness.core import Accepted, Deviation, Example, Finding

DEATHS: Final = ("crash", "hang")
"""The oracles of what ends a worker."""


@dataclass(frozen=True)
class Settled:
    """The findings that remain failures, and those a deviation accepts, by deviation id."""

    failures: tuple[Finding, ...]
    accepted: tuple[tuple[str, Finding], ...]


def concerned(deviations: Iterable[Deviation], case: str, dtype: str, torch: str) -> tuple[Deviation, ...]:
    """The deviations of this case and dtype that the PyTorch version under test is said to have."""
    return tuple(
        deviation
        for deviation in deviations
        if case in deviation.cases and dtype in deviation.dtypes and in_range(deviation.torch, torch)
    )


def in_range(specifier: str, version: str) -> bool:
    """Whether a version of PyTorch is among those of a PEP 440 specifier; an unknown version (empty) is."""
    return SpecifierSet(specifier, prereleases=True).contains(Version(version).public) if version else True


def settle(findings: Iterable[Finding], deviations: Sequence[Deviation], example: Example) -> Settled:
    """Take from every finding the cells that a deviation of this example accepts. What remains is a failure."""
    return taken_out(findings, [deviation for deviation in deviations if deviation.holds(example)])


def taken_out(findings: Iterable[Finding], known: Sequence[Accepted]) -> Settled:
    """The same with the entries whose condition holds."""
    failures, accepted = [], []
    for finding in findings:
        remaining = finding
        for deviation in known:
            if not _names(deviation, remaining):
                continue
            accepted.append((deviation.id, finding))
            cells = {cell: ratio for cell, ratio in remaining.cells.items() if not deviation.covers(cell)}
            remaining = replace(remaining, cells=cells)
        if remaining.cells:
            failures.append(remaining)
    return Settled(tuple(failures), tuple(accepted))


def _names(deviation: Accepted, finding: Finding) -> bool:
    """Whether the entry is about this oracle, tensor and a cell; values nobody wrote vary from call to call too."""
    oracles = ("values", "repeat") if deviation.oracle == "values" else (deviation.oracle,)
    return finding.oracle in oracles and deviation.names(finding.tensor) and any(map(deviation.covers, finding.cells))


def accumulators(deviations: Iterable[Deviation], example: Example) -> dict[str, dict[str, str]]:
    """Tensor → cell → dtype of the accumulator that an accepted deviation admits for this example."""
    widened: dict[str, dict[str, str]] = {}
    for deviation in deviations:
        if deviation.accumulates_in and deviation.holds(example):
            dtype = example.dtype if deviation.accumulates_in == "same" else deviation.accumulates_in
            for tensor in deviation.tensors:
                widened.setdefault(tensor, {}).update(dict.fromkeys(deviation.cells, dtype))
    return widened


def fatal(deviations: Iterable[Deviation], example: Example) -> tuple[Deviation, ...]:
    """The deviations that say that this example crashes or hangs."""
    return tuple(one for one in deviations if one.oracle in DEATHS and one.holds(example))


def fatal_cells(deviations: Iterable[Deviation], example: Example) -> frozenset[str]:
    """Cells in which this example is known to crash or hang, so that it must not be run there."""
    return frozenset(cell for deviation in fatal(deviations, example) for cell in deviation.cells)
