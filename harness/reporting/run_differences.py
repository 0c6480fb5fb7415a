"""In what two runs differ, named by the way to it in the head of their records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from harness.reporting.record import BaselineRecord

MOST: Final = 5
"""Differences that a message names."""


def run_differences(here: Mapping[str, Any], there: Mapping[str, Any]) -> list[str]:
    """A line for each value that differs in two nested mappings."""
    ours, theirs = _flat(here), _flat(there)
    names = [name for name in {**theirs, **ours} if ours.get(name) != theirs.get(name)]
    return [f"  {name}: {theirs.get(name, 'nothing')} there, {ours.get(name, 'nothing')} here" for name in names]


def baseline_difference(here: BaselineRecord | None, there: BaselineRecord | None, name: str = "this one") -> str:
    """What two runs are compared with, as a part of a sentence in which `name` is the run here; empty where it is one.

    Two builds that differ in nothing that a sentence names are left to `run_differences`.
    """
    ours, theirs = ("no other build" if each is None else str(each) for each in (here, there))
    return f"compared with {theirs}, and {name} with {ours}" if ours != theirs else ""


def difference_message(title: str, differences: Sequence[str], advice: str) -> str:
    """A message with the first of the differences."""
    more = [f"  and {len(differences) - MOST} more"] if len(differences) > MOST else []
    return "\n".join([title, *differences[:MOST], *more, advice])


def _flat(nested: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """The values of nested mappings by the way to them, such as ``build -> torch``; an empty text is nothing."""
    flat: dict[str, Any] = {}
    for name, value in nested.items():
        flat |= _flat(value, f"{above}{name} -> ") if isinstance(value, Mapping) else {above + name: value}
    return {name: value for name, value in flat.items() if value != ""}
