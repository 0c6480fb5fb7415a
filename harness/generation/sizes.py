"""The values a size may take: bounds, corners where kernels change their ways, and the longer lists to draw from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from harness.core import Expression, ExpressionError, Size

if TYPE_CHECKING:
    from collections.abc import Mapping

CHANNELS = (1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 31, 32, 33, 48, 64, 65, 96)
"""Around the vector lengths of every instruction set: 4, 8, 16 and 32 elements, and blocks of 48, 64 and 96."""

SPATIAL = (5, 7, 11, 13, 29, 31, 32, 33, 47, 48, 63, 64, 65)
"""Small primes, then widths at which blocked kernels and their tails start."""

_CHANNEL_CORNERS = (3, 8, 16, 17, 33)
_BATCH = (16,)  # oneDNN takes float32 convolutions from 16 images on whatever their shape


class UnsatisfiableError(Exception):
    """The sizes drawn so far leave no legal value, or break a constraint; the text says which. Stays in this room."""


@dataclass(frozen=True)
class Domain:
    """What one free choice may be: `corners` (few) and `values` (many) simplest first, and the bounds of a number.

    `low` and `high` are None where the choice is from a list; `high` is None where nothing bounds it. `empty` allows 0
    below `low`.
    """

    corners: tuple[Any, ...]
    values: tuple[Any, ...]
    low: int | None = None
    high: int | None = None
    empty: bool = False

    @property
    def simplest(self) -> Any:
        """The value that shrinking aims at."""
        return self.corners[0]

    def nearest(self, value: Any) -> Any:
        """`value` where it is legal, else the bound it exceeds, else the simplest value."""
        if self.low is None:
            return next((choice for choice in self.values if _same(choice, value)), self.simplest)
        if not isinstance(value, int) or isinstance(value, bool):
            return self.simplest
        if value == 0 and self.empty:
            return 0
        return max(self.low, value if self.high is None else min(value, self.high))

    def corner(self, index: int) -> Any:
        """The corner of that index. Bounds can leave fewer corners than elsewhere; the last one stands for the rest."""
        return self.corners[min(index, len(self.corners) - 1)]


def _same(value: Any, other: Any) -> bool:
    return type(value) is type(other) and bool(value == other)


def domain(size: Size, values: Mapping[str, Any]) -> Domain:
    """The domain of (each position of) `size`, given the sizes before it.

    Raises UnsatisfiableError where high < low, ExpressionError where a bound is not a whole number.
    """
    if size.kind == "choice":
        return choice_domain(size.choices)
    low = None if size.low is None else _whole(size.low, values)
    if size.kind == "range":
        high = low if size.high is None else _whole(size.high, values)
        return _range(size.name, 0 if low is None else low, 0 if high is None else high)
    return _distribution(size.kind, max(1, 1 if low is None else low), size.empty)


def _whole(expression: Expression, values: Mapping[str, Any]) -> int:
    bound = expression.evaluate(values)
    if not isinstance(bound, int):
        raise ExpressionError(f"{expression.text!r} is {bound!r}, and a bound is a whole number")
    return int(bound)


def choice_domain(values: tuple[Any, ...], corners: tuple[Any, ...] | None = None) -> Domain:
    """The domain of a choice from a list; every value is a corner unless `corners` says which are."""
    return Domain(corners=values if corners is None else corners, values=values)


@cache
def _distribution(kind: str, low: int, empty: bool) -> Domain:
    """Batch, channels or spatial from `low` on; 0 is the last of the values where a tensor may be empty.

    It is no corner: what meets it in a covering array is not checked for anything but its shape.
    """
    corners: tuple[int, ...] = (low, low + 1, low + 2)
    values: tuple[int, ...] = (*corners, *(n for n in _BATCH if n > low + 2))
    if kind == "channels":
        corners = (low, *(c for c in _CHANNEL_CORNERS if c > low))
        values = (low, *(c for c in CHANNELS if c > low))
    elif kind == "spatial":
        corners = (low, low + 1, low + 2, low + 6, *(s for s in (33,) if s > low + 6))
        near = (low, low + 1, low + 2, low + 3, low + 4, low + 6)
        values = (*near, *(s for s in SPATIAL if s > low and s not in near))
    zero = (0,) if empty else ()
    return Domain(corners, (*values, *zero), low, None, empty)


@cache
def _range(name: str, low: int, high: int) -> Domain:
    """Both ends, their neighbours and the middle; 0 is the simplest where the range holds it."""
    if high < low:
        raise UnsatisfiableError(f"{name} would lie in {low}..{high}, which is empty")
    simplest = 0 if low < 0 <= high else low
    marks = (simplest, simplest + 1, high, (simplest + high + 1) // 2, low)
    corners = tuple(dict.fromkeys(value for value in marks if low <= value <= high))
    step = 1 + (high - low) // 64  # a wide range is drawn from evenly, its ends always
    values = tuple(dict.fromkeys((*corners, *range(low, high + 1, step))))
    return Domain(corners, values, low, high)


def corner_count(size: Size) -> int:
    """How many corners (a position of) `size` has at most, whatever the sizes before it."""
    names = frozenset[str]().union(*(bound.names for bound in (size.low, size.high) if bound is not None))
    if size.kind == "choice" or not names:
        return len(domain(size, {}).corners)
    if size.kind == "range":
        return 4
    return len(_distribution(size.kind, 1, size.empty).corners)
