"""Domains of sizes."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.core import Expression, ExpressionError, Size
from harness.generation.sizes import CHANNELS, UnsatisfiableError, corner_count, domain

Parse = Callable[[str | int], Expression]


def test_spatial_corners_are_relative_to_the_bound(expression: Parse) -> None:
    """A kernel of five starts at five; the list to draw from holds the widths of blocked kernels too."""
    allowed = domain(Size("H", "spatial", low=expression("kernel[0]")), {"kernel": (5, 3)})
    assert allowed.corners == (5, 6, 7, 11, 33)
    assert {8, 9, 13, 31, 64, 65} <= set(allowed.values)
    assert min(allowed.values) == 5


def test_bounds_below_one_leave_one_and_empty_adds_zero(expression: Parse) -> None:
    """A bound of -3 is a bound of 1; 0 is there only where the case asks for empty tensors."""
    below = expression("0 - 3")
    assert domain(Size("H", "spatial", low=below), {}).simplest == 1
    assert 0 not in domain(Size("H", "spatial", low=below), {}).values
    assert domain(Size("N", "batch", empty=True), {}).corners == (1, 2, 3)
    assert domain(Size("N", "batch", empty=True), {}).values[-1] == 0


def test_channels_are_the_lengths_around_vectors(expression: Parse) -> None:
    """Channels come from the list of vector lengths, from the bound on."""
    assert domain(Size("C", "channels"), {}).values == CHANNELS
    assert domain(Size("C", "channels", low=expression(8)), {}).corners == (8, 16, 17, 33)


def test_ranges_offer_their_ends_and_prefer_zero(expression: Parse) -> None:
    """A range's corners are its ends, a neighbour and the middle; where it holds 0 that is the simplest."""
    assert domain(Size("k", "range", low=expression(1), high=expression(5)), {}).corners == (1, 2, 5, 3)
    assert domain(Size("p", "range", low=expression("0-2"), high=expression(2)), {}).corners == (0, 1, 2, -2)
    wide = domain(Size("s", "range", low=expression(0), high=expression(1000)), {}).values
    assert 1000 in wide
    assert len(wide) < 80
    assert domain(Size("s", "range"), {}).values == (0,)


def test_an_empty_range_and_a_bound_that_is_no_number_are_said(expression: Parse) -> None:
    """Both say the size or the expression, and the value."""
    with pytest.raises(UnsatisfiableError, match=r"p would lie in 3\.\.1, which is empty"):
        domain(Size("p", "range", low=expression(3), high=expression("n")), {"n": 1})
    with pytest.raises(ExpressionError, match="is 'a', and a bound is a whole number"):
        domain(Size("p", "range", low=expression("n"), high=expression(3)), {"n": "a"})


@pytest.mark.parametrize(
    ("value", "nearest"), [(3, 3), (0, 2), (9, 5), ("x", 2), (None, 2), (True, 2), (2.5, 2)], ids=repr
)
def test_the_nearest_number_is_within_the_bounds(expression: Parse, value: object, nearest: int) -> None:
    """Numbers go to the bound they exceed; what is no whole number to the simplest."""
    assert domain(Size("k", "range", low=expression(2), high=expression(5)), {}).nearest(value) == nearest


def test_the_nearest_choice_is_itself_or_the_simplest() -> None:
    """True is not 1 in a list of choices."""
    allowed = domain(Size("mode", "choice", choices=(None, 1, "same", (1, 1))), {})
    assert [allowed.nearest(value) for value in (1, True, "same", (1, 1), 7)] == [1, None, "same", (1, 1), None]
    assert domain(Size("N", "batch", empty=True), {}).nearest(0) == 0


def test_corner_counts_do_not_depend_on_earlier_sizes(expression: Parse) -> None:
    """A covering array needs one number of values per factor; where fewer are left, the last stands for the rest."""
    dependent = Size("p", "range", low=expression(0), high=expression("k//2"))
    assert corner_count(dependent) == 4
    assert domain(dependent, {"k": 1}).corner(3) == 0
    assert corner_count(Size("p", "range", low=expression(0), high=expression(1))) == 2
    assert corner_count(Size("H", "spatial", low=expression("k"))) == 5
    assert corner_count(Size("g", "choice", choices=(1, 2, 4))) == 3
