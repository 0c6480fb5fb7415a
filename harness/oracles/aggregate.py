"""Gather the faults of all cells and layouts into findings, and read the kind of each off the pattern over them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

from harness.core import Finding, Observation
from harness.core.finding import FindingKind, Oracle
from harness.core.observation import OBSERVED_LAYOUTS
from harness.oracles.compare import Fault

Place = tuple[str, str]
"""A cell's name and a layout, ``drawn`` or ``contiguous``; of a model, a conversion."""

KIND_BY_ORACLE: Final[dict[Oracle, FindingKind]] = {"repeat": "unstable", "crash": "crash", "hang": "hang"}
"""The kinds that follow from the oracle alone."""


def pattern_kind(failing: Collection[Place], judged: Collection[Place]) -> FindingKind:
    """The kind of a fault that shows in `failing` and not in the rest of `judged`.

    `layout` if some cell fails in one of its layouts and not in the other; else `universal` if every cell fails, and
    `isa` if only some do. A cell of which only one layout was judged says nothing about layouts, unless it is the
    drawn one that alone was judged everywhere.
    """
    for cell, layout in failing:
        other = "contiguous" if layout == "drawn" else "drawn"
        if (cell, other) in judged and (cell, other) not in failing:
            return "layout"
    cells = {cell for cell, _ in failing}
    return "universal" if cells == {cell for cell, _ in judged} else "isa"


class Faults:
    """The faults of one example, by oracle and tensor."""

    def __init__(self) -> None:
        self._faults: dict[tuple[Oracle, str], dict[Place, Fault]] = {}

    def add(self, oracle: Oracle, tensor: str, place: Place, fault: Fault) -> None:
        """Note that this property is broken in that place."""
        self._faults.setdefault((oracle, tensor), {})[place] = fault

    def findings(self, observations: Sequence[Observation]) -> tuple[Finding, ...]:
        """Return one finding for each oracle and tensor, in the words of its worst cell.

        A place that did not return was not judged, except by whether it raised and by the tensors that it has.
        """
        answers = {(each.cell, each.layout): each for each in observations if each.status in ("ok", "raised")}
        findings = []
        for (oracle, tensor), faults in self._faults.items():
            judged = [
                place
                for place, answer in answers.items()
                if oracle == "error" or answer.status == "ok" or tensor in answer.tensors or place in faults
            ]
            kind = KIND_BY_ORACLE.get(oracle) or pattern_kind(faults.keys(), judged)
            findings.append(merge_faults(oracle, tensor, faults, kind))
        return tuple(findings)


def merge_faults(
    oracle: Oracle,
    tensor: str,
    faults: Mapping[Place, Fault],
    kind: FindingKind,
    layouts: Iterable[str] = OBSERVED_LAYOUTS,
) -> Finding:
    """The one finding of faults that break the same property of the same tensor, in the words of the worst of them.

    Each cell has the ratio of its worst fault. Those of `layouts` in which one shows are named in that order.
    """
    worst = max(faults.values(), key=lambda fault: (fault.ratio, fault.extent))
    cells: dict[str, float] = {}
    for (cell, _), fault in faults.items():
        cells[cell] = max(fault.ratio, cells.get(cell, 0.0))
    return Finding(
        oracle=oracle,
        tensor=tensor,
        kind=kind,
        cells=cells,
        layouts=tuple(layout for layout in layouts if any(layout == place[1] for place in faults)),
        message=worst.message,
        where=worst.where,
        mismatch=worst.mismatch,
    )
