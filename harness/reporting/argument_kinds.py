"""The kinds that the arguments of ATen operators had, as a record keeps them: once for all of its items."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from harness.portable.argument_kinds import GatheredKinds, merge_kinds, sort_kinds

ArgumentKindsRecord: TypeAlias = Mapping[str, Mapping[str, tuple[str, ...]]]
"""Operator with its overload (``aten::add.Tensor``): argument: its kinds, in alphabetical order."""


def merge_argument_kinds(records: Iterable[ArgumentKindsRecord]) -> ArgumentKindsRecord:
    """All the kinds that any of them has."""
    merged: GatheredKinds = {}
    for record in records:
        merge_kinds(merged, record)
    return sort_kinds(merged)
