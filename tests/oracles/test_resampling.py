"""The rule for interpolation: sums of products whose coefficients come from coordinates that are off."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from harness.oracles.bounds import COORDINATE, gamma, misplaced
from tests.oracles.conftest import Stage

VALUES = np.linspace(1.0, 2.0, 16).reshape(1, 4, 2, 2)
U = 2.0**-24
ROOM = float(gamma(5, U)) * 3.0 + COORDINATE * U * 100.0
"""Five roundings of sums of magnitudes 3, and coordinates that move the result by 100 for each size in pixels."""


@pytest.fixture
def resampled(stage: Callable[..., Stage]) -> Stage:
    """Sixteen pixels in float32 with that much room."""
    built: Stage = stage(VALUES, "resampling")
    bound, terms, spread = ({"output[0]": np.full(VALUES.shape, value)} for value in (3.0, 5.0, 100.0))
    built.reference = replace(built.reference, bound=bound, terms=terms, spread=spread)
    return built


@pytest.mark.parametrize(("times", "found"), [(0.9, 0), (1.2, 1)])
def test_roundings_and_moved_coordinates_are_the_room_there_is(resampled: Stage, times: float, found: int) -> None:
    """What both come to passes, somewhat more does not: the rounding of the result is a hundredth of it."""
    resampled.poke("output[0]", (0, 1, 0, 1), float(VALUES[0, 1, 0, 1]) + times * ROOM)
    assert len(resampled.judge().findings) == found


def test_coordinates_in_a_half_type_move_more() -> None:
    """An accepted accumulator is that of the coordinates too."""
    move = np.array([1.0, 0.0])
    np.testing.assert_array_equal(misplaced(move, "float32"), [COORDINATE * U, 0.0])
    np.testing.assert_array_equal(misplaced(move, "bfloat16"), [COORDINATE * 2.0**-8, 0.0])
