"""Which examples of a trial are traced: the few that between them run a case in all its forms."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from harness.core import Example

Trait = tuple[object, ...]
"""A free choice of the example, and what matters of its value: the value itself, a format, or whether it is over 1."""

OTHER_OPERATORS: Final = ("out", "vmap")
"""Paths on which the case's operator is another overload of it, or is handed other arguments."""


@dataclass
class TraceSelection:
    """Chooses at most `most` examples in all, greedily so that each adds the most forms of the call.

    Forms are: in place or not, the word that an argument has, a tensor left out, a memory format, a size of one, a
    number below zero, a ratio, which dimensions an operand has. What runs another operator, in place or into given
    memory, or what hands it a batch of them, is told apart from the plain call in each of these.
    """

    most: int
    _covered: set[Trait] = field(default_factory=set, init=False)

    def select(self, examples: Sequence[Example]) -> list[Example]:
        """Those among these examples, in their own order, that add to what was chosen before."""
        traits = [frozenset(_traits(example)) for example in examples]
        chosen: list[int] = []
        while self.most and len(chosen) < len(examples):
            best = max(range(len(examples)), key=lambda index: (len(traits[index] - self._covered), -index))
            if not traits[best] - self._covered:
                break
            chosen.append(best)
            self._covered |= traits[best]
            self.most -= 1
        return [examples[index] for index in sorted(chosen)]


def _traits(example: Example) -> Iterator[Trait]:
    form = "inplace" if example.inplace else example.path if example.path in OTHER_OPERATORS else ""
    memory_formats = {f"layout_{name}" for name in (*example.layouts, *example.absent)}
    for name, value in example.values().items():
        if name in memory_formats:
            yield name, str(value).partition(":")[0]
        elif name not in example.sizes:
            yield name, _trait(value)
        elif isinstance(value, tuple):
            yield from ((form, name, place, _trait(part)) for place, part in enumerate(value))
            yield form, name, len(value)
        else:
            yield form, name, _trait(value)
    yield from ((form, name, "left out") for name in example.absent)


def _trait(value: object) -> object:
    """What matters of a value: of a whole number its sign and whether it is over 1, of anything else what it is."""
    if isinstance(value, bool) or not isinstance(value, int):
        return value
    return "negative" if value < 0 else value > 1
