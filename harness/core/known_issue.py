"""Known issue: a Finding that is known and accepted for now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from harness.core.example import Example
from harness.core.expression import Expression, ExpressionError
from harness.core.finding import Oracle


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

    def is_true_of(self, values: Mapping[str, Any]) -> bool:
        """Whether the condition is true of these; a name that they do not have makes it false."""
        try:
            return bool(self.when.evaluate(values))
        except ExpressionError:
            return False


@dataclass(frozen=True, kw_only=True)
class KnownIssue(Acceptance):
    """One entry of `golden/issues/`.

    A Finding matches when case, dtype, tensor, oracle and every failing cell are named here, the PyTorch version is in
    `torch`, and `when` holds for the Example. `accumulates_in` instead widens the bound: the accumulator's unit
    roundoff is that dtype's (``same``: that of the example's own). An `oracle` of ``crash`` or ``hang`` keeps the
    region from being run.
    """

    cases: tuple[str, ...]
    dtypes: tuple[str, ...]
    reproducer: Example
    accumulates_in: str | None = None

    def holds(self, example: Example) -> bool:
        """Whether the condition is true of this example; an absent tensor's names make it false."""
        return self.is_true_of(example.values())


def matches(name: str, patterns: Iterable[str]) -> bool:
    """Whether a name fits one of the patterns. Brackets are literal: ``output[0]`` is a name, not a class."""
    return any(fnmatchcase(name, pattern.replace("[", "[[]")) for pattern in patterns)
