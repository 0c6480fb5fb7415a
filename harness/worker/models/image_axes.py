"""What each dimension of a tensor is of an image, followed through views: batch, channels, or pixels.

A dimension is a product of atoms, as einops has it: ``flatten(2)`` of an image has the pixels of two dimensions in one,
``unflatten`` has them apart again. With this known, a memory format can be told of any view of an image: after
``permute(0, 2, 3, 1)`` contiguous strides are what channels-last was before.
"""

from __future__ import annotations

from typing import List, NamedTuple, Sequence, Tuple

BATCH, CHANNELS, PIXELS = "N", "C", "P"


class Atom(NamedTuple):
    """A factor of a dimension: `part` is BATCH, CHANNELS or PIXELS, `size` how many."""

    part: str
    size: int


Dimension = Tuple[Atom, ...]
Axes = Tuple[Dimension, ...]
"""A dimension of size 1 that a reshape put there has no atoms."""


def image_axes(shape: Sequence[int]) -> Axes:
    """The axes of an image or a volume: (N, C, pixels...)."""
    parts = [BATCH, CHANNELS, *[PIXELS] * (len(shape) - 2)]
    return tuple((Atom(part, size),) for part, size in zip(parts, shape))


def parts_of(dimension: Dimension) -> List[str]:
    """The parts of an image that a dimension has, each once."""
    return list(dict.fromkeys(atom.part for atom in dimension))


def is_image(axes: Axes) -> bool:
    """Whether the dimensions stand as a convolution takes them: batch (of windows too), channels, pixels."""
    if len(axes) not in (4, 5):
        return False
    return (
        CHANNELS not in parts_of(axes[0])
        and PIXELS not in parts_of(axes[1])
        and all(part == PIXELS for dimension in axes[2:] for part in parts_of(dimension))
    )


def has_pixels(axes: Axes) -> bool:
    """Whether a dimension is of pixels: what is pooled and flattened for a linear layer has none."""
    return any(PIXELS in parts_of(dimension) for dimension in axes)


def has_sides(axes: Axes) -> bool:
    """Whether the sides of the image are dimensions of their own: of tokens, (N, pixels, C), they are one."""
    return sum(PIXELS in parts_of(dimension) for dimension in axes) > 1


def memory_format(axes: Axes, strides: Sequence[int]) -> str:
    """``nhwc`` where the channels are innermost, ``nchw`` where all pixels are; ``either`` or ``other`` else.

    A dimension that is expanded (stride 0) takes no part.
    """
    outermost_first = sorted(range(len(axes)), key=lambda index: (-strides[index], index))
    order = [atom.part for index in outermost_first if strides[index] for atom in axes[index] if atom.size > 1]
    telling = "".join(part for part in order if part != BATCH)
    channels, pixels = telling.count(CHANNELS), telling.count(PIXELS)
    if not channels or not pixels:
        return "either"
    if telling == PIXELS * pixels + CHANNELS * channels:
        return "nhwc"
    return "nchw" if telling == CHANNELS * channels + PIXELS * pixels else "other"


def reshape_axes(axes: Axes, shape: Sequence[int]) -> Axes | None:
    """The axes after a reshape, which keeps the order of all elements; None where factors do not go into each other.

    A dimension in which channels and pixels are one (an image flattened for a linear layer) is no image's any more.
    """
    atoms = [atom for dimension in axes for atom in dimension if atom.size > 1]
    result: List[Dimension] = []
    for whole in shape:
        dimension: List[Atom] = []
        size = whole
        while size > 1:
            if not atoms:
                return None
            atom = atoms.pop(0)
            if atom.size > size:
                if atom.size % size:
                    return None
                atoms.insert(0, Atom(atom.part, atom.size // size))
                atom = Atom(atom.part, size)
            if size % atom.size:
                return None
            size //= atom.size
            dimension.append(atom)
        if {CHANNELS, PIXELS} <= set(parts_of(tuple(dimension))):
            return None
        result.append(tuple(dimension))
    return None if atoms else tuple(result)


def of_view(axes: Axes, whole: Sequence[Tuple[int, int]], view: Sequence[Tuple[int, int]]) -> Axes | None:
    """The axes of a view that permutes, selects or narrows dimensions, by the strides; None where these do not say.

    `whole` and `view` are (size, stride) of each dimension.
    """
    result: List[Dimension] = []
    left = list(range(len(whole)))
    for size, stride in view:
        if size == 1:
            result.append(())
            continue
        index = next((index for index in left if whole[index][1] == stride and whole[index][0] >= size), None)
        if index is None:
            return None
        left.remove(index)
        dimension = resize_dimension(axes[index], whole[index][0], size)
        if dimension is None:
            return None
        result.append(dimension)
    return tuple(result)


def resize_axes(axes: Axes, before: Sequence[int], after: Sequence[int]) -> Axes | None:
    """The axes of a tensor of as many dimensions, some of other sizes: concatenated, cut, padded or summed over."""
    result = [resize_dimension(*parts) for parts in zip(axes, before, after)]
    dimensions = [dimension for dimension in result if dimension is not None]
    return tuple(dimensions) if len(dimensions) == len(result) else None


def resize_dimension(dimension: Dimension, before: int, after: int) -> Dimension | None:
    """The same dimension in another size; None where it has several parts of an image, or none."""
    if before == after:
        return dimension
    parts = parts_of(dimension)
    return (Atom(parts[0], after),) if len(parts) == 1 else None
