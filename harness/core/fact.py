"""Facts of golden/ that depend on the release of PyTorch: how they differ here, and which were not compared."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class FactKind(enum.StrEnum):
    """What sort of fact it is; the text is what the record and the summary have."""

    KNOWN_ISSUE = "known issue"
    LAYOUT = "layout contract"
    SNAPSHOT = "snapshot"
    SNAPSHOT_METADATA = "dtypes, shapes and strides of a snapshot"
    DOUBLE_BACKWARD = "double backward"


class FactChange(enum.StrEnum):
    """How a fact differs from what is written. The text is what the record and the summary have."""

    NEW = "new"
    """It is true here, and nothing is written of it."""
    GONE = "gone"
    """It is written, and not true here."""
    MOVED = "moved"
    """Another value is written than is true here."""


@dataclass(frozen=True)
class FactDifference:
    """One fact that is otherwise here than golden/ has it; `message` is a whole sentence.

    `judged` is False where golden/ says nothing of the release under test, so that it is no failure.
    """

    fact: FactKind
    change: FactChange
    message: str
    judged: bool = True


@dataclass(frozen=True)
class NotCompared:
    """`count` facts of one sort that could not be compared, and why."""

    fact: FactKind
    count: int
    reason: str

    def __str__(self) -> str:
        """As it is printed: ``12 x layout contract: the levels of it did not run``."""
        return f"{self.count} x {self.fact}: {self.reason}"
