"""Known issue: a Finding that is known and accepted for now, at one of the places where a fault shows."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from harness.core.example import Example
from harness.core.expression import Expression, ExpressionError
from harness.core.finding import Oracle


class Severity(enum.StrEnum):
    """How bad a fault is for who meets it, the worst first. The text is what golden files and tables have."""

    CRASH = "crash"
    """The process ends or never comes back."""
    MEMORY = "memory"
    """Memory is read or written that is not the call's: anything may follow."""
    WRONG_VALUES = "wrong-values"
    """An output is wrong, and nothing says so."""
    WRONG_GRADIENT = "wrong-gradient"
    """The outputs are right, a gradient is not, and nothing says so."""
    ACCURACY = "accuracy"
    """The result is less accurate than the dtype allows: a coarse accumulator, a rounding too early."""
    LAYOUT = "layout"
    """The values are right and the memory format is lost."""
    REFUSAL = "refusal"
    """The call raises where it should compute."""

    @property
    def rank(self) -> int:
        """Its place in the order, 0 for the worst."""
        return [*Severity].index(self)


@dataclass(frozen=True)
class Verification:
    """Where all reproducers of an entry were last seen to fail: a PyTorch version, a CPU, a date (ISO 8601)."""

    torch: str
    cpu: str
    date: str


@dataclass(frozen=True, kw_only=True)
class Acceptance:
    """What every entry says: which oracle, tensors and cells, where (`when`), why, and in which releases of PyTorch.

    `torch` is a PEP 440 specifier; empty is every release.
    """

    id: str
    tensors: tuple[str, ...]
    oracle: Oracle
    cells: tuple[str, ...]
    when: Expression
    reason: str
    link: str
    torch: str = ""
    line: int = 0

    def names(self, tensor: str) -> bool:
        """Whether one of its tensors, which may be patterns (``grad:*``), is this one."""
        return matches(tensor, self.tensors)

    def covers(self, cell: str) -> bool:
        """Whether one of its cells, which may be patterns, is this one."""
        return matches(cell, self.cells)

    def is_about(self, oracle: Oracle, tensor: str, cells: Iterable[str]) -> bool:
        """Whether it accepts what this oracle finds of this tensor in one of these cells, as far as names tell.

        Values that nobody wrote vary from call to call too.
        """
        oracles = ("values", "repeat") if self.oracle == "values" else (self.oracle,)
        return oracle in oracles and self.names(tensor) and any(map(self.covers, cells))

    def is_true_of(self, values: Mapping[str, Any]) -> bool:
        """Whether the condition is true of these; a name that they do not have makes it false."""
        try:
            return bool(self.when.evaluate(values))
        except ExpressionError:
            return False


@dataclass(frozen=True, kw_only=True)
class KnownIssue(Acceptance):
    """One place of a fault of `golden/issues/`. `id` is the fault's; `place` counts its places from 1.

    A Finding matches when case (one of `cases`, which may be patterns), dtype, tensor, oracle and every failing cell
    are named here, the PyTorch version is in `torch`, and `when` holds for the Example. `aliases` says what a name in
    the condition is in cases that have no size of that name: ``Cg`` is ``C``. `accumulates_in` instead widens the
    bound: the accumulator's unit roundoff is that dtype's (``same``: that of the example's own). An `oracle` of
    ``crash`` or ``hang`` keeps the part of the call that dies from being run. The layouts of the reproducer are those
    that are not contiguous. `note` is what is particular to the place, and may be empty.
    """

    cases: tuple[str, ...]
    dtypes: tuple[str, ...]
    reproducer: Example
    accumulates_in: str | None = None
    aliases: Mapping[str, Expression] = field(default_factory=dict)
    place: int = 0
    note: str = ""

    @property
    def name(self) -> str:
        """The id of the fault, and which of its places this is where it has several."""
        return f"{self.id}/{self.place}" if self.place else self.id

    def is_of(self, case: str, dtype: str) -> bool:
        """Whether the case of that id in that dtype is among those named here."""
        return dtype in self.dtypes and matches(case, self.cases)

    def holds(self, example: Example) -> bool:
        """Whether the condition is true of this example; an absent tensor's names make it false."""
        values = example.values()
        for name, meaning in self.aliases.items():
            if name not in values and meaning.names <= values.keys():
                values[name] = meaning.evaluate(values)
        return self.is_true_of(values)


@dataclass(frozen=True)
class KnownFault:
    """One fault of PyTorch or of a library below it, with every place where it shows.

    `link` is a thread about this very fault, or says that none is known; `related` are threads about its neighbours:
    the same cause elsewhere, its origin. `since` is the first release in which it was seen, `fixed` the first without
    it; empty where that is not known.
    """

    id: str
    summary: str
    severity: Severity
    reason: str
    link: str
    places: tuple[KnownIssue, ...]
    since: str = ""
    fixed: str = ""
    verified: Verification | None = None
    line: int = 0
    related: tuple[str, ...] = ()


def sort_by_severity(faults: Iterable[KnownFault]) -> list[KnownFault]:
    """The faults, the worst first, and by id where they are as bad."""
    return sorted(faults, key=lambda fault: (fault.severity.rank, fault.id))


def matches(name: str, patterns: Iterable[str]) -> bool:
    """Whether a name fits one of the patterns. Brackets are literal: ``output[0]`` is a name, not a class."""
    return any(fnmatchcase(name, pattern.replace("[", "[[]")) for pattern in patterns)
