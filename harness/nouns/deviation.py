"""Deviation: a Finding that is known and accepted for now."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase

from harness.nouns.example import Example
from harness.nouns.expression import Expression, ExpressionError


@dataclass(frozen=True)
class Deviation:
    """One entry of `golden/deviations/`.

    A Finding matches when case, dtype, tensor, oracle and every failing cell are named here, the PyTorch version is in
    `torch` (a PEP 440 specifier), and `when` holds for the Example. `accumulates_in` instead widens the bound: the
    accumulator's unit roundoff is that dtype's (``same``: that of the example's own). An `oracle` of ``crash`` or
    ``hang`` keeps the region from being run.
    """

    id: str
    cases: tuple[str, ...]
    dtypes: tuple[str, ...]
    tensors: tuple[str, ...]
    oracle: str
    cells: tuple[str, ...]
    when: Expression
    reason: str
    link: str
    witness: Example
    torch: str = ""
    accumulates_in: str | None = None
    line: int = 0

    def holds(self, example: Example) -> bool:
        """Whether the condition is true of this example; an absent tensor's names make it false."""
        try:
            return bool(self.when.evaluate(example.values()))
        except ExpressionError:
            return False

    def names(self, tensor: str) -> bool:
        """Whether one of its tensors, which may be patterns (``grad:*``), is this one."""
        return any(matches(tensor, pattern) for pattern in self.tensors)


def matches(tensor: str, pattern: str) -> bool:
    """Whether a tensor's name fits a pattern of names. Brackets are literal: ``output[0]`` is a name, not a class."""
    return fnmatchcase(tensor, pattern.replace("[", "[[]"))


@dataclass(frozen=True)
class NetworkDeviation:
    """One entry of `golden/models.yaml`: a finding about networks that is known and accepted for now.

    It matches a finding of that oracle whose tensor is one of `tensors` (patterns), in an item (a pattern such as
    ``eval-*``) of a network of `models` (ids, patterns too), for an example of which `when` is true. The networks
    themselves are its witness: an entry that accepts nothing in an item where its condition held is stale.
    """

    id: str
    models: tuple[str, ...]
    items: tuple[str, ...]
    tensors: tuple[str, ...]
    oracle: str
    cells: tuple[str, ...]
    when: Expression
    reason: str
    link: str
    torch: str = ""
    line: int = 0
