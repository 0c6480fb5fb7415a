"""The words for where elements differ."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from harness.core import PatternKind
from harness.oracles import Window
from harness.oracles.describe_mask import describe_mask, mask_clauses

ALL = slice(None)


@pytest.mark.parametrize(
    ("shape", "index", "words"),
    [
        ((2, 3, 4, 5), np.s_[..., 4], "all in the last column (W = 5)"),
        ((2, 3, 4, 5), np.s_[:, :, 3], "all in the last row (H = 4)"),
        ((2, 3, 4, 5), np.s_[:, :, 0], "only the first row"),
        ((2, 3, 4, 5), np.s_[:, :, 2], "only row 2"),
        ((4, 3, 4, 5), np.s_[2], "only sample 2"),
        ((2, 17, 4, 5), np.s_[:, 16], "all in the last channel (C = 17), after the last full block of 4, 8 or 16"),
        ((2, 20, 4, 5), np.s_[:, 16:], "channels 16 to 19 of 20, after the last full block of 8 or 16"),
        ((2, 3, 4, 8), np.s_[..., 1::2], "columns 1 to 7 of 8 in steps of 2"),
        ((2, 31, 4, 5), np.s_[:, 30], "all in the last channel (C = 31)"),
        ((2, 31, 4, 5), np.s_[:, :24], "channels 0 to 23 of 31, the full blocks of 8"),
        ((2, 31, 4, 5), np.s_[:, 3::8], "channels whose index modulo 8 is 3"),
        ((2, 8, 4, 5), np.s_[:, [2, 3, 6, 7]], "channels whose index modulo 4 is 2 to 3"),
        (
            (2, 16, 4, 5),
            np.s_[:, [0, 2, 3, 4, 6, 7, 8, 10, 11, 12, 14, 15]],
            "channels whose index modulo 4 is 0, 2 or 3",
        ),
        ((29,), np.s_[28:], "all in the last index of dim 0 (dim 0 = 29), after the last full block of 4"),
        ((31,), np.s_[28:], "indices of dim 0 28 to 30 of 31, after the last full block of 4"),
        ((2, 3, 4, 8), np.s_[..., [0, 1, 5]], ""),
        ((2, 3, 4, 8), np.s_[..., [0, 5]], ""),
        ((2, 3, 4, 8), np.s_[1, :, :, 7], "only sample 1, all in the last column (W = 8)"),
        ((2, 3, 4, 4, 4), np.s_[:, :, 0], "only the first slice"),
        ((2, 3, 8), np.s_[..., 7], "all in the last position (L = 8)"),
        ((6, 8), np.s_[:, 7], "all in the last index of dim 1 (dim 1 = 8)"),
        ((6, 8), np.s_[2:4], "indices of dim 0 2 to 3 of 6"),
        ((2, 3, 4, 5), np.s_[...], "everywhere"),
        ((1,), np.s_[...], ""),
        ((), np.s_[...], ""),
        ((2, 3), np.s_[:0], ""),
        ((0, 3), np.s_[...], ""),
    ],
)
def test_a_pattern_is_told_dimension_by_dimension(shape: tuple[int, ...], index: Any, words: str) -> None:
    """First, last, single, a run, in steps; nothing where the indices are scattered."""
    mask = np.zeros(shape, dtype=bool)
    mask[index] = True
    assert describe_mask(mask) == words


@pytest.mark.parametrize(
    ("indices", "words"),
    [
        ([np.s_[:, :, 0], np.s_[:, :, -1], np.s_[..., 0], np.s_[..., -1]],
         "only in the first row, the last row, the first column or the last column"),
        ([np.s_[:, :, 0], np.s_[..., -1]], "only in the first row or the last column"),
        ([np.s_[:, 0, 0], np.s_[:, 0, :, -1]], "only the first channel, only in the first row or the last column"),
        ([np.s_[:, :, 0], np.s_[..., 2]], ""),
    ],
)  # fmt: skip
def test_a_border_is_told_by_the_fewest_of_its_sides(indices: list[Any], words: str) -> None:
    """Rows and columns that differ together are a border where nothing lies within; else there is no pattern."""
    mask = np.zeros((2, 3, 4, 5), dtype=bool)
    for index in indices:
        mask[index] = True
    assert describe_mask(mask) == words


def test_the_reach_of_the_padding_is_told_where_it_is_known() -> None:
    """With kernel 5 and padding 2 the windows of the two outer rows and columns reach beyond the input."""
    mask = np.ones((1, 2, 7, 8), dtype=bool)
    mask[:, :, 2:-2, 2:-2] = False
    window = Window((5, 5), (1, 1), (2, 2), (1, 1), (7, 8))
    (clause,) = mask_clauses(mask, "output[0]", window)
    assert clause == ("where the window reaches into the padding", PatternKind.PADDING_REACH)
    assert mask_clauses(mask, "output[0]") == []
    everywhere = Window((5, 5), (1, 1), (9, 9), (1, 1), (7, 8))
    assert mask_clauses(mask, "output[0]", everywhere) == []
    mask[:, :, 3, 3] = True
    assert mask_clauses(mask, "output[0]", window) == []


def test_stride_and_dilation_move_the_reach_of_the_padding() -> None:
    """Of the starts -2, 0, 2, 4 with a kernel of 2 and a dilation of 3, the first and the last reach beyond 7."""
    reach = Window((2,), (2,), (2,), (3,), (7,)).padding_reach((4,))
    assert reach is not None
    assert reach.tolist() == [True, False, False, True]
    assert Window((2,), (2,), (2,), (3,), (7,)).padding_reach((4, 4)) is None


def test_a_weights_last_dimensions_are_those_of_the_kernel() -> None:
    """The gradient of a weight has taps; that of anything else, and its first two dimensions, has none."""
    mask = np.zeros((4, 3, 2, 3), dtype=bool)
    mask[:, 1, :, 0] = True
    assert describe_mask(mask, "grad:weight") == "only index of dim 1 1, only the first column of the kernel"
    assert [clause.kind for clause in mask_clauses(mask, "grad:weight")] == [PatternKind.INDICES, PatternKind.TAP]
    assert describe_mask(mask, "grad:other") == "only index of dim 1 1, only the first index of dim 3"


def test_dimensions_of_parameters_are_numbered() -> None:
    """A weight's dimensions are no samples and channels."""
    mask = np.zeros((4, 3, 2, 2), dtype=bool)
    mask[3] = True
    assert describe_mask(mask, "grad:weight") == "all in the last index of dim 0 (dim 0 = 4)"
    assert describe_mask(mask, "grad:input") == "only sample 3"
