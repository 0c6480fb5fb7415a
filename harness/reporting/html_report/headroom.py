"""How near to their bounds results come: a histogram, and the tensors that come nearest."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from harness.reporting.comparison import WorstRatio, tensor_ratios
from harness.reporting.record import Record

BINS: Final = 10
"""Tenths of the bound."""

NEAREST: Final = 25
"""Tensors that are listed by name."""

WIDTH: Final = 640
HEIGHT: Final = 180
BASE: Final = 150
"""Width and height of the drawing and where its axis lies, in its own units."""


@dataclass(frozen=True)
class Bar:
    """One bar of a chart, in the units of the drawing; `label` stands below it and `count` above."""

    x: float
    y: float
    width: float
    height: float
    label: str
    count: int


@dataclass(frozen=True)
class Headroom:
    """The worst ratio of error to bound of each tensor that did not fail: how many in each tenth, and the nearest."""

    bars: Sequence[Bar]
    nearest: Sequence[WorstRatio]
    tensors: int
    width: int = WIDTH
    height: int = HEIGHT
    base: int = BASE


def headroom(record: Record) -> Headroom:
    """The headroom of a record."""
    ratios = tensor_ratios(record)
    return Headroom(
        _bars(_bin_counts(worst.ratio for worst in ratios)), sorted(ratios, reverse=True)[:NEAREST], len(ratios)
    )


def _bin_counts(ratios: Iterable[float]) -> list[int]:
    """How many lie in each tenth, the upper end included; the last count is of those above the bound."""
    counts = [0] * (BINS + 1)
    for ratio in ratios:
        counts[min(max(math.ceil(ratio * BINS) - 1, 0), BINS)] += 1
    return counts


def _bars(counts: Sequence[int]) -> list[Bar]:
    step, most = WIDTH / len(counts), max(counts) or 1
    labels = [*(f"≤ {number / BINS:.1f}" for number in range(1, BINS + 1)), "> 1"]
    heights = [round((BASE - 24) * count / most, 1) for count in counts]
    return [
        Bar(round(number * step + 3, 1), BASE - height, round(step - 6, 1), height, labels[number], counts[number])
        for number, height in enumerate(heights)
    ]
