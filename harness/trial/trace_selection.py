"""Which examples of a trial are traced: the few that between them run a case in all its forms."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from harness.core import Example

Trait = tuple[str, Any]


def select_traced(examples: Sequence[Example], most: int) -> list[Example]:
    """At most `most` examples, in their own order, chosen greedily so that each adds the most forms of the call.

    Forms are: in place or not, the word given for an argument, a tensor left out, a memory format, a size of one.
    """
    traits = [frozenset(_traits(example)) for example in examples]
    seen: set[Trait] = set()
    chosen: list[int] = []
    while len(chosen) < min(most, len(examples)):
        best = max(range(len(examples)), key=lambda index: (len(traits[index] - seen), -index))
        if not traits[best] - seen:
            break
        chosen.append(best)
        seen |= traits[best]
    return [examples[index] for index in sorted(chosen)]


def _traits(example: Example) -> Iterator[Trait]:
    for name, value in example.values().items():
        if name.startswith("layout_"):
            yield name, str(value).partition(":")[0]
        elif isinstance(value, bool | str) or value is None:
            yield name, value
        elif isinstance(value, int):
            yield name, value > 1
        elif isinstance(value, tuple):
            yield from ((f"{name}[{place}]", one > 1) for place, one in enumerate(value) if isinstance(one, int))
        else:
            yield name, value
