"""The phrases of the layout contract."""

from __future__ import annotations

import pytest

from harness.golden import LayoutRule, phrases, spelled_out

BOTH = frozenset({"input", "weight"})


@pytest.mark.parametrize(
    ("text", "formats"),
    [
        ("contiguous", ["contiguous"] * 3),
        ("channels_last", ["channels_last"] * 3),
        ("like input", ["contiguous", "channels_last", "channels_last"]),
        ("channels_last if any of input, weight", ["contiguous", "channels_last", "channels_last"]),
        ("channels_last if all of input, weight", ["contiguous", "contiguous", "channels_last"]),
        (
            "contiguous from NCHW or input; channels_last from input+weight",
            ["contiguous", "contiguous", "channels_last"],
        ),
        ("raises ValueError", [""] * 3),
    ],
)
def test_a_law_gives_a_format_for_every_mixture(text: str, formats: list[str]) -> None:
    """For all contiguous, the input alone in channels-last, and both."""
    combinations = [frozenset[str](), frozenset({"input"}), BOTH]
    assert [LayoutRule(text).format(combination) for combination in combinations] == formats


def test_the_plainest_phrase_comes_first() -> None:
    """Constants, then one tensor, then several."""
    assert [layout_rule.text for layout_rule in phrases(["input", "weight"])] == [
        "contiguous",
        "channels_last",
        "like input",
        "like weight",
        "channels_last if any of input, weight",
        "channels_last if all of input, weight",
    ]


def test_what_no_phrase_says_is_spelled_out() -> None:
    """Mixture by mixture, or one word where it is always the same."""
    seen = {frozenset[str](): "channels_last", frozenset({"input"}): "strides [1] of [3]", BOTH: "channels_last"}
    assert spelled_out(seen).text == "channels_last from NCHW or input+weight; strides [1] of [3] from input"
    assert spelled_out(dict.fromkeys(seen, "raises ValueError")).text == "raises ValueError"
