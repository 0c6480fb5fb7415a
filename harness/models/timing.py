"""What channels-last gains: a step of a model in both formats, measured in turn, and where the time of each goes."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeAlias

from pydantic import Field

from harness.portable.timing_protocol import CostData, CostKind, RoundSeconds
from harness.suites import StrictSchema

KINDS: Final[tuple[CostKind, ...]] = ("kernel", "reorder", "copy", "overhead")
SAVABLE: Final[tuple[CostKind, ...]] = ("reorder", "copy")
"""What a step takes for nothing but the format of its images; channels-last can save that."""


UNDISTURBED: Final = 0.9
"""The share of a processor that a step has at least on a machine with nothing else to do."""


class Spread(StrictSchema):
    """The median of some numbers and how far they are spread."""

    median: float
    lower: float = Field(description="The first quartile")
    upper: float = Field(description="The third quartile")

    def holds(self, number: float) -> bool:
        """Whether a number lies in the middle half."""
        return self.lower <= number <= self.upper

    @property
    def interquartile_range(self) -> float:
        """The range that the middle half of the numbers lies in."""
        return self.upper - self.lower


class FormatTimes(StrictSchema):
    """Seconds of one step in each format, over rounds in which both were measured in turn."""

    threads: int
    rounds: int
    nchw: Spread
    nhwc: Spread
    processor_share: float = Field(
        default=1.0,
        description="Share of the time in which the calling thread had a processor: less than 1 where it waited",
    )
    gain: Spread = Field(description="How many times as fast NHWC is: NCHW's seconds over NHWC's, round by round")

    @property
    def is_disturbed(self) -> bool:
        """Whether something else on the machine took so much of it that the times say little."""
        return self.processor_share < UNDISTURBED


class Cost(StrictSchema):
    """Seconds that one operator took in one step, in all calls that one module made by itself."""

    module: str = Field(description="Its path; empty for the model itself, and for the loss and the optimiser")
    class_name: str
    operator: str = Field(description="As the profiler names it; empty for what is between operators")
    kind: CostKind
    seconds: float


class StepProfile(StrictSchema):
    """Where the time of one step goes: the parts add up to the whole."""

    costs: tuple[Cost, ...] = Field(description="The largest first")

    @property
    def seconds(self) -> float:
        """The whole step, as the profiler sees it: what it costs itself is in it."""
        return sum(cost.seconds for cost in self.costs)

    def of_kind(self, *kinds: CostKind) -> float:
        """The seconds that go to these kinds of work."""
        return sum(cost.seconds for cost in self.costs if cost.kind in kinds)

    @property
    def savable_share(self) -> float:
        """The share of reorders and copies in the step, from 0 to 1."""
        return self.of_kind(*SAVABLE) / self.seconds if self.seconds else 0.0


class ModelTiming(StrictSchema):
    """What was measured of a model in one way to run it, at one level."""

    item: str = Field(description="The way to run it: step, runner, precision")
    level: str
    times: FormatTimes
    nchw: StepProfile
    nhwc: StepProfile


Grouping: TypeAlias = Callable[[Cost], str]


def spread_of(numbers: Sequence[float]) -> Spread:
    """The quartiles of some numbers, of which there is one at least."""
    if len(numbers) == 1:
        return Spread(median=numbers[0], lower=numbers[0], upper=numbers[0])
    lower, median, upper = statistics.quantiles(numbers, n=4, method="inclusive")
    return Spread(median=median, lower=lower, upper=upper)


def format_times(rounds: RoundSeconds, threads: int, processor_share: float = 1.0) -> FormatTimes:
    """The times of both formats, and their ratio in each round, from what a worker measured."""
    nchw, nhwc = rounds["nchw"], rounds["nhwc"]
    return FormatTimes(
        threads=threads,
        rounds=len(nchw),
        nchw=spread_of(nchw),
        nhwc=spread_of(nhwc),
        processor_share=processor_share,
        gain=spread_of([before / after for before, after in zip(nchw, nhwc, strict=True)]),
    )


def step_profile(costs: Sequence[CostData]) -> StepProfile:
    """Where the time goes, from what a worker says of it."""
    parts = (Cost.model_validate(cost) for cost in costs)
    return StepProfile(costs=tuple(sorted(parts, key=lambda cost: -cost.seconds)))


def group_seconds(profile: StepProfile, grouping: Grouping) -> Mapping[str, float]:
    """The seconds of a step by any property of its costs."""
    seconds: dict[str, float] = {}
    for cost in profile.costs:
        name = grouping(cost)
        seconds[name] = seconds.get(name, 0.0) + cost.seconds
    return seconds
