"""What is printed of the times of a model: both formats, the gain, and where the time goes in each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from harness.models.templating import TEMPLATES
from harness.models.timing import KINDS, SAVABLE, Cost, Grouping, ModelTiming, StepProfile, group_seconds
from harness.portable.timing_protocol import CostKind

SHOWN: Final = 12
"""Modules, and operators, that are listed; the rest are summed up, unless all are asked for."""

KIND_NAMES: Final[dict[CostKind, str]] = {
    "kernel": "kernels",
    "reorder": "reorders by oneDNN",
    "copy": "copies",
    "overhead": "between operators",
}


@dataclass(frozen=True)
class CostLine:
    """One line of a table: seconds in both formats, and in them those that only the format costs."""

    name: str
    nchw: float
    nhwc: float
    savable_nchw: float = 0.0
    savable_nhwc: float = 0.0


def timing_text(timings: Sequence[ModelTiming], *, is_table: bool = False) -> str:
    """The times of each way to run a model; `is_table`: every module by its path, in place of the costliest classes."""
    return "\n\n".join(_timing_text(timing, is_table=is_table) for timing in timings)


def _timing_text(timing: ModelTiming, *, is_table: bool) -> str:
    modules = cost_lines(timing, _module_path if is_table else _module_class)
    operators = cost_lines(timing, _operator)
    text = TEMPLATES.get_template("timing.txt").render(
        timing=timing,
        kinds=[CostLine(KIND_NAMES[kind], timing.nchw.of_kind(kind), timing.nhwc.of_kind(kind)) for kind in KINDS],
        modules=modules if is_table else shorten(modules),
        operators=shorten(operators),
        is_table=is_table,
    )
    return text.rstrip("\n")


def _module_class(cost: Cost) -> str:
    return cost.class_name or "(loss, optimiser)"


def _module_path(cost: Cost) -> str:
    return cost.module or (f"({cost.class_name})" if cost.class_name else "(loss, optimiser)")


def _operator(cost: Cost) -> str:
    return KIND_NAMES["overhead"] if cost.kind == "overhead" else cost.operator


def cost_lines(timing: ModelTiming, grouping: Grouping) -> list[CostLine]:
    """A line for each group of costs, those that take longest first."""
    nchw, nhwc = group_seconds(timing.nchw, grouping), group_seconds(timing.nhwc, grouping)
    before, after = (group_seconds(_savable(profile), grouping) for profile in (timing.nchw, timing.nhwc))
    lines = [
        CostLine(name, nchw.get(name, 0.0), nhwc.get(name, 0.0), before.get(name, 0.0), after.get(name, 0.0))
        for name in {**nchw, **nhwc}
    ]
    return sorted(lines, key=lambda line: -max(line.nchw, line.nhwc))


def _savable(profile: StepProfile) -> StepProfile:
    """The part of a step that only the format costs."""
    return StepProfile(costs=tuple(cost for cost in profile.costs if cost.kind in SAVABLE))


def shorten(lines: Sequence[CostLine]) -> list[CostLine]:
    """The first lines, and one for all the others."""
    if len(lines) <= SHOWN + 1:
        return [*lines]
    others = lines[SHOWN:]
    total = CostLine(
        f"({len(others)} others)",
        sum(line.nchw for line in others),
        sum(line.nhwc for line in others),
        sum(line.savable_nchw for line in others),
        sum(line.savable_nhwc for line in others),
    )
    return [*lines[:SHOWN], total]
