"""The words for where elements differ."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from harness.oracles.describe_mask import describe_mask

ALL = slice(None)


@pytest.mark.parametrize(
    ("shape", "index", "words"),
    [
        ((2, 3, 4, 5), np.s_[..., 4], "all in the last column (W = 5)"),
        ((2, 3, 4, 5), np.s_[:, :, 3], "all in the last row (H = 4)"),
        ((2, 3, 4, 5), np.s_[:, :, 0], "only the first row"),
        ((2, 3, 4, 5), np.s_[:, :, 2], "only row 2"),
        ((4, 3, 4, 5), np.s_[2], "only sample 2"),
        ((2, 17, 4, 5), np.s_[:, 16], "channel 16 of 17"),
        ((2, 20, 4, 5), np.s_[:, 16:], "channels 16 to 19 of 20"),
        ((2, 3, 4, 8), np.s_[..., 1::2], "columns 1 to 7 of 8 in steps of 2"),
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


def test_dimensions_of_parameters_are_numbered() -> None:
    """A weight's dimensions are no samples and channels."""
    mask = np.zeros((4, 3, 2, 2), dtype=bool)
    mask[3] = True
    assert describe_mask(mask, "grad:weight") == "all in the last index of dim 0 (dim 0 = 4)"
    assert describe_mask(mask, "grad:input") == "only sample 3"
