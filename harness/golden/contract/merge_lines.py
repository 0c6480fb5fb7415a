"""From single facts to few lines: what agrees over shapes, dtypes and levels is written once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from harness.golden.contract.layout_rule import LayoutRule
from harness.golden.contract.line import LEVELS, ContractLine, Facts
from harness.golden.release import ReleaseRange, split_ranges
from harness.portable.tensor_name import TensorKind, kind_of

FactKey = tuple[str, str, str, str]
"""Tensor, shape, dtype, level."""

FactTable = dict[FactKey, LayoutRule]
"""All that is known of one case in one release."""

_ORDER: Final = (TensorKind.CALL, TensorKind.OUTPUT, TensorKind.BUFFER, TensorKind.TANGENT, TensorKind.GRADIENT)


@dataclass(frozen=True)
class Axes:
    """The names that exist of each kind, in the order in which lines name them."""

    shapes: Sequence[str]
    dtypes: Sequence[str]
    levels: Sequence[str] = LEVELS


def merge_lines(
    lines: Iterable[ContractLine], observed: Mapping[str, Facts], axes: Axes, release: str, others: Iterable[str] = ()
) -> tuple[ContractLine, ...]:
    """The lines of a case after an update: what was observed, by dtype, and what was written of all the rest.

    All that was written of a dtype and level that were run is replaced for that `release`, what was not run is kept.
    What is the same in it and in all `others` that were observed before is one line.
    """
    before = list(lines)
    tables = {
        other: dict(_line_facts((line for line in before if line.releases.covers(other)), axes))
        for other in (*others, release)
    }
    run = {(dtype, level) for dtype, facts in observed.items() for _, _, level in facts}
    kept = {key: rule for key, rule in tables[release].items() if key[2:] not in run}
    for dtype, facts in observed.items():
        kept |= {(tensor, shape, dtype, level): rule for (tensor, shape, level), rule in facts.items()}
    tables[release] = kept
    merged = [
        replace(line, releases=releases)
        for releases, table in _tables_by_range(tables, axes)
        for line in fewest_lines(table, axes)
    ]
    return tuple(sorted(merged, key=lambda line: _rank(line.tensor)))


def _tables_by_range(tables: Mapping[str, FactTable], axes: Axes) -> Iterator[tuple[ReleaseRange, FactTable]]:
    """The facts by the releases of which they are true, what holds in all of them first.

    Of a dtype and level of which a release has no fact it says nothing: the build has not got it.
    """
    present = {release: {key[2:] for key in table} for release, table in tables.items()}
    by_range: dict[ReleaseRange, FactTable] = {}
    for key in dict.fromkeys(key for table in tables.values() for key in table if key[2] in axes.dtypes):
        rules = {release: table.get(key) for release, table in tables.items() if key[2:] in present[release]}
        for releases, rule in split_ranges(rules):
            if rule is not None:
                by_range.setdefault(releases, {})[key] = rule
    yield from sorted(by_range.items(), key=lambda item: item[0].specifier)


def _line_facts(lines: Iterable[ContractLine], axes: Axes) -> Iterator[tuple[FactKey, LayoutRule]]:
    """What the lines say, one fact at a time; of shapes that are not among the axes only where they are named."""
    for line in lines:
        for shape in line.shapes or axes.shapes:
            for dtype in line.dtypes or axes.dtypes:
                for level in line.levels or axes.levels:
                    yield (line.tensor, shape, dtype, level), line.rule


def fewest_lines(table: FactTable, axes: Axes) -> Iterator[ContractLine]:
    """Few lines that say the same, each a box of shapes, dtypes and levels; the same table gives the same lines.

    The boxes are cut by shapes first, or by dtypes first, whichever gives fewer.
    """
    shapes = [*axes.shapes, *sorted({shape for _, shape, _, _ in table} - set(axes.shapes))]
    names = (shapes, list(axes.dtypes), list(axes.levels))
    for tensor in sorted({tensor for tensor, _, _, _ in table}, key=_rank):
        rules: dict[Names, LayoutRule] = {key[1:]: rule for key, rule in table.items() if key[0] == tensor}
        by_shape, by_dtype = _boxes(rules, names, (0, 1, 2)), _boxes(rules, names, (1, 2, 0))
        for box, rule in by_shape if len(by_shape) <= len(by_dtype) else by_dtype:
            rest = [shape for shape in shapes if shape not in box[0]]
            named, others = (box[0], ()) if len(box[0]) <= len(rest) else (None, tuple(rest))
            dtypes, levels = _none_if_all(box[1], axes.dtypes), _none_if_all(box[2], axes.levels)
            yield ContractLine(tensor, named, others, dtypes, levels, rule)


Names = tuple[str, ...]
Boxes = list[tuple[tuple[Names, ...], LayoutRule]]


def _boxes(rules: Mapping[Names, LayoutRule], names: Sequence[Sequence[str]], order: Sequence[int]) -> Boxes:
    """The rules as boxes, one tuple of names for each axis.

    Names of the first axis of `order` that agree in all else share a box; within it those of the second, and so on.
    """
    if not order:
        return [(((),) * len(names), rule) for rule in dict.fromkeys(rules.values())]
    axis, *inner = order
    slices = {name: tuple(_rules_of_name(rules, axis, name)) for name in names[axis]}
    boxes: Boxes = []
    for content in dict.fromkeys(part for part in slices.values() if part):
        alike = tuple(name for name, part in slices.items() if part == content)
        for box, rule in _boxes(dict(content), names, inner):
            boxes.append(((*box[:axis], alike, *box[axis + 1 :]), rule))
    return boxes


def _rules_of_name(rules: Mapping[Names, LayoutRule], axis: int, name: str) -> Iterator[tuple[Names, LayoutRule]]:
    """The rules of one name, which is taken out of the keys."""
    for key, rule in sorted(rules.items(), key=lambda item: item[0]):
        if key[axis] == name:
            yield (*key[:axis], "", *key[axis + 1 :]), rule


def _none_if_all(names: Sequence[str], every: Sequence[str]) -> Names | None:
    """The names as a line has them: None stands for every one that there is."""
    return None if list(names) == list(every) else tuple(names)


def _rank(tensor: str) -> tuple[int, int, str]:
    """The call first, then outputs, buffers, tangents and gradients, each by number and by name."""
    kind = kind_of(tensor)
    number = re.search(r"\d+", tensor)
    return _ORDER.index(kind) if kind in _ORDER else len(_ORDER), int(number[0]) if number else 0, tensor
