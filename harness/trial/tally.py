"""What the trial of a case and the trial of a model count alike."""

from __future__ import annotations

import abc
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.core import CellState, ItemStatus, NotCompared


@dataclass(kw_only=True)
class Tally(abc.ABC):
    """The counts of one trial.

    `cells` maps a cell to how many examples ended in each state there, `known_issues` the id of an entry to how many
    examples or findings it accepted, `untrusted` a reason to how many examples it holds for, `hits` a cell to how
    often each oneDNN implementation ran there. `ratios` maps a tensor to the worst ratio of error to bound (no unit; 1
    is the bound). `not_compared` are the facts of golden/ that say nothing of this release or machine. `incidents` are
    sentences about workers, `notes` about the trial. `out_of_time`: the time budget ended the trial before its end.
    `lost_levels` did not run all of it, or none, because their machine was lost. `seconds` is wall time.
    """

    cells: dict[str, Counter[CellState]] = field(default_factory=dict)
    known_issues: Counter[str] = field(default_factory=Counter)
    untrusted: Counter[str] = field(default_factory=Counter)
    hits: dict[str, Counter[str]] = field(default_factory=dict)
    ratios: dict[str, float] = field(default_factory=dict)
    not_compared: list[NotCompared] = field(default_factory=list)
    incidents: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    out_of_time: bool = False
    lost_levels: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    @abc.abstractmethod
    def has_failed(self) -> bool:
        """Whether something is wrong that nobody has accepted."""

    @property
    @abc.abstractmethod
    def unchecked_status(self) -> ItemStatus:
        """The status of a trial in which nothing failed, nothing is known and nothing was checked."""

    @property
    def is_whole(self) -> bool:
        """Whether neither time nor a machine was lacking."""
        return not (self.out_of_time or self.lost_levels)

    @property
    def checked_pairs(self) -> int:
        """How many (example, cell) pairs were really checked."""
        return sum(
            count for counts in self.cells.values() for state, count in counts.items() if state != CellState.UNTRUSTED
        )

    @property
    def status(self) -> ItemStatus:
        """The worst that can be said of the whole trial."""
        if self.has_failed:
            return ItemStatus.FAILED
        if self.known_issues:
            return ItemStatus.KNOWN_ISSUE
        return ItemStatus.PASSED if self.checked_pairs else self.unchecked_status

    def count_state(self, cell: str, state: CellState) -> None:
        """One example ended in that state in that cell."""
        self.cells.setdefault(cell, Counter())[state] += 1

    def count_kernels(self, cell: str, kernels: Mapping[str, int]) -> None:
        """Add how often each oneDNN implementation ran in that cell."""
        self.hits.setdefault(cell, Counter()).update(kernels)

    def keep_worst_ratio(self, tensor: str, ratio: float) -> None:
        """Keep the larger of this ratio of error to bound and those before."""
        self.ratios[tensor] = max(ratio, self.ratios.get(tensor, 0.0))


def round_ratios(ratios: Mapping[str, float]) -> dict[str, float]:
    """The ratios in the order of their names, to two digits: more would differ from one run to the next.

    The largest numbers would be rounded to infinity, which JSON does not have.
    """
    return {name: min(float(f"{ratio:.2g}"), sys.float_info.max) for name, ratio in sorted(ratios.items())}
