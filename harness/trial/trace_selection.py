"""Which examples of a trial are traced: the few that between them run a case in all its forms."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.core import Example

Trait = tuple[str, object]
"""A free choice of the example, and what matters of its value: the value itself, a format, or whether it is over 1."""


def select_traced(examples: Sequence[Example], most: int) -> list[Example]:
    """At most `most` examples, in their own order, chosen greedily so that each adds the most forms of the call.

    Forms are: in place or not, the word that an argument has, a tensor left out, a memory format, a size of one,
    a ratio, which dimensions an operand has.
    """
    traits = [frozenset(_traits(example)) for example in examples]
    covered: set[Trait] = set()
    chosen: list[int] = []
    while len(chosen) < min(most, len(examples)):
        best = max(range(len(examples)), key=lambda index: (len(traits[index] - covered), -index))
        if not traits[best] - covered:
            break
        chosen.append(best)
        covered |= traits[best]
    return [examples[index] for index in sorted(chosen)]


def _traits(example: Example) -> Iterator[Trait]:
    memory_formats = {f"layout_{name}" for name in (*example.layouts, *example.absent)}
    for name, value in example.values().items():
        if name in memory_formats:
            yield name, str(value).partition(":")[0]
        elif isinstance(value, bool | str) or value is None:
            yield name, value
        elif isinstance(value, int):
            yield name, value > 1
        elif isinstance(value, tuple):
            yield from ((f"{name}[{place}]", _trait(part)) for place, part in enumerate(value))
        else:
            yield name, value


def _trait(part: object) -> object:
    """What matters of a part of a tuple: of a size whether it is over 1, of anything else what it is."""
    return part > 1 if isinstance(part, int) and not isinstance(part, bool) else part
