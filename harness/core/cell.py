"""Cell: where an Example runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Level:
    """An ISA level as `suites/isa.yaml` declares it.

    `onednn` and `aten` are the values of ONEDNN_MAX_CPU_ISA and ATEN_CPU_CAPABILITY (`onednn` None where oneDNN has no
    such cap); `requires` are CPU flags; `above` the levels directly below this one in the partial order;
    `implementations` the ISA names that oneDNN implementations of this level carry, and no level below it. A level that
    is not `default` runs when it is asked for by name.
    """

    name: str
    architecture: str
    onednn: str | None
    aten: str
    requires: tuple[str, ...] = ()
    above: tuple[str, ...] = ()
    implementations: tuple[str, ...] = ()
    default: bool = True


@dataclass(frozen=True)
class Cell:
    """One worker's place: a level proven effective, in one interpreter, on one host. `name` is the level's.

    `proof` holds what was read back: ``onednn`` (the header's isa text) and ``aten`` (the capability).
    """

    name: str
    level: Level
    python: str = ""
    host: str = "localhost"
    proof: Mapping[str, str] = field(default_factory=dict)
