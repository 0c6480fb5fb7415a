"""The neighbours of an example: the legal examples that differ from it in one choice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from harness.core import Case, Example
from harness.core.case import RARE_PATHS
from harness.generation.shapes import Coordinate, coordinates, domain_of, legalise, scalar, with_values
from harness.generation.sizes import Domain, UnsatisfiableError
from harness.generation.space import THREADS, factors, without_overlap


@dataclass(frozen=True)
class Neighbour:
    """An example in which one choice is another. `name` is what a known issue's condition calls the choice.

    That is ``W``, ``stride[1]``, ``layout_input``, ``has_bias``, ``fill``, ``threads``, ``setting``, ``inplace`` or
    ``path``. `value` is what it is in this example.
    """

    name: str
    value: Any
    example: Example


def neighbours(case: Case, example: Example) -> Iterator[Neighbour]:
    """Each size one up and down, at its simplest and at the corners around it; every other layout, fill and the like.

    An optional tensor comes and goes, and what comes is contiguous. Where the case allows no single size to change,
    because another would have to follow, that neighbour is left out.
    """
    for at in coordinates(case):
        yield from _size_neighbours(case, example, at)
    yield from _layout_neighbours(case, example)
    yield from _run_neighbours(case, example)


def _size_neighbours(case: Case, example: Example, at: Coordinate) -> Iterator[Neighbour]:
    name, position = at
    size = next(size for size in case.sizes if size.name == name)
    value = scalar(example.sizes, at)
    try:
        allowed = domain_of(case, size, example.sizes)
    except UnsatisfiableError:  # an example written down before the case was changed
        return
    for other in _values_around(allowed, value):
        wanted = with_values(example.sizes, {at: other})
        try:
            sizes = legalise(case, wanted)
        except UnsatisfiableError:
            continue
        if sizes == wanted:
            yield Neighbour(name if position < 0 else f"{name}[{position}]", other, example.but(sizes=sizes))


def _values_around(allowed: Domain, value: Any) -> list[Any]:
    """Other values that a size may have; of a number those beside it, its simplest, and the next corner either way.

    A batch of none is left out: of a tensor without elements nothing but its shape can be wrong.
    """
    if allowed.low is None:
        return [other for other in allowed.values if repr(other) != repr(value)]
    below = [corner for corner in allowed.corners if corner < value]
    above = [corner for corner in allowed.corners if corner > value + 1]
    near = [allowed.simplest, *([max(below)] if below else []), value - 1, value + 1, *([min(above)] if above else [])]
    return [other for other in dict.fromkeys(near) if other != value and not (other == 0 and allowed.empty)]


def _layout_neighbours(case: Case, example: Example) -> Iterator[Neighbour]:
    for factor in factors(case, example.dtype):
        if factor.kind != "layout" or factor.domain is None:
            continue
        name, present = factor.name, example.layouts.get(factor.name)
        if None in factor.domain.values:
            yield Neighbour(f"has_{name}", present is None, _with_layout(case, example, name, present))
        for layout in factor.domain.values if present is not None else ():
            layouts = without_overlap(case, {**example.layouts, name: layout or ""}, example.inplace)
            if layout is not None and layouts[name] == layout != present:
                yield Neighbour(f"layout_{name}", layout, example.but(layouts=layouts))


def _with_layout(case: Case, example: Example, name: str, present: str | None) -> Example:
    """The example without the tensor of that name, or with it where it was absent."""
    order = [spec.name for spec in case.tensors]
    if present is None:
        absent = tuple(other for other in example.absent if other != name)
        return example.but(absent=absent, layouts={**example.layouts, name: "contiguous"})
    absent = tuple(sorted((*example.absent, name), key=order.index))
    return example.but(absent=absent, layouts={key: each for key, each in example.layouts.items() if key != name})


def _run_neighbours(case: Case, example: Example) -> Iterator[Neighbour]:
    choices: dict[str, tuple[Any, ...]] = {"fill": case.fills, "threads": THREADS, "setting": case.every_setting}
    if not example.inplace:
        choices["path"] = tuple(path for path in case.paths_in(example.dtype) if path not in RARE_PATHS)
    if case.inplace is not None and example.path == "plain":
        choices["inplace"] = (False, True)
    for name, values in choices.items():
        others = (value for value in values if value != getattr(example, name))
        yield from (Neighbour(name, value, example.but(**{name: value})) for value in others)
