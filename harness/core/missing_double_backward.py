"""Refusal: a double backward that a case is known not to have."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class MissingDoubleBackward:
    """`error` is part of what autograd says, `reason` why that is so; `both`: it must say so in both formats."""

    error: str
    reason: str
    both: bool = True
