"""Redundant levels: cells that differ in oneDNN's cap alone. Where no oneDNN kernel runs, one of them is enough."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from harness.core import Cell, Observation

EQUAL_EXAMPLES: Final = 16
"""Examples in a row that the cells must answer equally before one of them is enough."""


class RedundantLevels:
    """Says of the examples of one run which cells need not run the next one.

    ATen chooses its kernels by its own capability (aten/src/ATen/native/DispatchStub.cpp), so two cells of the same one
    can differ only by what oneDNN runs, which its trace shows. The last of them, whose cap is the highest, always runs:
    once `EQUAL_EXAMPLES` examples in a row reached no kernel of oneDNN in any of them and agreed to the bit, the others
    are skipped, until a kernel of oneDNN shows up; they then run that example too. The bits are compared because
    oneDNN's micro-kernels, which ATen calls without a primitive, are not in the trace. A cell answers for those
    of its own machine alone. `cells` are in the order of their caps.
    """

    def __init__(self, cells: Sequence[Cell]) -> None:
        highest = {_alike(cell): cell.name for cell in cells}
        self._representative = {cell.name: name for cell in cells if (name := highest[_alike(cell)]) != cell.name}
        self._equal_examples = 0

    @property
    def redundant_cells(self) -> frozenset[str]:
        """The names of the cells that need not run the next example."""
        return frozenset(self._representative) if self._equal_examples >= EQUAL_EXAMPLES else frozenset()

    def note(self, observations: Sequence[Observation]) -> None:
        """Learn from the observations of an example, in all cells or in all but the redundant ones."""
        by_place = {(observation.cell, observation.layout): observation for observation in observations}
        agree = not any(observation.kernels for observation in observations) and all(
            _are_equal(observation, by_place.get((self._representative[observation.cell], observation.layout)))
            for observation in observations
            if observation.cell in self._representative
        )
        self._equal_examples = self._equal_examples + 1 if agree else 0


def _alike(cell: Cell) -> tuple[str, str]:
    """What cells have in common that may answer for each other; one of which nothing is proven is like no other."""
    return cell.host, cell.proof.get("aten", cell.name)


def _are_equal(first: Observation, second: Observation | None) -> bool:
    """Whether two cells answered the same to the bit; which ATen operators ran is noted in some only.

    The second has none where its machine is lost.
    """
    if second is None:
        return False
    alike = replace(
        first,
        cell=second.cell,
        operators=second.operators,
        arguments=second.arguments,
        inner_arguments=second.inner_arguments,
        foreign=second.foreign,
    )
    return alike == second and all(
        record.values.tobytes() == second.tensors[name].values.tobytes() for name, record in first.tensors.items()
    )
