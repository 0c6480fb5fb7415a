"""The corner phase: a covering array over the corner values of all the factors of a case."""

from __future__ import annotations

from itertools import combinations, islice, product
from typing import TYPE_CHECKING

from harness.core.case import RARE_PATHS, SELDOM_PATHS
from harness.generation.covering import load_covering_array
from harness.generation.shapes import shape_of, unsatisfiable_mistake
from harness.generation.sizes import Domain, UnsatisfiableError
from harness.generation.space import Factor, Pick, assemble, factors, is_apart

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from harness.core import Case, Example

_TELLING = ("channels_last", "channels_last:slice_c")  # layouts that tell a format from the contiguous one
_REPAIRS = 300  # alternatives tried for a row that breaks a constraint


def corner_examples(case: Case, dtype: str, strength: int = 2, directory: Path | None = None) -> list[Example]:
    """Examples in which every `strength` factors take every combination of their corners, simplest first.

    Deterministic, without duplicates. Dependent sizes are resolved row by row, so a corner is relative to its bounds;
    the element budget then wins over a corner, and a row that breaks `require` is repaired by moving one or two sizes
    to other corners, or dropped. Arrays are read from `directory`, or written there: one of 25 factors takes
    half a second for pairs and a minute for triples. Raises UserError naming the case where no row is left.
    """
    free = factors(case, dtype)
    examples: dict[str, Example] = {}
    problem = ""
    for seed, row in enumerate(_rows(tuple(factor.count for factor in free), strength, directory)):
        try:
            example = _repair(case, dtype, free, row, seed)
        except UnsatisfiableError as error:
            problem = str(error)
        else:
            examples.setdefault(example.json_without_seed(), example)
    if not examples:
        raise unsatisfiable_mistake(case, problem)
    rows = list(examples.values())
    return [
        *rows,
        *_empty_rows(case, rows),
        *_path_rows(case, case.paths_in(dtype)[1:], rows),
        *_setting_rows(case, rows),
    ]


def _empty_rows(case: Case, rows: Sequence[Example]) -> Iterator[Example]:
    """For each size that may be 0, a simple row and one from the middle with it: enough for what emptiness shows."""
    for size in case.sizes:
        if size.empty:
            chosen = [rows[index] for index in dict.fromkeys((len(rows) // 8, len(rows) // 2))]
            emptied = [row.but(sizes={**row.sizes, size.name: 0}) for row in chosen]
            yield from emptied
            if "meta" in case.paths:  # which refuses what the kernel returns before it looks
                yield emptied[-1].but(path="meta", inplace=False)


def _setting_rows(case: Case, rows: Sequence[Example]) -> Iterator[Example]:
    """Each setting with a row of its own and one from the middle: what a setting turns off it turns off everywhere."""
    for index, setting in enumerate(case.settings):
        for row in dict.fromkeys(((index + 1) % len(rows), (len(rows) // 2 + index) % len(rows))):
            yield rows[row].but(setting=setting)


def _path_rows(case: Case, paths: Sequence[str], rows: Sequence[Example]) -> Iterator[Example]:
    """Each other way to run the call with each layout that the first tensor has in the rows: the pair that matters.

    The paths are no factor of the array, of which most rows would then be without gradients. Where a row can tell the
    layout from its plain format that one is taken. A path that is a variant of another, or reads a cache, goes with two
    layouts, and what is compiled for each case with one, in the rows that are least simple.
    """
    first = next(iter(rows[0].layouts), "")
    by_layout: dict[str, list[Example]] = {}
    for row in rows:
        if not row.inplace:
            by_layout.setdefault(row.layouts.get(first, ""), []).append(row)
    telling = _rows_that_tell(case, by_layout) if paths else {}
    for index, path in enumerate(paths):
        if path in (*RARE_PATHS, *SELDOM_PATHS):
            layouts = _TELLING[: 1 if path == "compile" else None]
            yield from (by_layout[name][-1].but(path=path) for name in layouts if name in by_layout)
            continue
        yield from (group[(index + 1) % len(group)].but(path=path) for group in telling.values())


def _rows_that_tell(case: Case, by_layout: Mapping[str, list[Example]]) -> dict[str, list[Example]]:
    """For each layout of the first tensor the rows in which it is apart from its plain format; all where none is."""
    first = case.tensors[0]
    return {
        layout: [row for row in group if is_apart(layout, shape_of(case, first, row.sizes))] or group
        for layout, group in by_layout.items()
    }


def _repair(case: Case, dtype: str, free: tuple[Factor, ...], row: tuple[int, ...], seed: int) -> Example:
    """The example of the row, or of the first row nearby that is legal. Raises the row's own UnsatisfiableError."""
    try:
        return assemble(case, dtype, free, corner_pick(free, row), seed)
    except UnsatisfiableError as error:
        for other in islice(_nearby_rows(free, row), _REPAIRS):
            try:
                return assemble(case, dtype, free, corner_pick(free, other), seed)
            except UnsatisfiableError:
                continue
        raise error from None


def _nearby_rows(free: tuple[Factor, ...], row: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """Rows with one size, then two sizes, at another corner."""
    sizes = [index for index, factor in enumerate(free) if factor.kind == "size"]
    for moved in (1, 2):
        for indices in combinations(reversed(sizes), moved):
            for corners in product(*(range(free[index].count) for index in indices)):
                changes = dict(zip(indices, corners, strict=True))
                yield tuple(changes.get(index, corner) for index, corner in enumerate(row))


def corner_pick(free: tuple[Factor, ...], row: Sequence[int]) -> Pick:
    """A pick of the corners that the row names, factor by factor."""
    corners = {(factor.kind, factor.name, factor.position): corner for factor, corner in zip(free, row, strict=True)}

    def pick(factor: Factor, allowed: Domain) -> object:
        """The corner of that index among those that the factors before it allow."""
        return allowed.corner(corners[factor.kind, factor.name, factor.position])

    return pick


def _rows(counts: tuple[int, ...], strength: int, directory: Path | None) -> list[tuple[int, ...]]:
    """Rows of corner indices, the sum of which grows: simple rows come first.

    The array is computed for the sorted counts, so that cases that differ in the order of their factors share it.
    """
    order = sorted(range(len(counts)), key=lambda index: -counts[index])
    rows = load_covering_array(tuple(counts[index] for index in order), strength, directory)
    restored = [tuple(corner for _, corner in sorted(zip(order, row, strict=True))) for row in rows]
    return sorted(restored, key=lambda row: (sum(row), row))
