"""The memory formats: the strides that each means, and what can be read off the strides of a tensor. Python 3.8.

``channels_last`` stands for torch.channels_last at rank 4 and for torch.channels_last_3d at rank 5. Shapes and strides
are tuples of one number for each dimension, strides in elements.

From a format to strides there is one way, `dense_strides`. From strides to a format there are four, because PyTorch
itself asks four questions, and they differ where a dimension has size 1, or a tensor is a view:

| question | asked by | function |
|---|---|---|
| does it fill its memory in that order? | `Tensor.is_contiguous(memory_format=)` | `is_contiguous` |
| is it taken for channels-last? | c10's `suggest_memory_format` | `is_strides_like_channels_last` |
| in which order do its dimensions lie, gaps or not? | whoever looks at an image and says NHWC | `format_by_order` |
| which format is it, whoever asks? | the oracle of strides, which promises nothing else | `unambiguous_format` |
"""

from __future__ import annotations

from typing import Dict, Literal, Sequence, Tuple

Shape = Tuple[int, ...]
MemoryFormat = Literal["contiguous", "channels_last"]
FormatReading = Literal["contiguous", "channels_last", "ambiguous"]

MEMORY_FORMATS: Tuple[MemoryFormat, MemoryFormat] = ("contiguous", "channels_last")

_CHANNELS_LAST: Dict[int, Tuple[int, ...]] = {4: (1, 3, 2, 0), 5: (1, 4, 3, 2, 0)}
"""The dimensions from the innermost outwards, for NCHW and NCDHW tensors."""

CHANNELS_LAST_RANKS = tuple(_CHANNELS_LAST)
"""The ranks that have a channels-last format; any other tensor can only be contiguous."""


def dense_strides(memory_format: str, shape: Shape) -> Shape:
    """The strides of a new tensor of that format; contiguous where the rank has no channels-last.

    As PyTorch's `empty_tensor_restride`: a size of 0 counts as 1 in contiguous strides, and as 0 in channels-last.
    """
    strides = [1] * len(shape)
    step = 1
    order = _inner_to_outer(memory_format, len(shape))
    least = 0 if order != _inner_to_outer("contiguous", len(shape)) else 1
    for dim in order:
        strides[dim] = step
        step *= max(shape[dim], least)
    return tuple(strides)


def strides_agree(shape: Shape, strides: Shape, others: Shape) -> bool:
    """Whether two tensors' strides are equal over the dimensions larger than 1: those of others address nothing."""
    return all(size <= 1 or stride == other for size, stride, other in zip(shape, strides, others))


def is_contiguous(memory_format: str, shape: Shape, strides: Shape) -> bool:
    """`Tensor.is_contiguous(memory_format=)`: dimensions of size 1 count for nothing (c10/core/Contiguity.h)."""
    if memory_format == "contiguous" and 0 in shape:
        return True
    step = 1
    for dim in _inner_to_outer(memory_format, len(shape)):
        if shape[dim] != 1:
            if strides[dim] != step:
                return False
            step *= shape[dim]
    return True


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


def format_by_order(shape: Shape, strides: Shape) -> FormatReading:
    """The format in whose order the dimensions larger than 1 lie, gaps between them or not.

    ``ambiguous`` where both formats have that order (C == 1, or H == W == 1), where neither has, and where the rank has
    no channels-last.
    """
    if len(shape) not in _CHANNELS_LAST:
        return "ambiguous"
    large = [dim for dim, size in enumerate(shape) if size > 1]
    channels_last = [dim for dim in reversed(_CHANNELS_LAST[len(shape)]) if dim in large]
    order = sorted(large, key=lambda dim: -strides[dim])
    if large == channels_last or order not in (large, channels_last):
        return "ambiguous"
    return "contiguous" if order == large else "channels_last"


def unambiguous_format(shape: Shape, strides: Shape) -> FormatReading:
    """The memory format that no predicate of PyTorch can read otherwise; ``ambiguous`` where there is none such.

    Two readings must agree. By order: over the dimensions larger than 1, the strides nest in the one order and not in
    the other (a dense tensor, or one sliced or stepped out of a dense one); C == 1 and H == W == 1 nest in both, a
    permuted or expanded tensor in neither. By suggestion: `suggest_memory_format` reads the strides of dimensions of
    size 1 as well and takes views with N == 1 (``batch[i].unsqueeze(0)``) for contiguous, where `is_contiguous`
    says channels-last.
    """
    contiguous = _nests(shape, strides, _inner_to_outer("contiguous", len(shape)))
    channels_last = len(shape) in _CHANNELS_LAST and _nests(shape, strides, _CHANNELS_LAST[len(shape)])
    suggested = is_strides_like_channels_last(shape, strides)
    if contiguous and not channels_last and not suggested:
        return "contiguous"
    return "channels_last" if channels_last and not contiguous and suggested else "ambiguous"


def _inner_to_outer(memory_format: str, rank: int) -> Tuple[int, ...]:
    """The dimensions from the innermost outwards."""
    plain = tuple(range(rank - 1, -1, -1))
    return _CHANNELS_LAST.get(rank, plain) if memory_format == "channels_last" else plain


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
