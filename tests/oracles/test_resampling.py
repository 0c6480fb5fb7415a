"""The rule for interpolation: sums of products whose coefficients come from coordinates that are off."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from harness.oracles.bounds import COORDINATE_ROUNDINGS, coordinate_error, gamma
from tests.oracles.conftest import Stage

VALUES = np.linspace(1.0, 2.0, 16).reshape(1, 4, 2, 2)
U = 2.0**-24
ROOM = float(gamma(5, U)) * 3.0 + COORDINATE_ROUNDINGS * U * 100.0
"""Five roundings of sums of magnitudes 3, and coordinates that move the result by 100 for each size in pixels."""


@pytest.fixture
def pixels(stage: Callable[..., Stage]) -> Stage:
    """Sixteen pixels in float32 with that much room."""
    scene: Stage = stage(VALUES, "resampling")
    bound, terms, sensitivity = ({"output[0]": np.full(VALUES.shape, value)} for value in (3.0, 5.0, 100.0))
    scene.reference = replace(scene.reference, bound=bound, terms=terms, inner_sensitivity=sensitivity)
    return scene


@pytest.mark.parametrize(("times", "count"), [(0.9, 0), (1.2, 1)])
def test_roundings_and_moved_coordinates_are_the_room_there_is(pixels: Stage, times: float, count: int) -> None:
    """What both come to passes, somewhat more does not: the rounding of the result is a hundredth of it."""
    pixels.poke("output[0]", (0, 1, 0, 1), float(VALUES[0, 1, 0, 1]) + times * ROOM)
    assert len(pixels.judge().findings) == count


def test_coordinates_in_a_half_type_move_more() -> None:
    """An accepted accumulator is that of the coordinates too."""
    move = np.array([1.0, 0.0])
    np.testing.assert_array_equal(coordinate_error(move, "float32"), [COORDINATE_ROUNDINGS * U, 0.0])
    np.testing.assert_array_equal(coordinate_error(move, "bfloat16"), [COORDINATE_ROUNDINGS * 2.0**-8, 0.0])


@pytest.fixture
def bytes_(stage: Callable[..., Stage]) -> Stage:
    """Sixteen bytes whose reference lies a quarter above each, and that may be off by 1.1."""
    whole = np.arange(16, dtype=np.uint8).reshape(1, 4, 2, 2)
    scene: Stage = stage(whole, "resampling", dtype="uint8")
    values, bound, sensitivity = (
        {"output[0]": array} for array in (whole + 0.25, np.full(whole.shape, 1.1), 0.0 * whole)
    )
    scene.reference = replace(
        scene.reference, values=values, bound=bound, inner_sensitivity=sensitivity, dtypes={"output[0]": "uint8"}
    )
    return scene


@pytest.mark.parametrize(("value", "count"), [(6, 0), (7, 1), (4, 1)])
def test_bytes_are_judged_by_the_bound_of_their_passes(bytes_: Stage, value: int, count: int) -> None:
    """One more than 5.25 is within 1.1 of it, two more and one less are not."""
    bytes_.poke("output[0]", (0, 1, 0, 1), value, layouts=("drawn", "contiguous"))
    assert len(bytes_.judge().findings) == count


def test_bytes_are_the_same_in_both_layouts(bytes_: Stage) -> None:
    """A difference between the layouts of a cell is a finding within the bound too, with the elements that differ."""
    assert not bytes_.judge().findings
    bytes_.poke("output[0]", (0, 1, 0, 1), 6, cells=("avx2",))
    (finding,) = bytes_.judge().findings
    assert (finding.oracle, finding.tensor, finding.kind) == ("values", "output[0]", "layout")
    assert finding.layouts == ("drawn",)
    assert set(finding.cells) == {"avx2"}
    assert finding.message.startswith("output[0] is not the same in both layouts in 1 of 16 elements (got 6")
