"""What one trial (a case in one dtype) came to, as plain data that goes into the record of the run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from harness.core import Example, Finding
from harness.trial.review import Review


@dataclass(frozen=True)
class CellRow:
    """One line of a failure's table: what a cell said of the minimal example."""

    cell: str
    verdict: str
    ratio: float
    kernels: tuple[str, ...]


@dataclass(frozen=True)
class Failure:
    """One fault: the finding, the smallest example that shows it, the one it was found with, and the table of cells.

    `why` is the declared example's, `confirmed` says how the fault behaved in a fresh worker.
    """

    finding: Finding
    example: Example
    found: Example
    rows: tuple[CellRow, ...]
    confirmed: str
    why: str = ""

    def as_json(self) -> dict[str, Any]:
        """Plain data; the examples as objects that `equivalence replay` reads."""
        return asdict(self)


@dataclass
class Outcome:
    """The counts of one trial. `cells` maps a cell to how many examples passed, failed, deviated, were untrusted.

    `examples` counts those that ran, by phase; `skipped` maps a cell to how many of them another one answered for.
    `complete` is False where the time budget left some out. `double` is what the double backward came to, and `faults`
    are sentences of what is wrong with it.
    """

    case: str
    dtype: str
    examples: Counter[str] = field(default_factory=Counter)
    cells: dict[str, Counter[str]] = field(default_factory=dict)
    skipped: Counter[str] = field(default_factory=Counter)
    failures: list[Failure] = field(default_factory=list)
    known_issues: Counter[str] = field(default_factory=Counter)
    reproducers: dict[str, str] = field(default_factory=dict)
    untrusted: Counter[str] = field(default_factory=Counter)
    hits: dict[str, Counter[str]] = field(default_factory=dict)
    operators: set[str] = field(default_factory=set)
    ratios: dict[str, float] = field(default_factory=dict)
    coverage: dict[str, int] = field(default_factory=dict)
    double: str = ""
    faults: list[str] = field(default_factory=list)
    incidents: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    golden: Review = field(default_factory=Review)
    complete: bool = True
    seconds: float = 0.0

    @property
    def stale(self) -> list[str]:
        """The known issues whose reproducer no longer fails."""
        return [name for name, state in self.reproducers.items() if state.startswith("stale")]

    @property
    def trusted(self) -> int:
        """How many (example, cell) pairs were really checked."""
        return sum(count for counts in self.cells.values() for name, count in counts.items() if name != "untrusted")

    @property
    def status(self) -> str:
        """``failed``, ``known_issue``, ``passed``, ``untrusted`` (no check could have failed) or ``not run``.

        What the time budget cut short before anything could be checked, or had nothing to run, is ``not run``.
        """
        if self.failures or self.stale or self.golden.differing or self.faults:
            return "failed"
        if self.known_issues:
            return "known issue"
        if self.trusted:
            return "passed"
        return "untrusted" if self.complete and self.examples.total() else "not run"

    def as_json(self) -> dict[str, Any]:
        """Plain data with stable order; the same run gives the same text but for `seconds`."""
        return {
            "case": self.case,
            "dtype": self.dtype,
            "status": self.status,
            "examples": dict(sorted(self.examples.items())),
            "cells": {cell: dict(sorted(counts.items())) for cell, counts in self.cells.items()},
            "skipped": dict(sorted(self.skipped.items())),
            "failures": [failure.as_json() for failure in self.failures],
            "known_issues": dict(sorted(self.known_issues.items())),
            "reproducers": dict(sorted(self.reproducers.items())),
            "untrusted": dict(sorted(self.untrusted.items())),
            "hits": {cell: dict(sorted(counts.items())) for cell, counts in self.hits.items()},
            "operators": sorted(self.operators),
            "ratios": rounded(self.ratios),
            "coverage": self.coverage,
            "double": self.double,
            "faults": self.faults,
            "incidents": self.incidents,
            "notes": self.notes,
            "golden": self.golden.as_json(),
            "seconds": round(self.seconds, 1),
        }


def rounded(ratios: Mapping[str, float]) -> dict[str, float]:
    """The ratios in the order of their names, to two digits: more would differ from one run to the next."""
    return {name: float(f"{ratio:.2g}") for name, ratio in sorted(ratios.items())}
