"""Layouts against the views NumPy makes of real arrays."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from harness.portable import layouts
from harness.portable.memory_format import MEMORY_FORMATS

SHAPES = list(itertools.product((1, 2, 3), (1, 2, 5), (1, 3), (1, 4)))
VOLUMES = list(itertools.product((1, 2), (1, 3), (1, 2), (2, 3), (1, 4)))


def _base(memory_format: str, shape: tuple[int, ...]) -> Any:
    """A fresh array of that shape; channels-last is a moved axis of an N...C array."""
    if memory_format == "contiguous":
        return np.empty(shape, np.int8)
    return np.moveaxis(np.empty((shape[0], *shape[2:], shape[1]), np.int8), -1, 1)


def _longer(shape: tuple[int, ...], axis: int, length: int) -> tuple[int, ...]:
    return (*shape[:axis], length, *shape[axis + 1 :])


def _view_of_numpy(name: str, shape: tuple[int, ...]) -> Any:
    """The array that the view's code makes, from the table of views."""
    memory_format, view = layouts.split_name(name)
    letters = layouts.AXES[len(shape)]
    if view.startswith(("slice_", "step_")):
        axis = letters.index(view[-1])
        ahead = (slice(None),) * axis
        if view.startswith("step_"):
            return _base(memory_format, _longer(shape, axis, 2 * shape[axis]))[(*ahead, slice(None, None, 2))]
        extra = 3 if view == "slice_c" else 1
        return _base(memory_format, _longer(shape, axis, shape[axis] + extra))[(*ahead, slice(1, 1 + shape[axis]))]
    if view == "batch_slice":
        return _base(memory_format, (shape[0] + 2, *shape[1:]))[1 : 1 + shape[0]]
    if view == "permuted":
        return np.empty(shape[::-1], np.int8).transpose()
    return _base(memory_format, shape)


def _addresses(array: Any) -> tuple[tuple[int, ...], int]:
    """Strides over dimensions larger than 1, which are all that address anything, and the offset into the base."""
    base = array
    while base.base is not None:
        base = base.base
    offset = array.__array_interface__["data"][0] - base.__array_interface__["data"][0]
    return tuple(stride for size, stride in zip(array.shape, array.strides, strict=True) if size > 1), offset


@pytest.mark.parametrize(
    "view", ["", "slice_c", "slice_h", "slice_w", "slice_d", "step_c", "step_h", "step_w", "step_d"]
)
@pytest.mark.parametrize("memory_format", MEMORY_FORMATS)
def test_cuts_lie_where_numpy_cuts_them(memory_format: str, view: str) -> None:
    """Slices and steps have the strides and the offset of the same slice of a real array."""
    name = f"{memory_format}:{view}" if view else memory_format
    for shape in VOLUMES if view.endswith("d") else SHAPES + VOLUMES:
        strides, offset, _ = layouts.placement(name, shape)
        kept = tuple(stride for size, stride in zip(shape, strides, strict=True) if size > 1)
        assert (kept, offset) == _addresses(_view_of_numpy(name, shape)), (name, shape)


@pytest.mark.parametrize("name", ["contiguous:batch_slice", "channels_last:batch_slice", "contiguous:permuted"])
def test_batches_and_permutations_lie_where_numpy_puts_them(name: str) -> None:
    """A slice of a batch starts at its second image; reversed dimensions have reversed strides."""
    for shape in SHAPES + VOLUMES:
        strides, offset, _ = layouts.placement(name, shape)
        kept = tuple(stride for size, stride in zip(shape, strides, strict=True) if size > 1)
        assert (kept, offset) == _addresses(_view_of_numpy(name, shape)), (name, shape)


@pytest.mark.parametrize("rank", range(6))
def test_every_element_lies_inside_the_buffer(rank: int) -> None:
    """Every layout stays in its buffer, and apart from expand_n no two elements share an address."""
    for shape in itertools.product((1, 2, 3), repeat=rank):
        for name in layouts.names_for(rank, channels_last=True):
            strides, offset, numel = layouts.placement(name, shape)
            view = np.lib.stride_tricks.as_strided(
                np.arange(numel)[offset:], shape, tuple(8 * stride for stride in strides), writeable=False
            )
            assert view.max(initial=0) < numel
            if not name.endswith("expand_n"):
                assert np.unique(view).size == view.size


def test_an_image_of_a_batch_has_the_batch_stride_that_unsqueeze_gives() -> None:
    """unsqueeze(0) gives the new dimension the stride size[1] * stride[1], whatever the image's numel."""
    assert layouts.placement("channels_last:image", (1, 3, 4, 5)) == ((3, 1, 15, 3), 60, 180)
    assert layouts.placement("contiguous:image", (1, 3, 4, 5)) == ((60, 20, 5, 1), 60, 180)
    assert layouts.placement("channels_last:loaded", (1, 3, 4, 5)) == ((3, 1, 15, 3), 0, 60)
    assert layouts.placement("channels_last:loaded", (1, 3, 2, 4, 5)) == ((3, 1, 60, 15, 3), 0, 120)


def test_an_image_or_a_volume_without_a_batch_lies_as_it_was_loaded() -> None:
    """`hwc.permute(2, 0, 1)` and `dhwc.permute(3, 0, 1, 2)`, which are offered for what has no batch alone."""
    assert layouts.placement("contiguous:loaded", (3, 4, 5)) == ((1, 15, 3), 0, 60)
    assert layouts.placement("contiguous:loaded", (3, 2, 4, 5)) == ((1, 60, 15, 3), 0, 120)
    for rank in (3, 4):
        plain = layouts.names_for(rank, channels_last=False)
        loaded = set(layouts.names_for(rank, channels_last=False, unbatched=True)).difference(plain)
        assert loaded == {"contiguous:loaded"}


def test_views_that_do_not_apply_leave_the_plain_format() -> None:
    """More than one image, a rank without that dimension, nothing to expand: the plain format remains."""
    for name in ("channels_last:image", "channels_last:loaded", "channels_last:slice_d", "channels_last:odd"):
        assert layouts.placement(name, (2, 3, 4, 5)) == layouts.placement("channels_last", (2, 3, 4, 5))
    assert layouts.placement("contiguous:expand_n", (1, 3, 4, 5)) == layouts.placement("contiguous", (1, 3, 4, 5))
    assert layouts.placement("channels_last", (3, 4)) == ((4, 1), 0, 12)
    assert layouts.placement("contiguous:step_c", (1, 1, 1, 1, 1, 2))[0] == (2, 2, 2, 2, 2, 1)
    assert layouts.placement("contiguous:permuted", (4,)) == ((1,), 0, 4)


def test_contiguous_and_to_differ_where_a_shape_is_ambiguous() -> None:
    """`.contiguous(memory_format=)` keeps contiguous strides for one channel or one pixel; `.to` does not."""
    for shape in ((2, 1, 3, 4), (2, 5, 1, 1)):
        assert layouts.placement("channels_last:as_contiguous", shape) == layouts.placement("contiguous", shape)
        assert layouts.placement("channels_last", shape) != layouts.placement("contiguous", shape)
    plain = layouts.placement("channels_last", (2, 3, 4, 5))
    assert layouts.placement("channels_last:as_contiguous", (2, 3, 4, 5)) == plain


def test_odd_strides_touch_dimensions_of_size_one_only() -> None:
    """Only strides that address nothing are odd."""
    strides, _, numel = layouts.placement("channels_last:odd", (1, 3, 1, 5))
    assert (strides[1], strides[3], numel) == (1, 3, 15)
    assert (strides[0], strides[2]) != layouts.placement("channels_last", (1, 3, 1, 5))[0][::2]


def test_expanded_batches_share_one_image_and_offsets_start_late() -> None:
    """expand_n has a buffer of one image and stride 0; offset one element more."""
    assert layouts.placement("channels_last:expand_n", (4, 2, 3, 3)) == ((0, 1, 6, 2), 0, 18)
    assert layouts.placement("contiguous:offset", (2, 3)) == ((3, 1), 1, 7)


def test_empty_tensors_have_the_strides_that_pytorch_gives_them() -> None:
    """A size of 0 counts as 1 in contiguous strides and as 0 in channels-last ones."""
    assert layouts.placement("contiguous", (0, 3, 2, 2)) == ((12, 4, 2, 1), 0, 0)
    assert layouts.placement("channels_last", (2, 0, 2, 2))[0] == (0, 1, 0, 0)
    assert layouts.placement("contiguous:batch_slice", (1, 0, 2, 2))[1:] == (4, 4)


def test_names_start_with_the_simplest_and_match_the_rank() -> None:
    """Channels-last needs four or five dimensions; each dimension brings its cuts; in place excludes overlap."""
    assert layouts.names_for(4, channels_last=True)[:2] == ("contiguous", "channels_last")
    assert layouts.names_for(2, channels_last=True) == layouts.names_for(2, channels_last=False)
    assert layouts.names_for(0, channels_last=False) == ("contiguous", "contiguous:offset", "contiguous:odd")
    assert "channels_last:slice_d" in layouts.names_for(5, channels_last=True)
    assert "channels_last:slice_d" not in layouts.names_for(4, channels_last=True)
    overlapping = set(layouts.names_for(4, channels_last=True)) - set(
        layouts.names_for(4, channels_last=True, inplace=True)
    )
    assert overlapping == {"contiguous:expand_n", "channels_last:expand_n"}


@pytest.mark.parametrize("name", ["nhwc", "channels_last:slice_x", "contiguous:"])
def test_an_unknown_layout_is_an_error_that_lists_the_known(name: str) -> None:
    """A misspelt layout says what a layout is."""
    with pytest.raises(ValueError, match=r"there is no layout .*; a layout is a format \(contiguous, channels_last\)"):
        layouts.placement(name, (1, 1, 1, 1))


def test_every_name_is_offered_at_some_rank() -> None:
    """The names that suites and known issues may give are those that examples are drawn from."""
    choices = itertools.product(range(6), (False, True))
    offered = {name for rank, alone in choices for name in layouts.names_for(rank, channels_last=True, unbatched=alone)}
    assert offered == set(layouts.LAYOUTS)
