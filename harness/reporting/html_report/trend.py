"""Figures of many runs as lines that grow from left to right, one small chart for each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from harness.reporting.comparison import History, RecordedRun

WIDTH: Final = 300
HEIGHT: Final = 90
MARGIN: Final = 8
"""Of the drawing, in its own units."""


def _share_near(run: RecordedRun) -> float | None:
    figures = run.figures
    return 100.0 * figures.near / figures.bounded if figures.bounded else None


_FIGURES: Final[Sequence[tuple[str, str, Callable[[RecordedRun], float | None]]]] = (
    ("failing items", "{:.0f}", lambda run: run.figures.failing),
    ("tensors above half of the bound, per cent", "{:.1f}", _share_near),
    ("examples a second of one process", "{:.1f}", lambda run: run.figures.examples_a_second),
    ("pairs of corner values covered, per cent", "{:.1f}", lambda run: run.figures.pairs),
)


@dataclass(frozen=True)
class TrendPoint:
    """One run of a line; x and y are in the units of the drawing, y grows downwards."""

    x: float
    y: float
    text: str


@dataclass(frozen=True)
class Trend:
    """One figure over the runs that have it. `first` and `last` are its values as text, `line` the points of SVG."""

    title: str
    points: Sequence[TrendPoint]
    first: str
    last: str
    width: int = WIDTH
    height: int = HEIGHT

    @property
    def line(self) -> str:
        """The points as `polyline` takes them."""
        return " ".join(f"{point.x},{point.y}" for point in self.points)


def trends(history: History) -> list[Trend]:
    """A line for each figure that at least two runs have."""
    lines = [_trend(title, form, [(run, figure(run)) for run in history.runs]) for title, form, figure in _FIGURES]
    return [line for line in lines if len(line.points) > 1]


def _trend(title: str, form: str, values: Sequence[tuple[RecordedRun, float | None]]) -> Trend:
    known = [(number, run, value) for number, (run, value) in enumerate(values) if value is not None]
    top = max((value for *_, value in known), default=0.0) or 1.0
    step = (WIDTH - 2 * MARGIN) / max(len(values) - 1, 1)
    points = [
        TrendPoint(
            round(MARGIN + number * step, 1),
            round(HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * value / top, 1),
            f"{run.day}: {form.format(value)}",
        )
        for number, run, value in known
    ]
    texts = [form.format(value) for *_, value in known] or ["-"]
    return Trend(title, points, texts[0], texts[-1])
