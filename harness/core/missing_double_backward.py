"""Missing double backward: what autograd raises where an operator has none, which is accepted for now."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class MissingDoubleBackward:
    """What a case is known to lack: `error` is part of what autograd says, `reason` why that is so.

    `both`: autograd must say so in both formats.
    """

    error: str
    reason: str
    both: bool = True
