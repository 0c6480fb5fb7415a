"""The condition on one choice: the shortest that is true of the values with the fault and of no other."""

from __future__ import annotations

from typing import Any

import pytest

from harness.trial.conditions import find_conjunct


@pytest.mark.parametrize(
    ("name", "failing", "passing", "text"),
    [
        ("W", [1, 2, 3], [], ""),
        ("W", [2, 3, 33], [1], "W > 1"),
        ("W", [16, 17], [1, 8], "W >= 16"),
        ("W", [1], [2, 3], "W == 1"),
        ("W", [1, 2], [3, 8], "W < 3"),
        ("W", [1, 2], [8], "W <= 2"),
        ("W", [2], [1, 3, 8], "W == 2"),
        ("W", [1, 3], [2], "W != 2"),
        ("W", [1, 3, 5], [2, 4], "W not in (2, 4)"),
        ("W", [1, 3], [2, 4], "W in (1, 3)"),
        ("stride[1]", [2, 3], [1], "stride[1] > 1"),
        ("keepdim", [True], [False], "keepdim"),
        ("has_bias", [False], [True], "not has_bias"),
        ("over", [None], [(2, 3), 1], "over == None"),
        ("over", [(2, 3), 1], [None], "over != None"),
        ("path", ["vmap"], ["plain", "no_grad"], "path == 'vmap'"),
        ("fill", ["reals", "wide"], ["integers"], "fill != 'integers'"),
        (
            "layout_input",
            ["channels_last", "channels_last:slice_c"],
            ["contiguous", "contiguous:slice_c"],
            "'channels_last' in layout_input",
        ),
        ("layout_input", ["contiguous:odd", "channels_last:odd"], ["contiguous"], "'odd' in layout_input"),
        (
            "layout_input",
            ["contiguous", "contiguous:permuted"],
            ["channels_last", "channels_last:as_contiguous"],
            "'channels_last' not in layout_input",
        ),
        ("layout_input", ["channels_last:image"], ["channels_last", "contiguous"], "'image' in layout_input"),
    ],
)
def test_the_condition_on_a_choice(name: str, failing: list[Any], passing: list[Any], text: str) -> None:
    """Numbers get a bound where there is one, flags their name, layouts a word of theirs, all else a list."""
    trials = [(value, True) for value in failing] + [(value, False) for value in passing]
    assert find_conjunct(name, trials) == text
