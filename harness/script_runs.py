"""How a script ended that is to show a fault, and what is in fresh memory where it runs."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from harness.reporting import FAULT_IS_HERE, POISON


class FreshMemory(enum.Enum):
    """What the memory holds that malloc hands out to a script.

    A script counts only if it shows its fault with each of these: what is left over on this machine may be zero on
    another, and a fault of memory that nobody wrote then shows here and not there.
    """

    FILLED = "filled"
    """What no result is."""
    ZERO = "zero"
    """What a new process mostly finds, and what many results are."""
    AS_IT_COMES = "as it comes"
    """Whatever was left there, by a process that has imported torch."""

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables that see to it."""
        return _MALLOC[self]


_MALLOC: Final[Mapping[FreshMemory, Mapping[str, str]]] = {
    FreshMemory.FILLED: POISON,
    # glibc fills fresh memory with the complement of the byte, and freed memory with the byte itself: mallopt(3)
    FreshMemory.ZERO: {**POISON, "MALLOC_PERTURB_": "255"},
    FreshMemory.AS_IT_COMES: {},
}


@dataclass(frozen=True)
class ScriptRun:
    """How a script ended, by its exit code or minus the signal that ended it, and what it printed."""

    code: int
    output: str

    @property
    def shows_fault(self) -> bool:
        """Whether it says that the fault is there, and exits as it then should."""
        return self.code == 1 and FAULT_IS_HERE in self.output.splitlines()
