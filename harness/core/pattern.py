"""Pattern: where the elements that differ lie, and what is in them."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import Any

import numpy.typing as npt


class PatternKind(enum.StrEnum):
    """One thing that all differing elements of a tensor have in common. The text is what the record has."""

    EVERYWHERE = "everywhere"
    """Every element of the tensor differs."""
    CHANNEL_BLOCK = "channels modulo a block"
    """The channels before or after the last full block, or the same ones of every block."""
    BORDER = "border"
    """The first or the last row, column or slice of an image."""
    PADDING_REACH = "reach of the padding"
    """The elements whose window reaches beyond the input."""
    SAMPLE = "sample"
    """Some images of the batch."""
    TAP = "tap"
    """Some places of a convolution's kernel, in its gradient."""
    INDICES = "indices"
    """A run, or a regular choice, of the indices of a dimension."""
    SHIFTED = "shifted copy"
    """What is due one place further along a dimension."""
    TRANSPOSED = "transposed copy"
    """What is due with two dimensions exchanged, or in the memory order of the other format."""
    NAN = "NaN only"
    """No number where one is due, or a number where none is."""
    INFINITE = "infinite only"
    """An infinity where a number is due."""
    ZERO_SIGN = "sign of zero"
    """A zero of the other sign."""
    ONE_ULP = "one ulp"
    """The next number of the dtype."""
    UNWRITTEN = "unwritten memory"
    """What the harness fills memory with before it is handed out."""
    NARROW = "narrower dtype"
    """Numbers that a less precise dtype has too, where others are due."""
    COMPLEX_PART = "part of a complex number"
    """The imaginary or the real part alone."""
    ZERO = "zero"
    """Zero where another number is due."""
    OFFSET = "constant offset"
    """Off by the same number."""
    FACTOR = "constant factor"
    """Off by the same factor."""


@dataclass(frozen=True)
class Pattern:
    """What the differing elements have in common, as a sentence and as kinds.

    The sentence is empty where no elements were compared, and says that there is no pattern where none was recognised;
    then there are no kinds.
    """

    sentence: str = ""
    kinds: tuple[PatternKind, ...] = ()


@dataclass(frozen=True)
class MismatchedElement:
    """One element that differs: its index, both numbers as text, and how many numbers of the dtype lie between.

    `ulps` is None where one of them is no finite number, and where the dtype is no floating one.
    """

    index: tuple[int, ...]
    got: str
    expected: str
    ulps: int | None = None


@dataclass(frozen=True, eq=False)
class Mismatch:
    """A tensor of which some elements are not as expected: both arrays, and the mask of the elements that differ.

    Both have the type that observations carry (bfloat16 in float32); `dtype` is torch's name.
    """

    dtype: str
    got: npt.NDArray[Any] = field(repr=False)
    expected: npt.NDArray[Any] = field(repr=False)
    mask: npt.NDArray[Any] = field(repr=False)
