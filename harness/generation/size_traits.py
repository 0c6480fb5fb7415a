"""Size traits: what of the sizes of an example decides how a kernel goes about it, whole blocks and tails alike."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Any, Final

from harness.core import Case, Example, Size
from harness.generation.shapes import coordinates, domain_of, scalar
from harness.generation.sizes import UnsatisfiableError

BLOCKS: Final = (16, 8)
"""Elements that a kernel takes at once: a vector of float32 of AVX-512, and of AVX2."""

LEAST: Final = "least"


def size_traits(case: Case, example: Example) -> frozenset[str]:
    """A word for each size, ``C: tail`` or ``groups: least``, and one for each two that are the least together.

    A number is the least that the sizes before it allow, whole blocks, a tail behind a block, or less than a block; of
    what is chosen from a list the value itself is the word.
    """
    words = dict(_words(case, example))
    least = [name for name, word in words.items() if word == LEAST]
    return frozenset((*(f"{name}: {word}" for name, word in words.items()), *map(" and ".join, combinations(least, 2))))


def _words(case: Case, example: Example) -> Iterator[tuple[str, str]]:
    """The name of each scalar of the sizes, and its word."""
    by_name = {size.name: size for size in case.sizes}
    for at in coordinates(case):
        name, position = at
        value = scalar(example.sizes, at)
        word = _word(case, by_name[name], value, example)
        yield name if position < 0 else f"{name}[{position}]", word


def _word(case: Case, size: Size, value: Any, example: Example) -> str:
    if size.kind == "choice" or not isinstance(value, int):
        return LEAST if value == size.choices[0] else repr(value)
    try:
        if value == domain_of(case, size, example.sizes).simplest:
            return LEAST
    except UnsatisfiableError:  # an example written down before the case was changed
        pass
    if value < min(BLOCKS):
        return str(value) if value < 1 else "less than a block"
    return next((f"blocks of {block}" for block in BLOCKS if value % block == 0), "tail")
