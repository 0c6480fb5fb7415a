"""Strides and the memory format they stand for, after c10/core/MemoryFormat.h; all in elements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

Shape = tuple[int, ...]
Format = Literal["contiguous", "channels_last", "ambiguous"]

_CHANNELS_LAST: Final[dict[int, tuple[int, ...]]] = {4: (1, 3, 2, 0), 5: (1, 4, 3, 2, 0)}
"""The dimensions from the innermost outwards, for NCHW and NCDHW tensors."""


def contiguous_strides(shape: Shape) -> Shape:
    """The strides of a freshly made tensor of that shape."""
    return _dense(shape, range(len(shape) - 1, -1, -1))


def channels_last_strides(shape: Shape) -> Shape:
    """The strides of ``.to(memory_format=channels_last)``, or channels_last_3d; `shape` has rank 4 or 5."""
    return _dense(shape, _CHANNELS_LAST[len(shape)])


def agree(shape: Shape, strides: Shape, due: Shape) -> bool:
    """Whether the strides are equal over the dimensions larger than 1: those of others address nothing."""
    return all(size <= 1 or a == b for size, a, b in zip(shape, strides, due, strict=True))


def is_strides_like_channels_last(shape: Shape, strides: Shape) -> bool:
    """What `suggest_memory_format` asks, sizes of 1 included: c10's is_channels_last_strides_2d_s4 and _3d_s5."""
    if len(shape) not in _CHANNELS_LAST or strides[1] == 0:
        return False
    least = 0
    for dim in _CHANNELS_LAST[len(shape)]:
        if shape[dim] == 0 or strides[dim] < least:
            return False
        if dim == 0 and least == strides[1]:
            return False
        least = strides[dim] * max(shape[dim], 1)
    return True


def format_of(shape: Shape, strides: Shape) -> Format:
    """The memory format that no predicate of PyTorch can read otherwise; ``ambiguous`` where there is none such.

    Two readings must agree. By order: over the dimensions larger than 1, the strides nest in the one order and not in
    the other (a dense tensor, or one sliced or stepped out of a dense one); C == 1 and H == W == 1 nest in both, a
    permuted or expanded tensor in neither. By suggestion: `suggest_memory_format` reads the strides of dimensions of
    size 1 as well and takes views with N == 1 (``batch[i].unsqueeze(0)``) for contiguous, where `is_contiguous`
    says channels-last.
    """
    contiguous = _nests(shape, strides, range(len(shape) - 1, -1, -1))
    channels_last = len(shape) in _CHANNELS_LAST and _nests(shape, strides, _CHANNELS_LAST[len(shape)])
    suggested = is_strides_like_channels_last(shape, strides)
    if contiguous and not channels_last and not suggested:
        return "contiguous"
    return "channels_last" if channels_last and not contiguous and suggested else "ambiguous"


def _nests(shape: Shape, strides: Shape, order: Sequence[int]) -> bool:
    """Whether each dimension larger than 1 steps over all that lies within it."""
    least = 1
    for dim in order:
        if shape[dim] == 1:
            continue
        if strides[dim] < least:
            return False
        least = strides[dim] * shape[dim]
    return True


def _dense(shape: Shape, order: Sequence[int]) -> Shape:
    strides = [1] * len(shape)
    step = 1
    for dim in order:
        strides[dim] = step
        step *= max(shape[dim], 1)
    return tuple(strides)
