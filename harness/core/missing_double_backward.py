"""Missing double backward: what autograd raises where an operator has none, which is accepted for now."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class MissingDoubleBackward:
    """What a case is known to lack: `error` is part of what autograd says, `reason` why that is so.

    `both`: autograd must say so in both formats. `is_verified`: it was seen in the release under test; else nothing is
    wrong where there is a double backward.
    """

    error: str
    reason: str
    both: bool = True
    is_verified: bool = True
