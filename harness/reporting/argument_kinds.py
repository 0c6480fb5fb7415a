"""The kinds that the arguments of ATen operators had, as a record keeps them: once for all of its items."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TypeAlias

ArgumentKindsRecord: TypeAlias = Mapping[str, Mapping[str, tuple[str, ...]]]
"""Operator with its overload (``aten::add.Tensor``): argument: its kinds, in alphabetical order."""


def sort_kinds(kinds: Mapping[str, Mapping[str, Collection[str]]]) -> ArgumentKindsRecord:
    """The kinds in stable order."""
    return {
        operator: {name: tuple(sorted(words)) for name, words in sorted(arguments.items())}
        for operator, arguments in sorted(kinds.items())
    }


def merge_argument_kinds(records: Iterable[ArgumentKindsRecord]) -> ArgumentKindsRecord:
    """All the kinds that any of them has."""
    merged: dict[str, dict[str, set[str]]] = {}
    for record in records:
        for operator, arguments in record.items():
            for name, words in arguments.items():
                merged.setdefault(operator, {}).setdefault(name, set()).update(words)
    return sort_kinds(merged)
