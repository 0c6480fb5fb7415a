"""From single facts to few lines: what agrees over shapes, dtypes and levels is written once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.golden.contract.layout_rule import LayoutRule
from harness.golden.contract.lines import LEVELS, Facts, Line

Cube = dict[tuple[str, str, str, str], LayoutRule]
"""Tensor, shape, dtype, level → law: all that is known of one case."""

_ORDER = ("call", "output", "buffer", "jvp", "grad")


@dataclass(frozen=True)
class Axes:
    """The names that exist of each kind, in the order in which lines name them."""

    shapes: Sequence[str]
    dtypes: Sequence[str]
    levels: Sequence[str] = LEVELS


def merged(lines: Iterable[Line], observed: Mapping[str, Facts], axes: Axes) -> tuple[Line, ...]:
    """The lines of a case after an update: what was observed, by dtype, and what was written of all the rest.

    All that was written of a dtype and level that were run is replaced, what was not run is kept.
    """
    run = {(dtype, level) for dtype, facts in observed.items() for _, _, level in facts}
    cube: Cube = {}
    for line in lines:
        for shape in line.shapes or axes.shapes:
            for dtype in line.dtypes or axes.dtypes:
                for level in line.levels or axes.levels:
                    if (dtype, level) not in run and dtype in axes.dtypes:
                        cube[line.tensor, shape, dtype, level] = line.layout_rule
    for dtype, facts in observed.items():
        cube |= {(tensor, shape, dtype, level): layout_rule for (tensor, shape, level), layout_rule in facts.items()}
    return tuple(collapsed(cube, axes))


def collapsed(cube: Cube, axes: Axes) -> Iterator[Line]:
    """Few lines that say the same, each a box of shapes, dtypes and levels; the same cube gives the same lines.

    The boxes are cut by shapes first, or by dtypes first, whichever gives fewer.
    """
    shapes = [*axes.shapes, *sorted({shape for _, shape, _, _ in cube} - set(axes.shapes))]
    for tensor in sorted({tensor for tensor, _, _, _ in cube}, key=_rank):
        layout_rules: dict[Names, LayoutRule] = {
            key[1:]: layout_rule for key, layout_rule in cube.items() if key[0] == tensor
        }
        names = (shapes, list(axes.dtypes), list(axes.levels))
        by_shape, by_dtype = _boxes(layout_rules, names, (0, 1, 2)), _boxes(layout_rules, names, (1, 2, 0))
        for box, layout_rule in by_shape if len(by_shape) <= len(by_dtype) else by_dtype:
            rest = [shape for shape in shapes if shape not in box[0]]
            named, others = (box[0], ()) if len(box[0]) <= len(rest) else (None, tuple(rest))
            yield Line(tensor, named, others, _some(box[1], axes.dtypes), _some(box[2], axes.levels), layout_rule)


Names = tuple[str, ...]
Boxes = list[tuple[tuple[Names, ...], LayoutRule]]


def _boxes(layout_rules: Mapping[Names, LayoutRule], names: Sequence[Sequence[str]], order: Sequence[int]) -> Boxes:
    """The laws as boxes, one tuple of names for each axis.

    Names of the first axis of `order` that agree in all else share a box; within it those of the second, and so on.
    """
    if not order:
        return [(((),) * len(names), layout_rule) for layout_rule in dict.fromkeys(layout_rules.values())]
    axis, *inner = order
    slices = {
        name: tuple((key, layout_rule) for key, layout_rule in _without(layout_rules, axis, name))
        for name in names[axis]
    }
    found: Boxes = []
    for content in dict.fromkeys(part for part in slices.values() if part):
        alike = tuple(name for name, part in slices.items() if part == content)
        for box, layout_rule in _boxes(dict(content), names, inner):
            found.append(((*box[:axis], alike, *box[axis + 1 :]), layout_rule))
    return found


def _without(layout_rules: Mapping[Names, LayoutRule], axis: int, name: str) -> Iterator[tuple[Names, LayoutRule]]:
    """The laws of one name, which is taken out of the keys."""
    for key, layout_rule in sorted(layout_rules.items(), key=lambda item: item[0]):
        if key[axis] == name:
            yield (*key[:axis], "", *key[axis + 1 :]), layout_rule


def _some(names: Sequence[str], every: Sequence[str]) -> tuple[str, ...] | None:
    return None if list(names) == list(every) else tuple(names)


def _rank(tensor: str) -> tuple[Any, ...]:
    """The call, outputs by number, then buffers and gradients by name."""
    kind = next((index for index, word in enumerate(_ORDER) if tensor.startswith(word)), len(_ORDER))
    number = re.search(r"\d+", tensor)
    return kind, int(number[0]) if number else 0, tensor
