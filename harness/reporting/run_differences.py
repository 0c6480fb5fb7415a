"""In what two runs differ, named by the way to it in the head of their records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

MOST: Final = 5
"""Differences that a message names."""


def run_differences(here: Mapping[str, Any], there: Mapping[str, Any]) -> list[str]:
    """A line for each value that differs in two nested mappings."""
    ours, theirs = _flat(here), _flat(there)
    names = [name for name in {**theirs, **ours} if ours.get(name) != theirs.get(name)]
    return [f"  {name}: {theirs.get(name, 'nothing')} there, {ours.get(name, 'nothing')} here" for name in names]


def difference_message(title: str, differences: Sequence[str], advice: str) -> str:
    """A message with the first of the differences."""
    more = [f"  and {len(differences) - MOST} more"] if len(differences) > MOST else []
    return "\n".join([title, *differences[:MOST], *more, advice])


def _flat(nested: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """The values of nested mappings by the way to them, such as ``build -> torch``."""
    flat: dict[str, Any] = {}
    for name, value in nested.items():
        flat |= _flat(value, f"{above}{name} -> ") if isinstance(value, Mapping) else {above + name: value}
    return flat
