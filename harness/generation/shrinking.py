"""Shrinking: a greedy descent on the choices of an example, to a fixpoint.

Hypothesis shrinks what it drew itself. This serves corner rows, declared examples, replays, crashes and failures that
come and go alike, and works on the choices, where simpler is known.
"""

from __future__ import annotations

from itertools import combinations, permutations
from typing import TYPE_CHECKING, Any

from harness.generation.shapes import (
    SIMPLEST,
    Coordinate,
    coordinates,
    domain_of,
    legalise,
    mistake,
    scalar,
    with_values,
)
from harness.generation.sizes import Domain, UnsatisfiableError, choice_domain
from harness.generation.space import factors, without_overlap
from harness.portable.memory_format import MEMORY_FORMATS
from harness.portable.settings import USUAL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.core import Case, Example

SEEDS = 24
"""Seeds tried with everything at its simplest: filled `special`, a tensor of one element is NaN for one in eleven."""

FEW_SEEDS = 6
"""Seeds tried for every other smaller size."""


def shrink(case: Case, example: Example, fails: Callable[[Example], bool], attempts: int = 400) -> Example:
    """The simplest example that still fails, after at most `attempts` calls of `fails`.

    `example` is taken to fail. Every candidate is legal and none is tried twice; one that is not simpler is not taken,
    so the descent ends. Where the values matter, smaller sizes are tried with other seeds as well: they have other
    values anyway. Raises UserError where the example does not have the sizes of the case.
    """
    _check_sizes(case, example)
    descent = _Descent(case, example, fails, attempts)
    while descent.left > 0 and (descent.lap() or descent.try_other_seeds()):
        pass
    return descent.best


def _check_sizes(case: Case, example: Example) -> None:
    """An example written for an earlier form of the case has no choices to descend on."""
    lengths = {size.name: size.length for size in case.sizes}
    present = {
        name: len(value) if lengths.get(name) and isinstance(value, tuple) else 0
        for name, value in example.sizes.items()
    }
    if present != lengths:
        has, needs = ", ".join(map(str, example.sizes)), ", ".join(lengths)
        raise mistake(case, f"an example with the sizes {has} is not one of this case, which has {needs}")


class _Descent:
    """The best example so far, what has been tried, and how many attempts are left."""

    def __init__(self, case: Case, example: Example, fails: Callable[[Example], bool], attempts: int) -> None:
        self.case = case
        self.best = example
        self.left = attempts
        self._fails = fails
        self._tried = {example.to_json()}
        self._sizes = {size.name: size for size in case.sizes}

    def lap(self) -> bool:
        """Every step once; whether one of them made the example simpler."""
        before = self.best
        self._all_simplest()
        for at in coordinates(self.case):
            self._lower(at)
        self._options()
        self._layouts()
        for at, other in permutations(coordinates(self.case), 2):
            self._lower_both(at, other)
        for at, other in combinations(coordinates(self.case), 2):
            self._exchange(at, other)
        return self.best != before

    def try_other_seeds(self) -> bool:
        """Whether a smaller size fails with another seed; many are tried where values have a part in the failure."""
        simplest = dict.fromkeys(coordinates(self.case), SIMPLEST)
        if any(self._try_sizes(simplest, seed) for seed in range(FEW_SEEDS)):
            return True
        if not self._values_matter():
            return False
        changes: list[tuple[dict[Coordinate, Any], int]] = [(simplest, SEEDS)]
        for at in coordinates(self.case):
            allowed, value = self._domain(at), scalar(self.best.sizes, at)
            if not _is_simplest(allowed, value):
                changes += [({at: target}, FEW_SEEDS) for target in _lower_values(allowed, value)]
        return any(self._try_sizes(change, seed) for change, seeds in changes for seed in range(seeds))

    def _values_matter(self) -> bool:
        """Whether the example passes with some other seed. Few are tried: the failure may be a hang and cost time."""
        others = [seed for seed in range(FEW_SEEDS) if seed != self.best.seed][:3]
        return any(self._is_new(other) and not self._fails(other) for other in map(self._with_seed, others))

    def _with_seed(self, seed: int) -> Example:
        return self.best.but(seed=seed)

    def _try(self, candidate: Example) -> bool:
        if self._is_new(candidate) and self._fails(candidate):
            self.best = candidate
            return True
        return False

    def _is_new(self, candidate: Example) -> bool:
        """Whether the candidate may be tried, which counts as an attempt."""
        key = candidate.to_json()
        if self.left <= 0 or key in self._tried:
            return False
        self._tried.add(key)
        self.left -= 1
        return True

    def _try_sizes(self, changes: dict[Coordinate, Any], seed: int | None = None) -> bool:
        try:
            sizes = legalise(self.case, with_values(self.best.sizes, changes))
        except UnsatisfiableError:
            return False
        if any(scalar(sizes, at) != value for at, value in changes.items() if value is not SIMPLEST):
            return False  # a bound moved it back: not the candidate that was meant
        if sizes == self.best.sizes:
            return False
        return self._try(self.best.but(sizes=sizes, seed=self.best.seed if seed is None else seed))

    def _all_simplest(self) -> None:
        self._try_sizes(dict.fromkeys(coordinates(self.case), SIMPLEST))

    def _domain(self, at: Coordinate) -> Domain:
        try:
            return domain_of(self.case, self._sizes[at[0]], self.best.sizes)
        except UnsatisfiableError:  # the example itself is not legal: leave this size to the others
            return choice_domain((scalar(self.best.sizes, at),))

    def _lower(self, at: Coordinate) -> None:
        allowed, value = self._domain(at), scalar(self.best.sizes, at)
        if allowed.low is None:
            any(self._try_sizes({at: choice}) for choice in _before(allowed.values, value))
        elif value != allowed.simplest and not self._try_sizes({at: allowed.simplest}):
            self._bisect(at, allowed.simplest)
            self._step(at, allowed.simplest)

    def _bisect(self, at: Coordinate, passing: int) -> None:
        """Halve the distance to a value that passes, as if all between it and some failing value passed."""
        while abs(scalar(self.best.sizes, at) - passing) > 1:
            middle = (scalar(self.best.sizes, at) + passing) // 2
            if not self._try_sizes({at: middle}):
                passing = middle

    def _step(self, at: Coordinate, simplest: int) -> None:
        """Failures come in patterns: steps of a few and of a vector's length, and the least values one by one."""
        value = scalar(self.best.sizes, at)
        towards = 1 if simplest > value else -1
        near = [simplest - towards * step for step in (1, 2, 3, 4)]
        far = [value + towards * step for step in (16, 8, 4, 2, 1)]
        for target in (*near, *far):
            if abs(target - simplest) < abs(value - simplest) and self._try_sizes({at: target}):
                return

    def _lower_both(self, at: Coordinate, other: Coordinate) -> None:
        """Lower two sizes together: both to their simplest, by the same difference, or in the same ratio."""
        values = self.best.sizes
        first, second = scalar(values, at), scalar(values, other)
        lowest = self._domain(at), self._domain(other)
        if _is_simplest(lowest[0], first) or _is_simplest(lowest[1], second):
            return
        for target in _lower_values(lowest[0], first):
            partners = _partners(first, target, second, lowest[1].simplest)
            if any(self._try_sizes({at: target, other: partner}) for partner in partners):
                return

    def _exchange(self, at: Coordinate, other: Coordinate) -> None:
        """Of two sizes of a kind the last may be the larger: one of several examples that are equally small."""
        first, second = scalar(self.best.sizes, at), scalar(self.best.sizes, other)
        alike = self._sizes[at[0]].kind == self._sizes[other[0]].kind != "choice"
        if alike and first > second:
            self._try_sizes({at: second, other: first})

    def _options(self) -> None:
        """The usual settings, leave out optional tensors, in place off, one thread, the first fill, seed 0."""
        if self.best.setting != USUAL:
            self._try(self.best.but(setting=USUAL))
        for spec in self.case.tensors:
            if spec.optional and spec.name not in self.best.absent:
                kept = {name: layout for name, layout in self.best.layouts.items() if name != spec.name}
                out = tuple(each.name for each in self.case.tensors if each.name in (*self.best.absent, spec.name))
                self._try(self.best.but(layouts=kept, absent=out))
        if self.best.path != "plain":
            self._try(self.best.but(path="plain"))
        if self.best.inplace:
            self._try(self.best.but(inplace=False))
        if self.best.threads > 1:
            self._try(self.best.but(threads=1))
        any(self._try(self.best.but(fill=fill)) for fill in _before(self.case.fills, self.best.fill))
        any(self._try(self.best.but(seed=seed)) for seed in range(min(self.best.seed, 3)))

    def _layouts(self) -> None:
        for factor in factors(self.case, self.best.dtype):
            present = self.best.layouts.get(factor.name)
            if factor.kind != "layout" or present is None or factor.domain is None:
                continue
            for name in _simpler_layouts(factor.domain, present):
                names = without_overlap(self.case, {**self.best.layouts, factor.name: name}, self.best.inplace)
                if self._try(self.best.but(layouts=names)):
                    break


def _simpler_layouts(allowed: Domain, present: str) -> Iterator[str]:
    """The plain formats, then the other views before this one."""
    names = [name for name in _before(allowed.values, present) if name is not None]
    plain = [name for name in names if name in MEMORY_FORMATS]
    yield from (*plain, *(name for name in names if name not in plain))


def _before(values: tuple[Any, ...], value: Any) -> tuple[Any, ...]:
    """The values simpler than this one; all of them where it is not among them."""
    return values[: values.index(value)] if value in values else values


def _is_simplest(allowed: Domain, value: Any) -> bool:
    return type(value) is type(allowed.simplest) and bool(value == allowed.simplest)


def _lower_values(allowed: Domain, value: Any) -> list[Any]:
    """Targets for a joint step: a list's simpler values; a number's simplest, half of the way, and one step."""
    if allowed.low is None:
        return list(_before(allowed.values, value))
    simplest = allowed.simplest
    half, step = (value + simplest) // 2, value + (1 if simplest > value else -1)
    return list(dict.fromkeys(target for target in (simplest, half, step) if target != value))


def _partners(first: Any, target: Any, second: Any, simplest: Any) -> list[Any]:
    """What the second size becomes when the first goes to `target`; only lower values."""
    partners = [simplest]
    if all(isinstance(number, int) for number in (first, target, second, simplest)):
        moved = [second - (first - target), second * target // first if first else simplest]
        partners += [value for value in moved if abs(value - simplest) < abs(second - simplest)]
    return list(dict.fromkeys(partners))
