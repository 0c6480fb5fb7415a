"""Sizes in which every two of the choices that an operator is handed as arguments take every pair of their values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from harness.core import Case, Expression, Size
from harness.generation.covering import covering_array
from harness.generation.shapes import domain_of, legalise
from harness.generation.sizes import UnsatisfiableError

MOST_CORNERS: Final = 3
"""Corners of a range that take part: its simplest, and those beside it. Of a list of choices all take part."""


class _Choice(NamedTuple):
    """A size, the place in its tuple (-1 where it is none), and the values that it takes there."""

    name: str
    place: int
    values: tuple[Any, ...]


def argument_rows(case: Case, plain: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Legal sizes, `plain` or near it in all that is no argument, each once; none where no argument has a choice.

    A pair that the case's bounds or its `require` do not allow is not there, and one of values that depend on other
    sizes may come out as its neighbour.
    """
    try:
        base = legalise(case, plain)
    except UnsatisfiableError:
        return []
    names = _argument_names(case)
    choices = [choice for size in case.sizes if size.name in names for choice in _choices(case, size, base)]
    rows: dict[str, dict[str, Any]] = {}
    for row in covering_array(tuple(len(choice.values) for choice in choices), 2) if choices else ():
        try:
            sizes = legalise(case, {**plain, **_sizes_of_row(base, choices, row)})
        except UnsatisfiableError:
            continue
        rows.setdefault(str(sorted(sizes.items())), sizes)
    return list(rows.values())


def _argument_names(case: Case) -> frozenset[str]:
    """The sizes that stand in arguments, or in what makes the module; not those of shapes alone."""
    module = () if case.module is None else (case.module.train, *case.module.init.values())
    values = (*case.by_position, *case.arguments.values(), *module)
    return frozenset(name for value in values for name in _names(value))


def _names(value: Any) -> Iterator[str]:
    if isinstance(value, Expression):
        yield from value.names
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _names(part)


def _choices(case: Case, size: Size, base: Mapping[str, Any]) -> Iterator[_Choice]:
    """What the size may be, once for each place; nothing for the extent of an image, which is no choice of a caller."""
    if size.kind not in ("choice", "range"):
        return
    domain = domain_of(case, size, base)
    values = domain.values if size.kind == "choice" else domain.corners[:MOST_CORNERS]
    yield from (_Choice(size.name, place, tuple(values)) for place in (range(size.length) if size.length else (-1,)))


def _sizes_of_row(base: Mapping[str, Any], choices: Sequence[_Choice], row: Sequence[int]) -> dict[str, Any]:
    """The sizes that the row has other values for, by name."""
    sizes: dict[str, Any] = {}
    for choice, index in zip(choices, row, strict=True):
        value = choice.values[index]
        if choice.place >= 0:
            parts = [*sizes.get(choice.name, base[choice.name])]
            parts[choice.place] = value
            value = tuple(parts)
        sizes[choice.name] = value
    return sizes
