"""Twins: cells that differ in oneDNN's cap alone. Where no oneDNN kernel runs, one of them answers for all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from harness.core import Cell, Observation

ALIKE: Final = 16
"""Examples in a row that twins must answer alike before one of them is enough."""


class RedundantLevels:
    """Says of the examples of one run which cells need not run the next one.

    ATen chooses its kernels by its own capability (aten/src/ATen/native/DispatchStub.cpp), so two cells of the same one
    can differ only by what oneDNN runs, which its trace tells. The last of them, whose cap is the highest, is asked
    first: once `ALIKE` examples in a row reached no kernel of oneDNN in any twin and agreed to the bit, the others are
    spared, until a kernel of oneDNN shows up; they then answer that example too. The bits are compared because oneDNN's
    micro-kernels, which ATen calls without a primitive, are not in the trace. `cells` are in the order of their caps.
    """

    def __init__(self, cells: Sequence[Cell]) -> None:
        highest = {cell.proof["aten"]: cell.name for cell in cells}
        self._first = {cell.name: first for cell in cells if (first := highest[cell.proof["aten"]]) != cell.name}
        self._alike = 0

    @property
    def skipped(self) -> frozenset[str]:
        """The cells that need not run the next example."""
        return frozenset(self._first) if self._alike >= ALIKE else frozenset()

    def note(self, observations: Sequence[Observation]) -> None:
        """Learn from the observations of an example, in all cells or in all but the spared ones."""
        seen = {(one.cell, one.layout): one for one in observations}
        alike = not any(one.kernels for one in observations) and all(
            _alike(one, seen[first, one.layout])
            for one in observations
            if (first := self._first.get(one.cell)) is not None
        )
        self._alike = self._alike + 1 if alike else 0


def _alike(one: Observation, other: Observation) -> bool:
    """Whether two cells answered the same to the bit; which ATen operators ran is noted in some only."""
    return replace(one, cell=other.cell, operators=other.operators) == other and all(
        record.values.tobytes() == other.tensors[name].values.tobytes() for name, record in one.tensors.items()
    )
