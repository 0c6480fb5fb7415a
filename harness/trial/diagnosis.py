"""What a failure comes of: what makes it go away, and what does not, each changed by itself."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Final

from harness.core.finding import FindingKind


class VariedAspect(enum.StrEnum):
    """What is changed about the minimal example. The text is what the record has."""

    FORMAT = "format"
    """The memory format of one tensor, or of grad_output."""
    VIEW = "view"
    """That one tensor, or grad_output, is a view of a larger or unaligned memory."""
    ONEDNN = "oneDNN"
    """Whether oneDNN may be used."""
    LEVEL = "level"
    """The ISA level."""
    THREADS = "threads"
    """The number of threads."""
    SETTING = "setting"
    """The setting of PyTorch under which the call is made."""
    DTYPE = "dtype"
    """The dtype."""
    POISON = "poison"
    """Whether memory is filled before it is handed out."""
    MODE = "mode"
    """Whether a module trains."""
    REFERENCE = "reference"
    """Whether an operator of one's own, or the composition that it is judged by, is called."""
    PRELOAD = "preload"
    """Whether the preload files have been run."""


@dataclass(frozen=True)
class Variation:
    """The minimal example with one thing changed, in words: ``grad_output in channels_last``."""

    aspect: VariedAspect
    words: str


@dataclass(frozen=True)
class Undecided:
    """A variation of which it is not known whether the fault stays, and why."""

    variation: Variation
    reason: str


@dataclass(frozen=True)
class Diagnosis:
    """The variations with which the failure goes away, those with which it stays, and those that say nothing."""

    goes_away: tuple[Variation, ...] = ()
    stays: tuple[Variation, ...] = ()
    undecided: tuple[Undecided, ...] = ()

    def __bool__(self) -> bool:
        """Whether anything was tried, or should have been."""
        return bool(self.goes_away or self.stays or self.undecided)


LAYOUT_ASPECTS: Final = (VariedAspect.FORMAT, VariedAspect.VIEW)
"""What makes a fault one of layouts."""


def diagnosed_kind(kind: FindingKind, diagnosis: Diagnosis) -> FindingKind:
    """The kind of a finding after its diagnosis: `layout` where another layout of one tensor alone makes it go away.

    The smallest example may be contiguous throughout, so that its two layouts are the same and fail alike.
    """
    if kind not in ("universal", "isa"):
        return kind
    return "layout" if any(each.aspect in LAYOUT_ASPECTS for each in diagnosis.goes_away) else kind
