"""Deviation: a Finding that is known and accepted for now."""

from __future__ import annotations

from dataclasses import dataclass

from harness.nouns.example import Example
from harness.nouns.expression import Expression


@dataclass(frozen=True)
class Deviation:
    """One entry of `golden/deviations.yaml`.

    A Finding matches when case, dtype, tensor, oracle and every failing cell are named here, the PyTorch version is in
    `torch` (a PEP 440 specifier), and `when` holds for the Example. `accumulates_in` instead widens the bound: the
    accumulator's unit roundoff is that dtype's (``same``: that of the example's own). An `oracle` of ``crash`` or
    ``hang`` keeps the region from being run.
    """

    id: str
    case: str
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
