"""The layouts of drawn examples, which tell formats apart: an example that lies as its contiguous run is that twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from harness.core import Case, Example
from harness.core.example import GRAD_OUTPUT
from harness.generation.shapes import shapes
from harness.generation.space import Factor, without_overlap
from harness.portable.layouts import CHANNELS_INNERMOST, placement
from harness.portable.memory_format import dense_strides

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.generation.sizes import Domain

Shape = tuple[int, ...]

OF_ONES: Final = (":odd", ":image", ":loaded")
"""The views whose dimensions of size 1, and no others, have strides that are those of neither format."""


def layout_pool(factor: Factor, allowed: Domain) -> tuple[str | None, ...]:
    """What a layout is drawn from. Plain formats take their share beside the many views.

    The first tensor is seldom plain contiguous: what an operator does with contiguous input in both runs says nothing
    about memory formats. Views that differ in the strides of dimensions of size 1 alone come twice: nobody reads those
    strides but the code that tells the formats apart, and it has to guess.
    """
    views = tuple(name for name in allowed.values if name is not None and ":" in name)
    views += tuple(name for name in views if name.endswith(OF_ONES))
    share = max(1, len(views) // 8)
    # Hypothesis extends some prefixes with index 0 throughout: that is channels-last where there is such a thing.
    last = tuple(name for name in CHANNELS_INNERMOST if name in allowed.values)
    pool: tuple[str | None, ...] = last * 4 * share
    pool += ("contiguous",) * (share if factor.primary else 3 * share) + views
    return pool + (None,) * (len(pool) // 3) if None in allowed.values else pool


def has_own_layout(case: Case, example: Example) -> bool:
    """Whether some tensor lies otherwise than in the contiguous run: in other strides, or at another alignment.

    The strides of dimensions of size 1 count, off which PyTorch reads a memory format too. `grad_output`, whose shape
    is that of the output, is taken to have the first tensor's; only a plain run uses it.
    """
    extents = shapes(case, example)
    if GRAD_OUTPUT in example.layouts and example.path == "plain":
        extents[GRAD_OUTPUT] = next(iter(extents.values()), ())
    return any(_is_own(example.layouts[name], shape) for name, shape in extents.items())


def with_own_layout(case: Case, free: Sequence[Factor], example: Example) -> Example:
    """The example or, where all of it lies as in the contiguous run, the same with another layout of one tensor.

    That is the first tensor for which the case draws a layout that differs at this shape. The example's seed selects
    among those, each with its share of the draws. Where there is no such tensor it is the example after all.
    """
    if has_own_layout(case, example):
        return example
    extents = shapes(case, example)
    for factor in free:
        shape = extents.get(factor.name) if factor.kind == "layout" else None
        pool = [] if shape is None else list(_own_layouts(case, factor, example, shape))
        if pool:
            return example.but(layouts={**example.layouts, factor.name: pool[example.seed % len(pool)]})
    return example


def _own_layouts(case: Case, factor: Factor, example: Example, shape: Shape) -> Iterator[str]:
    assert factor.domain is not None  # noqa: S101 - layouts have one
    for name in layout_pool(factor, factor.domain):
        if name is not None and _is_own(name, shape):
            layouts = {**example.layouts, factor.name: name}
            if without_overlap(case, layouts, example.inplace) == layouts:
                yield name


def _is_own(layout: str, shape: Shape) -> bool:
    strides, offset, _ = placement(layout, shape)
    return offset > 0 or strides != dense_strides("contiguous", shape)
