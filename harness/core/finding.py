"""Finding: one broken property."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from harness.core.pattern import Mismatch

Oracle = Literal["values", "strides", "shape", "dtype", "range", "written", "repeat", "error", "crash", "hang"]
"""The property that is broken. `range`: an index out of its range; `written`: memory that the call may not write;
`repeat`: other bits when the same call runs again; `error`: it raises otherwise than elsewhere, or does not."""

FindingKind = Literal["layout", "isa", "universal", "unstable", "crash", "hang"]
"""Over what the fault differs: the two layouts of a cell, the cells, nothing, or the repetitions of one call."""


@dataclass(frozen=True)
class Finding:
    """Which oracle, which tensor, by how much, in which cells.

    `cells` maps a failing cell to its worst ratio of error to allowance (1 where there is no number); `layouts` says in
    which layouts (``drawn``, ``contiguous``); `message` is one sentence; `where` describes the elements that differ.
    `mismatch` has these elements, where elements were compared, in the worst of the cells.
    """

    oracle: Oracle
    tensor: str
    kind: FindingKind
    cells: Mapping[str, float]
    layouts: tuple[str, ...] = ("drawn",)
    message: str = ""
    where: str = ""
    mismatch: Mismatch | None = field(default=None, compare=False, repr=False)

    @property
    def key(self) -> tuple[str, str]:
        """Two findings with the same key are taken for the same fault while shrinking."""
        return (self.oracle, self.tensor)


@dataclass(frozen=True)
class Judgement:
    """All that the oracles say about one Example: findings, why it cannot be trusted, and the headroom.

    `untrusted` maps a reason to the cells it holds for (empty tuple: all); `ratios` maps (cell, tensor) to the worst
    error/bound, where a bound was used.
    """

    findings: tuple[Finding, ...] = ()
    untrusted: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    ratios: Mapping[tuple[str, str], float] = field(default_factory=dict)
