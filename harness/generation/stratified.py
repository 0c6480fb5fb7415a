"""Stratified draws: sizes that are least, or more, meet each other, arguments and layouts in threes and fours."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from itertools import combinations, product
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from harness.generation.drawing import free_pool
from harness.generation.layout_choice import OF_ONES, with_own_layout
from harness.generation.shapes import shape_of
from harness.generation.sizes import Domain, UnsatisfiableError
from harness.generation.space import Factor, assemble, factors
from harness.portable.layouts import AXES, CHANNELS_INNERMOST, names_for

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from harness.core import Case, Example

Strata = tuple[int, ...]
"""For each factor that is stratified, which of its strata is drawn from."""

MOST_STRATA: Final = 8
"""Of a choice. One with more values has two, as an extent has: the first value, and the rest."""

FEW: Final = 12
"""With that many stratified factors or fewer, any four of them take every combination of strata; else any three."""

_CANDIDATES = 16  # for each row; the one whose combinations have been met least is taken


def stratified_examples(case: Case, dtype: str, count: int, seed: int) -> list[Example]:
    """At most `count` examples that differ in more than the seed, spread over the combinations of strata.

    The strata of an extent are its least value and all others, those of a choice its values, those of a layout
    channels-last, views with steps, with other gaps, with odd strides where the size is 1, and the rest, fewer where it
    is not the first tensor's; and in place or not. Within its stratum, and for all else, an example is drawn freely.
    What a kernel does with one row, one column or one channel depends on what else there is: three or four of these
    have to meet.
    """
    free = factors(case, dtype)
    strata = {factor: several for factor in free if (several := _strata_count(case, factor)) > 1}
    source = random.Random(seed)  # noqa: S311 - not for secrets
    relabelled = [source.sample(range(several), several) for several in strata.values()]
    examples: dict[str, Example] = {}
    for row in stratified_rows(tuple(strata.values()), count):
        labels = (names[stratum] for names, stratum in zip(relabelled, row, strict=True))
        pick = _Pick(case, dict(zip(strata, labels, strict=True)), source)
        try:
            example = assemble(case, dtype, free, pick, source.randrange(2**16))
        except UnsatisfiableError:
            continue
        example = _with_view_of_an_extent(case, with_own_layout(case, free, example))
        examples.setdefault(example.json_without_seed(), example)
    return list(examples.values())


def sums_products(case: Case) -> bool:
    """Whether the operator sums products of two tensors, such as a convolution: large ones take long."""
    return case.numerics.output == "multilinear" and sum(spec.grad for spec in case.tensors) != 1


def space_bits(case: Case, dtype: str) -> float:
    """The binary logarithm of the number of combinations of strata: how large a space is for a kernel."""
    return sum(math.log2(_strata_count(case, factor)) for factor in factors(case, dtype))


def _strata_count(case: Case, factor: Factor) -> int:
    """In how many strata the values of a factor are; 1 where it is drawn freely."""
    if factor.kind == "size":
        choices = _choices(case, factor)
        is_listed = choices and not _are_extents(choices) and len(choices) <= MOST_STRATA
        return len(choices) if is_listed else min(2, factor.count)
    if factor.kind == "layout" and factor.domain is not None and _has_formats(case, factor):
        return len(_layout_strata(factor))
    return 2 if factor.kind == "inplace" else 1


def _choices(case: Case, factor: Factor) -> tuple[Any, ...]:
    """The values that the suite lists for a size; none if it is no choice."""
    return next(size.choices if size.kind == "choice" else () for size in case.sizes if size.name == factor.name)


def _are_extents(choices: tuple[Any, ...]) -> bool:
    """Whether they are numbers of something, 1 among them."""
    return 1 in choices and all(type(choice) is int for choice in choices)


@dataclass(frozen=True)
class _Pick:
    """Picks a value of a factor: from its stratum where the row has one for it, else any."""

    case: Case
    strata: Mapping[Factor, int]
    source: random.Random

    def __call__(self, factor: Factor, allowed: Domain) -> Any:
        """The value."""
        stratum = self.strata.get(factor)
        if stratum is not None:
            pool = self._stratum(factor, allowed, stratum)
        else:
            pool = allowed.values if factor.kind == "size" else free_pool(factor, allowed)
        return self.source.choice(pool)

    def _stratum(self, factor: Factor, allowed: Domain, stratum: int) -> tuple[Any, ...]:
        if factor.kind == "layout" and factor.domain is not None:
            names = _layout_strata(factor)[stratum]
            return tuple(name for name in names if name in allowed.values) or allowed.values
        choices = _choices(self.case, factor) if factor.kind == "size" else allowed.values
        if choices and not _are_extents(choices) and len(choices) <= MOST_STRATA:
            return (choices[stratum],)
        least = 1 if _are_extents(choices) else allowed.simplest
        both = (allowed.corners, allowed.values)
        corners, values = (tuple(each for each in some if each not in (0, least)) for some in both)
        more = corners * (1 + len(values) // max(1, len(corners))) + values
        return more if stratum and more else (least,)


def _has_formats(case: Case, factor: Factor) -> bool:
    """Whether it is the layout of the first tensor, or of another input that has formats, such as a weight."""
    return factor.primary or any(spec.name == factor.name and spec.channels_last for spec in case.tensors)


def _layout_strata(factor: Factor) -> tuple[tuple[str | None, ...], ...]:
    """The layouts of a tensor by what kernels look at: dense channels-last, steps, other gaps, odd ones, and the rest.

    Channels-last counts twice: of the formats it is the one that kernels have branches for. So does an unbatched image
    as it is loaded, which they are given as a batch of one of them. Of another tensor than the first, which most
    programs keep dense, the views with steps and gaps are one stratum, and left out is another.
    """
    names = factor.domain.values if factor.domain else ()
    plain = tuple(name for name in names if name in CHANNELS_INNERMOST)
    steps = tuple(name for name in names if name and ":step" in name)
    gaps = tuple(name for name in names if name and ("slice_" in name or name.endswith(":expand_n")))
    odd = tuple(name for name in names if name and name.endswith(OF_ONES))
    rest = tuple(name for name in names if name not in {*plain, *steps, *gaps, *odd})
    absent = tuple(name for name in rest if name is None)
    strata: tuple[tuple[str | None, ...], ...] = (plain, plain, steps, gaps, odd, rest)
    if not factor.primary:
        strata = (plain, plain, odd, tuple(name for name in (*steps, *gaps, *rest) if name is not None), absent)
    return tuple(stratum for stratum in strata if stratum)


def _with_view_of_an_extent(case: Case, example: Example) -> Example:
    """The example, but a view of its first tensor along a dimension of size 1 is along one that has more, if any does.

    There its stride says something.
    """
    first = case.tensors[0]
    layout, shape = example.layouts.get(first.name, ""), shape_of(case, first, example.sizes)
    stem, letters = layout[:-1], AXES.get(len(shape), "")
    if not stem.endswith((":step_", ":slice_")) or shape[letters.index(layout[-1])] > 1:
        return example
    offers = names_for(len(shape), first.channels_last, inplace=first.buffer, unbatched=first.unbatched)
    views = [stem + letter for letter, size in zip(letters, shape, strict=True) if size > 1 and stem + letter in offers]
    if not views:
        return example
    return example.but(layouts={**example.layouts, first.name: views[example.seed % len(views)]})


@cache
def stratified_rows(counts: Strata, most: int) -> tuple[Strata, ...]:
    """Rows of strata, of which column i has counts[i]: all that there are or, where these are more, `most` of them.

    Then any few columns take each combination about equally often. They are always the same.
    """
    if math.prod(counts) <= most:
        return tuple(product(*map(range, counts)))
    source = random.Random(0)  # noqa: S311 - as above
    combinations_of = _Combinations(counts, min(len(counts), 4 if len(counts) <= FEW else 3))
    worth = np.ones(combinations_of.count)
    rows: dict[Strata, None] = {}
    while len(rows) < most:
        candidates = [tuple(map(source.randrange, counts)) for _ in range(_CANDIDATES)]
        met = combinations_of.met_by(candidates)
        best = int(np.argmax(worth[met].sum(axis=1) * [candidate not in rows for candidate in candidates]))
        rows[candidates[best]] = None
        worth[met[best]] /= 4
    return tuple(rows)


class _Combinations:
    """The combinations that any `width` columns can take, numbered: column i has counts[i] strata."""

    def __init__(self, counts: Strata, width: int) -> None:
        self._columns = np.array(list(combinations(range(len(counts)), width)))
        widths = np.array(counts)[self._columns]
        sizes = widths.prod(axis=1)
        self.count = int(sizes.sum())
        self._first = np.cumsum(sizes) - sizes
        self._step = np.cumprod(np.c_[np.ones(len(widths), int), widths[:, :-1]], axis=1)

    def met_by(self, rows: list[Strata]) -> NDArray[np.int64]:
        """For each row the numbers of the combinations that it has, shape (rows, choices of columns)."""
        numbers: NDArray[np.int64] = (np.array(rows)[:, self._columns] * self._step).sum(axis=2) + self._first
        return numbers
