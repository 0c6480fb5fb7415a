"""Examples larger than a grain: more elements than one thread of ATen's works on, so that two share a tensor."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from harness.generation.shapes import (
    BUDGET,
    arguments,
    coordinates,
    largest_numel,
    legalise,
    positional,
    scalar,
    shape_of,
    shapes,
    with_values,
)
from harness.generation.sizes import UnsatisfiableError

if TYPE_CHECKING:
    from harness.core import Case, Example

GRAIN: Final = 2**15
"""Elements that one thread works on by itself (at::internal::GRAIN_SIZE)."""

ONE_IMAGE: Final = GRAIN * 3 // 2
"""Elements of an example of one image: a third of them are where a signed number of 16 bits does not reach."""

_KINDS: Final = ("spatial", "channels", "batch")
"""The sizes that grow: for many elements in a plane, in a position of it, and in many images."""

PRODUCTS: Final = 2**25
"""Products of numbers in one example: where an operator sums them, more would take seconds."""

_TRIED: Final = 8  # examples for each that is asked for


def larger_examples(case: Case, examples: Sequence[Example], count: int) -> list[Example]:
    """At most `count` of the examples with sizes that have grown, so that the first tensor is larger than a grain.

    They are made of the largest ones. Two threads run them, the first and every second with that tensor in
    channels-last; each takes another value of what the suite lists, and another fill. What does not grow by its batch
    is one image, which alone is larger then. Fewer, or none, where the sizes of the case cannot grow that far within
    what an example may have.
    """
    first = case.tensors[0]
    larger: list[Example] = []
    for number, example in enumerate(sorted(examples, key=lambda each: -_elements(case, each.sizes))):
        if len(larger) == count or number == _TRIED * count:
            break
        varied = _with_choices(case, example.sizes, examples[0].seed + len(larger))
        if (sizes := _sizes_beyond_a_grain(case, varied, number % len(_KINDS))) is not None:
            own = {first.name: "channels_last"} if first.channels_last and len(larger) % 2 == 0 else {}
            fill = case.fills[(case.fills.index(example.fill) + len(larger)) % len(case.fills)]
            candidate = example.but(sizes=sizes, threads=2, layouts={**example.layouts, **own}, fill=fill)
            larger += [candidate] if _fits(case, candidate) and _products(case, candidate) <= PRODUCTS else []
    return larger


def _with_choices(case: Case, sizes: Mapping[str, Any], turn: int) -> Mapping[str, Any]:
    """The sizes with the values of that turn in place of what is chosen from a list of words, such as a reduction."""
    chosen = (size for size in case.sizes if size.kind == "choice" and not size.length)
    words = (size for size in chosen if all(isinstance(each, str) for each in size.choices))
    return {**sizes, **{size.name: size.choices[turn % len(size.choices)] for size in words}}


def _elements(case: Case, sizes: Mapping[str, Any]) -> int:
    return math.prod(shape_of(case, case.tensors[0], sizes))


def _sizes_beyond_a_grain(case: Case, sizes: Mapping[str, Any], first: int) -> dict[str, Any] | None:
    """The sizes with larger ones of a kind, and then of the next two where their bounds end the growth."""
    kinds = {size.name: size.kind for size in case.sizes}
    grown = dict(sizes)
    is_one_image = _KINDS[first] != "batch"
    enough = ONE_IMAGE if is_one_image else GRAIN
    if is_one_image:
        grown.update({name: 1 for name, kind in kinds.items() if kind == "batch" and grown[name] != 0})
    for kind in (*_KINDS[first:], *_KINDS[:first]):
        for at in coordinates(case):
            elements = max(1, _elements(case, grown))
            if kinds[at[0]] != kind or elements > enough:
                continue
            try:
                more = legalise(case, with_values(grown, {at: 1 + enough * max(1, scalar(grown, at)) // elements}))
            except UnsatisfiableError:
                return None
            # A size of the result alone, as of expand, would make that as large as it likes: nothing bounds a result.
            grown = more if _elements(case, more) > elements else grown
    return grown if _elements(case, grown) > GRAIN and largest_numel(case, grown) <= BUDGET else None


def _products(case: Case, example: Example) -> int:
    """About how many products are summed: each number of the first tensor with what the largest other has a channel."""
    first, *others = shapes(case, example).values()
    return math.prod(first) * max(map(math.prod, others), default=0) // max((1, *first[1:2]))


def _fits(case: Case, example: Example) -> bool:
    """Whether no list of numbers among the arguments that may be the result's shape asks for more than the budget.

    What is expanded has few elements, and its result may have any number of them; so may the grid of a few matrices.
    """
    values = (*arguments(case, example).values(), *positional(case, example))
    lists = (value for value in values if isinstance(value, tuple) and len(value) > 1)
    return all(math.prod(each) <= BUDGET for each in lists if all(type(item) is int for item in each))
