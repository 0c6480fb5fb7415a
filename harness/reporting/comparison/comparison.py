"""Two runs compared: what is new, what is gone, what shows otherwise, and how headroom, speed and coverage moved."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from harness.core import ItemStatus
from harness.reporting.comparison.breakage import FAILING, Breakage
from harness.reporting.comparison.recorded_run import RecordedRun
from harness.reporting.comparison.run_figures import tensor_ratios
from harness.reporting.record import ItemRecord, example_count
from harness.trial import severity_rank

GROWTH: Final = 1.25
"""By how much a worst ratio must have grown to be listed: another seed moves it by less in most items."""

NOTABLE: Final = 0.1
"""The smallest worst ratio that is listed as grown; below it a tensor is far within its bound."""

SLOWER: Final = 1.5
"""By how much the seconds for an example must have grown to be listed, beside those of the run as a whole.

A loaded machine is slow everywhere.
"""

NOTABLE_SECONDS: Final = 5.0
"""The shortest item that is listed as slower; a shorter one says more of the machine's load."""


@dataclass(frozen=True)
class ChangedBreakage:
    """Something that fails in one run, and not in the other. `status` is what its item came to in that other run."""

    breakage: Breakage
    status: ItemStatus | None


@dataclass(frozen=True)
class MovedBreakage:
    """Something that fails in both, at other levels than before."""

    old: Breakage
    new: Breakage


@dataclass(frozen=True)
class StatusChange:
    """An item of both runs that came to something else, other than by failing or by ceasing to fail."""

    item: str
    old: ItemStatus
    new: ItemStatus


@dataclass(frozen=True)
class RatioGrowth:
    """A tensor whose worst ratio of error to allowance has grown; 1 is the allowance."""

    item: str
    tensor: str
    old: float
    new: float


@dataclass(frozen=True)
class Slowdown:
    """An item that takes longer for an example; both in seconds of wall time."""

    item: str
    old: float
    new: float


@dataclass(frozen=True)
class RunComparison:
    """What NEW shows that OLD does not, and the other way round; `not_looked_at` failed in OLD and is unknown in NEW.

    `kernels_gone` and `operators_gone` are what OLD reached and NEW did not; `kernels_new` and `operators_new` the
    reverse.
    """

    old: RecordedRun
    new: RecordedRun
    appeared: Sequence[ChangedBreakage]
    disappeared: Sequence[ChangedBreakage]
    moved: Sequence[MovedBreakage]
    not_looked_at: Sequence[ChangedBreakage]
    lasting: int
    statuses: Sequence[StatusChange]
    ratios: Sequence[RatioGrowth]
    slowdowns: Sequence[Slowdown]

    @property
    def is_worse(self) -> bool:
        """Whether something is new that fails."""
        return bool(self.appeared)

    @property
    def items_gone(self) -> list[str]:
        """The node ids of the items that only OLD has."""
        return sorted(set(self.old.record.items) - set(self.new.record.items))

    @property
    def items_new(self) -> list[str]:
        """The node ids of the items that only NEW has."""
        return sorted(set(self.new.record.items) - set(self.old.record.items))

    @property
    def kernels_gone(self) -> list[str]:
        """The oneDNN implementations that only OLD reached."""
        return sorted(self.old.figures.kernels - self.new.figures.kernels)

    @property
    def kernels_new(self) -> list[str]:
        """The oneDNN implementations that only NEW reached."""
        return sorted(self.new.figures.kernels - self.old.figures.kernels)

    @property
    def operators_gone(self) -> list[str]:
        """The operators that only OLD reached."""
        return sorted(self.old.figures.operators - self.new.figures.operators)

    @property
    def operators_new(self) -> list[str]:
        """The operators that only NEW reached."""
        return sorted(self.new.figures.operators - self.old.figures.operators)


def compare_runs(old: RecordedRun, new: RecordedRun) -> RunComparison:
    """The comparison of two runs, of whatever builds, machines and seeds."""
    gone = [*_changes(old, new)]
    both = [MovedBreakage(old.breakages[key], new.breakages[key]) for key in old.breakages if key in new.breakages]
    return RunComparison(
        old=old,
        new=new,
        appeared=[*_changes(new, old)],
        disappeared=[change for change in gone if new.has_looked_at(change.breakage.item)],
        moved=[pair for pair in both if _has_moved(pair, {*old.record.cells} & {*new.record.cells})],
        not_looked_at=[change for change in gone if not new.has_looked_at(change.breakage.item)],
        lasting=len(both),
        statuses=[*_status_changes(old, new)],
        ratios=_ratio_growths(old, new),
        slowdowns=_slowdowns(old, new),
    )


def _changes(here: RecordedRun, other: RecordedRun) -> Iterator[ChangedBreakage]:
    """What fails here and not in the other run, the most serious first, else in the order of the record."""
    alone = [breakage for key, breakage in here.breakages.items() if key not in other.breakages]
    for breakage in sorted(alone, key=lambda breakage: severity_rank(breakage.severity)):
        yield ChangedBreakage(breakage, other.status_of(breakage.item))


def _has_moved(pair: MovedBreakage, levels: set[str]) -> bool:
    """Whether it shows elsewhere than before among the levels that both runs have."""
    return levels & {*pair.old.cells} != levels & {*pair.new.cells}


def _status_changes(old: RecordedRun, new: RecordedRun) -> Iterator[StatusChange]:
    """Those that no breakage tells of."""
    for name, item in new.record.items.items():
        before = old.status_of(name)
        if before not in (None, item.status) and before not in FAILING and item.status not in FAILING:
            yield StatusChange(name, before, item.status)


def _ratio_growths(old: RecordedRun, new: RecordedRun) -> list[RatioGrowth]:
    """The worst first."""
    before = {(worst.item, worst.tensor): worst.ratio for worst in tensor_ratios(old.record)}
    growths = [
        RatioGrowth(item, tensor, before[item, tensor], ratio)
        for ratio, item, tensor in tensor_ratios(new.record)
        if (item, tensor) in before and ratio >= max(NOTABLE, GROWTH * before[item, tensor])
    ]
    return sorted(growths, key=lambda growth: (-growth.new, growth.item, growth.tensor))


def _slowdowns(old: RecordedRun, new: RecordedRun) -> list[Slowdown]:
    """The longest first."""
    before = {name: _seconds_each(item) for name, item in old.record.items.items()}
    as_a_whole = new.figures.seconds_each / old.figures.seconds_each if old.figures.seconds_each else 1.0
    slowdowns = [
        Slowdown(name, before[name], _seconds_each(item))
        for name, item in new.record.items.items()
        if item.seconds >= NOTABLE_SECONDS
        and 0 < SLOWER * max(as_a_whole, 1.0) * before.get(name, 0.0) <= _seconds_each(item)
    ]
    return sorted(slowdowns, key=lambda slowdown: (-slowdown.new, slowdown.item))


def _seconds_each(item: ItemRecord) -> float:
    return item.seconds / max(example_count(item), 1)
