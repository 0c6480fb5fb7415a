"""Deviation: a Finding that is known and accepted for now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from harness.nouns.example import Example
from harness.nouns.expression import Expression, ExpressionError
from harness.nouns.network import NetworkExample


@dataclass(frozen=True, kw_only=True)
class Accepted:
    """What every entry says: which oracle, tensors and cells, where (`when`), why, and in which releases of PyTorch.

    `torch` is a PEP 440 specifier; empty is every release.
    """

    id: str
    tensors: tuple[str, ...]
    oracle: str
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

    def _true(self, values: Mapping[str, Any]) -> bool:
        """Whether the condition is true of these; a name that they do not have makes it false."""
        try:
            return bool(self.when.evaluate(values))
        except ExpressionError:
            return False


@dataclass(frozen=True, kw_only=True)
class Deviation(Accepted):
    """One entry of `golden/deviations/`.

    A Finding matches when case, dtype, tensor, oracle and every failing cell are named here, the PyTorch version is in
    `torch`, and `when` holds for the Example. `accumulates_in` instead widens the bound: the accumulator's unit
    roundoff is that dtype's (``same``: that of the example's own). An `oracle` of ``crash`` or ``hang`` keeps the
    region from being run.
    """

    cases: tuple[str, ...]
    dtypes: tuple[str, ...]
    witness: Example
    accumulates_in: str | None = None

    def holds(self, example: Example) -> bool:
        """Whether the condition is true of this example; an absent tensor's names make it false."""
        return self._true(example.values())


@dataclass(frozen=True, kw_only=True)
class NetworkDeviation(Accepted):
    """One entry of `golden/models.yaml`: a finding about networks that is known and accepted for now.

    It matches a finding of that oracle whose tensor is one of `tensors` (patterns), in an item (a pattern such as
    ``eval-*``) of a network of `models` (ids, patterns too), for an example of which `when` is true. `cells` are
    patterns as well. The networks themselves are its witness: an entry that accepts nothing in an item where its
    condition held is stale.
    """

    models: tuple[str, ...]
    items: tuple[str, ...]

    def holds(self, example: NetworkExample) -> bool:
        """Whether the example is of one of its items, and the condition is true of it."""
        return matches(example.item, self.items) and self._true({**example.sizes, "threads": example.threads})


def matches(name: str, patterns: Iterable[str]) -> bool:
    """Whether a name fits one of the patterns. Brackets are literal: ``output[0]`` is a name, not a class."""
    return any(fnmatchcase(name, pattern.replace("[", "[[]")) for pattern in patterns)
