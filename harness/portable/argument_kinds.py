"""The kinds that the arguments of ATen operators had, gathered from calls, items and runs alike. Python 3.8."""

from __future__ import annotations

from typing import Collection, Dict, Mapping, Set, Tuple

ArgumentKinds = Mapping[str, Mapping[str, Collection[str]]]
"""Operator with its overload (``aten::add.Tensor``): argument: its kinds, such as ``scalar`` and ``left out``."""

GatheredKinds = Dict[str, Dict[str, Set[str]]]
"""The same while more is added."""


def merge_kinds(kinds: GatheredKinds, more: ArgumentKinds) -> None:
    """Add what is new in `more` to `kinds`."""
    for operator, arguments in more.items():
        for name, words in arguments.items():
            kinds.setdefault(operator, {}).setdefault(name, set()).update(words)


def sort_kinds(kinds: ArgumentKinds) -> Dict[str, Dict[str, Tuple[str, ...]]]:
    """The kinds in stable order, as they are sent and recorded."""
    return {
        operator: {name: tuple(sorted(words)) for name, words in sorted(arguments.items())}
        for operator, arguments in sorted(kinds.items())
    }
