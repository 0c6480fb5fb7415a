"""Strides, and the memory format they stand for."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.portable.memory_format import (
    dense_strides,
    format_by_order,
    is_contiguous,
    is_strides_like_channels_last,
    strides_agree,
    unambiguous_format,
)


def test_dense_strides_of_both_formats() -> None:
    """NCHW and NHWC, NCDHW and NDHWC; a size of 0 counts as 1 in contiguous strides, and as 0 in channels-last ones."""
    assert dense_strides("contiguous", (2, 3, 4, 5)) == (60, 20, 5, 1)
    assert dense_strides("channels_last", (2, 3, 4, 5)) == (60, 1, 15, 3)
    assert dense_strides("channels_last", (2, 3, 4, 5, 6)) == (360, 1, 90, 18, 3)
    assert dense_strides("contiguous", (2, 0, 3)) == (3, 3, 1)
    assert dense_strides("contiguous", ()) == ()
    assert dense_strides("channels_last", (2, 0, 2, 2)) == (0, 1, 0, 0)
    assert dense_strides("channels_last", (2, 3, 4)) == (12, 4, 1)


def test_dimensions_of_size_one_may_have_any_stride() -> None:
    """Only the strides that address something are compared."""
    assert strides_agree((1, 3, 1, 4), (7, 4, 9, 1), (12, 4, 4, 1))
    assert not strides_agree((2, 3, 1, 4), (7, 4, 9, 1), (12, 4, 4, 1))


@pytest.mark.parametrize(
    ("shape", "strides", "due"),
    [
        ((2, 3, 4, 5), (60, 1, 15, 3), True),  # dense NHWC
        ((2, 3, 4, 5), (60, 20, 5, 1), False),  # dense NCHW
        ((2, 3, 4, 5), (120, 1, 30, 6), True),  # NHWC sliced in C
        ((2, 1, 4, 5), (20, 1, 5, 1), True),  # one channel, .to(memory_format=channels_last)
        ((2, 1, 4, 5), (20, 20, 5, 1), False),  # one channel, contiguous
        ((2, 1, 1, 1), (1, 1, 1, 1), False),  # N111 contiguous
        ((2, 1, 1, 1), (5, 5, 5, 5), False),  # N11W sliced in W
        ((1, 3, 4, 5), (3, 1, 15, 3), False),  # hwc.permute(2, 0, 1).unsqueeze(0)
        ((1, 4, 1, 3), (12, 3, 3, 1), False),  # transpose(1, 3) of 1C1W
        ((2, 3, 4, 5), (60, 0, 15, 3), False),  # expanded in C
        ((2, 3, 0, 5), (60, 1, 15, 3), False),  # empty
        ((2, 3, 2, 4, 5), (120, 1, 60, 15, 3), True),  # NDHWC
        ((3, 4, 5), (1, 15, 3), False),  # unbatched
    ],
)
def test_suggestion_is_that_of_c10(shape: tuple[int, ...], strides: tuple[int, ...], due: bool) -> None:
    """The cases that c10/core/MemoryFormat.h names in its comments."""
    assert is_strides_like_channels_last(shape, strides) is due


@pytest.mark.parametrize(
    ("shape", "strides", "due"),
    [
        ((2, 3, 4, 5), (60, 20, 5, 1), "contiguous"),
        ((2, 3, 4, 5), (60, 1, 15, 3), "channels_last"),
        ((2, 3, 4, 5), (180, 1, 36, 6), "channels_last"),  # sliced in C and W
        ((2, 3, 4, 5), (240, 2, 60, 12), "channels_last"),  # every second channel
        ((2, 3, 4, 5), (120, 40, 10, 2), "contiguous"),  # every second column
        ((2, 1, 4, 5), (20, 1, 5, 1), "ambiguous"),  # C == 1
        ((2, 1, 4, 5), (20, 20, 5, 1), "ambiguous"),
        ((2, 3, 1, 1), (3, 1, 1, 1), "ambiguous"),  # H == W == 1
        ((2, 3, 1, 1), (3, 1, 3, 3), "ambiguous"),
        ((1, 3, 4, 5), (3, 1, 15, 3), "ambiguous"),  # the predicates of PyTorch disagree
        ((1, 3, 4, 5), (7, 20, 5, 1), "contiguous"),  # odd stride of N, not in question
        ((2, 3, 4, 5), (1, 2, 6, 24), "ambiguous"),  # permuted: neither order
        ((2, 3, 4, 5), (0, 20, 5, 1), "ambiguous"),  # expanded
        ((2, 3, 4), (12, 4, 1), "contiguous"),
        ((2, 3, 4), (12, 1, 3), "ambiguous"),
        ((2, 3, 2, 4, 5), (120, 1, 60, 15, 3), "channels_last"),
        ((2, 3, 2, 4, 5), (120, 40, 20, 5, 1), "contiguous"),
    ],
)
def test_a_format_is_read_only_where_all_readings_agree(
    shape: tuple[int, ...], strides: tuple[int, ...], due: str
) -> None:
    """Dense, sliced and stepped tensors have a format; degenerate, permuted and expanded ones are ambiguous."""
    assert unambiguous_format(shape, strides) == due


@given(st.lists(st.integers(1, 4), min_size=4, max_size=5).map(tuple))
def test_a_dense_tensor_is_read_as_what_it_is_or_as_ambiguous(shape: tuple[int, ...]) -> None:
    """No dense tensor is taken for the other format, and one with C, H and W above 1 is taken for its own."""
    contiguous = unambiguous_format(shape, dense_strides("contiguous", shape))
    channels_last = unambiguous_format(shape, dense_strides("channels_last", shape))
    assert contiguous in ("contiguous", "ambiguous")
    assert channels_last in ("channels_last", "ambiguous")
    if shape[1] > 1 and max(shape[2:]) > 1:
        assert (contiguous, channels_last) == ("contiguous", "channels_last")


@pytest.mark.parametrize(
    ("shape", "strides", "formats"),
    [
        ((2, 3, 4, 5), (60, 20, 5, 1), ["contiguous"]),
        ((2, 3, 4, 5), (60, 1, 15, 3), ["channels_last"]),
        ((2, 3, 4, 5), (120, 1, 30, 6), []),  # sliced in C
        ((2, 1, 4, 5), (20, 7, 5, 1), ["contiguous", "channels_last"]),
        ((2, 0, 4, 5), (20, 20, 5, 1), ["contiguous"]),  # nothing in it
        ((2, 3, 4), (12, 4, 1), ["contiguous", "channels_last"]),  # no other format at that rank
    ],
)
def test_what_fills_its_memory_in_order_is_contiguous(
    shape: tuple[int, ...], strides: tuple[int, ...], formats: list[str]
) -> None:
    """`is_contiguous` asks that of each format by itself, so that both may say yes, and neither."""
    assert [name for name in ("contiguous", "channels_last") if is_contiguous(name, shape, strides)] == formats


@pytest.mark.parametrize(
    ("shape", "strides", "reading"),
    [
        ((2, 3, 4, 5), (60, 20, 5, 1), "contiguous"),
        ((2, 3, 4, 5), (120, 1, 30, 6), "channels_last"),  # sliced in C
        ((1, 3, 4, 5), (3, 1, 15, 3), "channels_last"),  # an image of a batch, which suggests contiguous
        ((2, 3, 4, 5), (1, 2, 6, 24), "ambiguous"),  # reversed
        ((2, 1, 4, 5), (20, 1, 5, 1), "ambiguous"),
        ((2, 3, 4), (12, 4, 1), "ambiguous"),  # no image
        ((1, 3, 2, 4, 5), (120, 1, 60, 15, 3), "channels_last"),
    ],
)
def test_the_order_of_large_dimensions_is_a_format(
    shape: tuple[int, ...], strides: tuple[int, ...], reading: str
) -> None:
    """Gaps between the elements and the strides of dimensions of size 1 count for nothing."""
    assert format_by_order(shape, strides) == reading


def test_at_most_two_orders_of_storage_have_a_format() -> None:
    """Of the 24 orders in which a 4-D tensor may be stored, all but NCHW and NHWC are ambiguous."""
    shape, readings = (2, 3, 4, 5), []
    for order in itertools.permutations(range(4)):
        strides, step = [0] * 4, 1
        for dim in order:
            strides[dim], step = step, step * shape[dim]
        readings.append(unambiguous_format(shape, tuple(strides)))
    assert sorted(readings)[-2:] == ["channels_last", "contiguous"]
    assert readings.count("ambiguous") == 22
