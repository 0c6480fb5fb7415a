"""The rules of the layout contract, and how they are spelled."""

from __future__ import annotations

import pytest

from harness.golden import LayoutRule, RuleKind, candidate_rules, spell_out

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
def test_a_rule_gives_a_format_for_every_combination(text: str, formats: list[str]) -> None:
    """For all contiguous, the input alone in channels-last, and both."""
    combinations = [frozenset[str](), frozenset({"input"}), BOTH]
    assert [LayoutRule.parse(text).format_of(combination) for combination in combinations] == formats


def test_the_plainest_rule_comes_first() -> None:
    """Constants, then one tensor, then several."""
    assert [rule.text for rule in candidate_rules(["input", "weight"])] == [
        "contiguous",
        "channels_last",
        "like input",
        "like weight",
        "channels_last if any of input, weight",
        "channels_last if all of input, weight",
    ]


def test_what_no_rule_says_is_spelled_out() -> None:
    """Combination by combination, or one word where it is always the same."""
    observed = {frozenset[str](): "channels_last", frozenset({"input"}): "strides [1] of [3]", BOTH: "channels_last"}
    assert spell_out(observed).text == "channels_last from NCHW or input+weight; strides [1] of [3] from input"
    assert spell_out(dict.fromkeys(observed, "raises ValueError"), RuleKind.RAISES).text == "raises ValueError"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("contiguous", RuleKind.ONE_FORMAT),
        ("channels_last", RuleKind.ONE_FORMAT),
        ("like input", RuleKind.LIKE),
        ("channels_last if any of input, weight", RuleKind.ANY),
        ("channels_last if all of input, grad_output", RuleKind.ALL),
        ("contiguous from NCHW or input; strides [1] of [3] from input+weight", RuleKind.SPELLED_OUT),
        ("strides [1] of [3]", RuleKind.SPELLED_OUT),
        ("returns from NCHW; raises RuntimeError from input or grad_output+input", RuleKind.RAISES),
        ("raises ValueError", RuleKind.RAISES),
        ("dense", RuleKind.DENSE),
        ("like input or weight", RuleKind.SPELLED_OUT),
    ],
)
def test_the_spelling_of_a_rule_is_read_again(text: str, kind: RuleKind) -> None:
    """Each kind has a spelling of its own, and what has none of them is kept as it stands."""
    rule = LayoutRule.parse(text)
    assert (rule.kind, rule.text) == (kind, text)


def test_only_a_result_that_came_out_has_a_format() -> None:
    """A call that raises has none, and the format of a tensor with one order of dimensions says nothing."""
    assert LayoutRule.parse("like input").has_format
    assert not LayoutRule.parse("raises ValueError").has_format
    assert not LayoutRule.parse("dense").has_format
