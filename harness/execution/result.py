"""What an executor hands out: the build it found, and one example's reference and observations."""

from __future__ import annotations

from dataclasses import dataclass

from harness.core import Example, Observation, Reference


@dataclass(frozen=True)
class Build:
    """The build under test and its host: versions (`onednn` empty without), CPU model, CPU flags."""

    torch: str
    onednn: str
    cpu: str
    python: str
    numpy: str
    platform: str
    flags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Result:
    """One example everywhere: the reference, and two observations (``drawn``, ``contiguous``) of each cell.

    `skipped` are the cells that did not run it because another one answers for them (`RedundantLevels`).
    """

    example: Example
    reference: Reference
    observations: tuple[Observation, ...]
    skipped: tuple[str, ...] = ()
