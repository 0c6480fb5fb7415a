"""What a script has to show."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harness.core import Case, Example, Level
from harness.core.finding import Oracle


@dataclass(frozen=True, kw_only=True)
class ScriptSubject:
    """What a script has to show: which oracle fails on which tensor of which example, at which level.

    `tensor` is ``*`` or empty for the call as a whole; `earlier` an example that the process must have run before;
    `is_fickle`: not every call shows it. `layouts` are those in which it shows; `only_as_laid_out`: what is wrong in
    the contiguous copy too is something else. `preload` are files that the script imports first.
    """

    title: str
    case: Case
    example: Example
    level: Level
    oracle: Oracle
    tensor: str
    layouts: tuple[str, ...] = ("drawn",)
    only_as_laid_out: bool = False
    earlier: Example | None = None
    is_fickle: bool = False
    preload: tuple[Path, ...] = ()


class NoScriptError(Exception):
    """There is no such script; the text is a clause that says why."""
