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
from harness.generation.stratified import sums_products

if TYPE_CHECKING:
    from harness.core import Case, Example, Size

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
    """About `count` of the examples with sizes that have grown, so that the first tensor is larger than a grain.

    They are made of the largest ones. Two threads run them, the first and every second with that tensor in
    channels-last; each takes another value of what the suite lists, and another fill, and so many are made that each
    word of it, such as a reduction, meets two fills. What does not grow by its batch is one image, which alone is
    larger then. Fewer, or none, where the sizes of the case cannot grow that far within what an example may have, or
    where it sums products, which takes long.
    """
    first = case.tensors[0]
    words = max((len(size.choices) for size in case.sizes if _lists_words(size)), default=1)
    is_quick = not sums_products(case)
    count = max(count, 2 * words) if count and words > 1 and is_quick else count
    larger: list[Example] = []
    for number, example in enumerate(sorted(examples, key=lambda each: -_elements(case, each.sizes))):
        if len(larger) == count or number == _TRIED * count:
            break
        varied = _with_choices(case, example.sizes, examples[0].seed + len(larger))
        kind = (number + len(larger) // words) % len(_KINDS)
        if (sizes := _sizes_beyond_a_grain(case, varied, kind)) is not None:
            own = {first.name: "channels_last"} if first.channels_last and len(larger) % 2 == 0 else {}
            turn = len(larger) + len(larger) // words
            fill = case.fills[(case.fills.index(example.fill) + turn) % len(case.fills)]
            candidate = example.but(sizes=sizes, threads=2, layouts={**example.layouts, **own}, fill=fill)
            fits = _fits(case, candidate) and (is_quick or _products(case, candidate) <= PRODUCTS)
            larger += [candidate] if fits else []
    return larger


def _with_choices(case: Case, sizes: Mapping[str, Any], turn: int) -> Mapping[str, Any]:
    """The sizes with the values of that turn in place of what is chosen from a list of words, such as a reduction."""
    words = (size for size in case.sizes if _lists_words(size))
    return {**sizes, **{size.name: size.choices[turn % len(size.choices)] for size in words}}


def _lists_words(size: Size) -> bool:
    return size.kind == "choice" and not size.length and all(isinstance(each, str) for each in size.choices)


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
    """About how many products are summed: each number of the first tensor with what the largest other has a channel.

    Where the call pads, numbers of the padding count: a kernel meets each of them.
    """
    first, *others = shapes(case, example).values()
    padding = arguments(case, example).get("padding", 0)
    extents = len(first) - 2
    widths = padding if isinstance(padding, tuple) else (padding,) * extents
    if len(widths) == extents and all(type(width) is int for width in widths):
        first = (*first[:2], *(extent + 2 * width for extent, width in zip(first[2:], widths, strict=True)))
    return math.prod(first) * max(map(math.prod, others), default=0) // max((1, *first[1:2]))


def _fits(case: Case, example: Example) -> bool:
    """Whether no list of numbers among the arguments that may be the result's shape asks for more than the budget.

    What is expanded has few elements, and its result may have any number of them; so may the grid of a few matrices.
    """
    values = (*arguments(case, example).values(), *positional(case, example))
    lists = (value for value in values if isinstance(value, tuple) and len(value) > 1)
    return all(math.prod(each) <= BUDGET for each in lists if all(type(item) is int for item in each))
