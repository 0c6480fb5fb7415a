"""What modules cost in both formats: reorders, and seconds where they were measured."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from harness.models.module_layout import ModuleLayout


@dataclass(frozen=True)
class ModuleCosts:
    """Reorders of oneDNN, and seconds of a step, with nothing converted and with all of it."""

    reorders_nchw: int = 0
    reorders_nhwc: int = 0
    seconds_nchw: float = 0.0
    seconds_nhwc: float = 0.0


def module_costs(layout: ModuleLayout, seconds: Mapping[str, tuple[float, float]]) -> ModuleCosts:
    """Those of a module's own forward; `seconds`, by path, are NCHW's and NHWC's."""
    return ModuleCosts(layout.reorders_nchw, layout.reorders_nhwc, *seconds.get(layout.path, (0.0, 0.0)))


def add_costs(costs: Iterable[ModuleCosts]) -> ModuleCosts:
    """All of them together."""
    summands = [*costs]
    return ModuleCosts(
        sum(each.reorders_nchw for each in summands),
        sum(each.reorders_nhwc for each in summands),
        sum(each.seconds_nchw for each in summands),
        sum(each.seconds_nhwc for each in summands),
    )
