"""The times of a model as the page shows them: where a step's time goes, and what of it is each module's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.models.timing import KINDS, ModelTiming, group_seconds
from harness.models.timing_report import KIND_NAMES, CostLine, cost_lines, shorten


@dataclass(frozen=True)
class TimingSection:
    """One step that was measured: `kinds` and `operators` are lines of its two tables."""

    timing: ModelTiming
    kinds: Sequence[CostLine]
    operators: Sequence[CostLine]


def timing_section(timing: ModelTiming) -> TimingSection:
    """The section of one step."""
    return TimingSection(
        timing,
        [CostLine(KIND_NAMES[kind], timing.nchw.of_kind(kind), timing.nhwc.of_kind(kind)) for kind in KINDS],
        shorten(cost_lines(timing, lambda cost: cost.operator or KIND_NAMES["overhead"])),
    )


def module_seconds(timings: Sequence[ModelTiming]) -> Mapping[str, tuple[float, float]]:
    """Seconds in NCHW and in NHWC of the first step that was measured, by the module that spends them itself."""
    if not timings:
        return {}
    nchw, nhwc = (group_seconds(profile, lambda cost: cost.module) for profile in (timings[0].nchw, timings[0].nhwc))
    return {path: (nchw.get(path, 0.0), nhwc.get(path, 0.0)) for path in {**nchw, **nhwc}}
