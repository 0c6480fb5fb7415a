"""Layouts: where the elements of a tensor lie in its buffer, by name. Standard library only, Python 3.8 on.

A name is ``<format>`` or ``<format>:<view>``. The format is that of the base buffer; the view is what code does to
the base to get the tensor. A view that does not apply to a shape leaves the plain format, so that any name can be
placed for any shape. Strides, offsets and lengths are in elements.
"""

from __future__ import annotations

from typing import Dict, Tuple

from .memory_format import CHANNELS_LAST_RANKS, MEMORY_FORMATS, dense_strides, is_contiguous

Placement = Tuple[Tuple[int, ...], int, int]
"""Strides, storage offset and buffer length."""

AXES: Dict[int, str] = {1: "c", 2: "nc", 3: "ncw", 4: "nchw", 5: "ncdhw"}
"""The dimensions' letters by rank. A rank that is not here has no named dimension, so no slices and steps."""

VIEWS: Dict[str, str] = {
    "offset": "starts one element into its buffer",
    "as_contiguous": "what .contiguous(memory_format=) gives: it leaves ambiguous shapes as they are",
    "slice_w": "base[..., 1:], the base one wider",
    "slice_h": "base[:, :, 1:], the base one higher",
    "slice_d": "base[:, :, 1:] of five dimensions, the base one deeper",
    "slice_c": "base[:, 1:1+C] of C + 3 channels",
    "batch_slice": "batch[1:1+N] of N + 2 images",
    "image": "batch[1].unsqueeze(0) of three images",
    "loaded": "hwc.permute(2, 0, 1), an image as it is loaded; in channels-last with .unsqueeze(0)",
    "step_w": "base[..., ::2]",
    "step_h": "base[:, :, ::2]",
    "step_d": "base[:, :, ::2] of five dimensions",
    "step_c": "base[:, ::2]",
    "odd": "strides of dimensions of size 1 that nothing constrains",
    "permuted": "stored with its dimensions in reversed order",
    "expand_n": "one image expanded over the batch: stride 0",
}
"""Each view, simplest first, and the code that makes it."""

CHANNELS_INNERMOST: Tuple[str, str] = ("channels_last", "contiguous:loaded")
"""The dense layouts in which the channels are innermost: of what has a batch axis, and of what has none."""

_CHANNELS_LAST_ONLY = ("as_contiguous",)  # of a contiguous base it would be the plain format
_CONTIGUOUS_ONLY = ("permuted",)  # reversed dimensions are neither format

LAYOUTS: Tuple[str, ...] = (
    *MEMORY_FORMATS,
    *(f"contiguous:{view}" for view in VIEWS if view not in _CHANNELS_LAST_ONLY),
    *(f"channels_last:{view}" for view in VIEWS if view not in _CONTIGUOUS_ONLY),
)
"""Every name that an example may give. Which of them differ from each other depends on the tensor's rank."""

_EXTRA = {"c": 3, "d": 1, "h": 1, "w": 1}  # three extra channels leave no channel of the slice aligned to 4 or 8
_ODD_STRIDES = (7, 0, 1, 5, 3)  # by dimension; a stride on a dimension of size 1 is never multiplied by anything


def names_for(rank: int, channels_last: bool, inplace: bool = False, unbatched: bool = False) -> tuple[str, ...]:
    """The layouts that differ from each other for tensors of that rank, simplest first.

    `channels_last` adds that format (rank 4 and 5 only have it); `inplace` leaves out tensors whose elements overlap.
    `unbatched` adds an image (rank 3) or a volume (rank 4) that was loaded and has no batch axis.
    """
    both = channels_last and rank in CHANNELS_LAST_RANKS
    names: list[str] = [*MEMORY_FORMATS] if both else [*MEMORY_FORMATS[:1]]
    for view in VIEWS:
        if unbatched and view == "loaded":
            names.append("contiguous:loaded")
        if not _has_view(view, rank) or (inplace and view == "expand_n"):
            continue
        if view not in (*_CHANNELS_LAST_ONLY, "loaded"):
            names.append("contiguous:" + view)
        if both and view not in _CONTIGUOUS_ONLY:
            names.append("channels_last:" + view)
    return tuple(names)


def _has_view(view: str, rank: int) -> bool:
    """Whether the view does anything to tensors of that rank."""
    if view in ("as_contiguous", "image", "loaded"):
        return rank in CHANNELS_LAST_RANKS
    least = {"offset": 0, "odd": 0, "permuted": 2}.get(view)
    return _letter(view) in AXES.get(rank, "") if least is None else rank >= least


def _letter(view: str) -> str:
    """The letter of the dimension that a view works on: ``slice_w`` and ``step_w`` on w, the batch views on n."""
    return "n" if view == "batch_slice" else view[-1]


def split_name(name: str) -> tuple[str, str]:
    """Format and view ("" for none) of a name. Raises ValueError where there is no such layout."""
    memory_format, _, view = name.partition(":")
    if memory_format not in MEMORY_FORMATS or (":" in name and view not in VIEWS):
        forms = f"a format ({', '.join(MEMORY_FORMATS)}), or a format, a colon and a view ({', '.join(VIEWS)})"
        raise ValueError(f"there is no layout {name!r}; a layout is {forms}")
    return memory_format, view


def placement(name: str, shape: tuple[int, ...]) -> Placement:
    """Strides, storage offset and buffer length of a tensor of that shape. Raises ValueError for an unknown name."""
    memory_format, view = split_name(name)
    shape = tuple(int(size) for size in shape)
    if (memory_format, view) == ("contiguous", "loaded"):
        return loaded_strides(shape), 0, _numel(shape)
    strides, offset, numel = _place(memory_format, view, shape)
    return strides, offset, max(numel, _end(shape, strides, offset))


def _place(memory_format: str, view: str, shape: tuple[int, ...]) -> Placement:
    whole, numel = dense_strides(memory_format, shape), _numel(shape)
    if not view or not _has_view(view, len(shape)):
        return whole, 0, numel
    if view == "offset":
        return whole, 1, numel + 1
    if view in ("as_contiguous", "odd", "permuted"):
        return _strides_within(memory_format, view, shape), 0, numel
    if view == "expand_n":
        return _expand(memory_format, shape)
    if view in ("image", "loaded"):
        return _place_image(memory_format, view, shape) if shape[0] == 1 else (whole, 0, numel)
    return _place_cut(memory_format, view, shape)


def _strides_within(memory_format: str, view: str, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Views that use every element of a buffer of the tensor's own size."""
    if view == "permuted":
        return dense_strides("contiguous", shape[::-1])[::-1]
    if view == "odd":
        strides = dense_strides(memory_format, shape)
        return tuple(_ODD_STRIDES[axis % 5] if size == 1 else strides[axis] for axis, size in enumerate(shape))
    # x.contiguous(memory_format=) returns x itself where contiguous strides already pass for the format.
    strides = dense_strides("contiguous", shape)
    return strides if is_contiguous(memory_format, shape, strides) else dense_strides(memory_format, shape)


def _place_cut(memory_format: str, view: str, shape: tuple[int, ...]) -> Placement:
    """A slice or a step along one dimension of a larger base."""
    letter = _letter(view)
    axis = AXES[len(shape)].index(letter)
    step = view.startswith("step_")
    longer = 2 * shape[axis] if step else shape[axis] + (2 if letter == "n" else _EXTRA[letter])
    base = _replace(shape, axis, longer)
    strides = dense_strides(memory_format, base)
    if step:
        return _replace(strides, axis, 2 * strides[axis]), 0, _numel(base)
    return strides, strides[axis], _numel(base)


def _place_image(memory_format: str, view: str, shape: tuple[int, ...]) -> Placement:
    """One image with the batch dimension put back: unsqueeze gives it the stride size[1] * stride[1]."""
    if view == "loaded":
        return (shape[1], *loaded_strides(shape[1:])), 0, _numel(shape)
    single = dense_strides(memory_format, shape)
    strides = _replace(single, 0, shape[1] * single[1])
    batch = (3, *shape[1:])
    return strides, dense_strides(memory_format, batch)[0], _numel(batch)


def loaded_strides(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The strides of (C, H, W) or (C, D, H, W) as its channels were loaded: next to each other."""
    strides = dense_strides("contiguous", (*shape[1:], *shape[:1]))
    return (*strides[-1:], *strides[:-1])


def _expand(memory_format: str, shape: tuple[int, ...]) -> Placement:
    image = (1, *shape[1:])
    strides = dense_strides(memory_format, image)
    return (strides if shape[0] == 1 else (0, *strides[1:])), 0, _numel(image)


def _replace(values: tuple[int, ...], axis: int, value: int) -> tuple[int, ...]:
    return (*values[:axis], value, *values[axis + 1 :])


def _numel(shape: tuple[int, ...]) -> int:
    count = 1
    for size in shape:
        count *= size
    return count


def _end(shape: tuple[int, ...], strides: tuple[int, ...], offset: int) -> int:
    """One past the last element that is addressed."""
    if 0 in shape:
        return offset
    return offset + 1 + sum((size - 1) * strides[axis] for axis, size in enumerate(shape))
