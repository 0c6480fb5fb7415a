"""The case over volumes that `depth` gives beside a case over images."""

from __future__ import annotations

from collections.abc import Callable

from harness.core import Expression, Size
from harness.suites import Suite

Load = Callable[[str], Suite]
Mistakes = Callable[[str], list[str]]

SUITE = """\
suite: things
defaults:
  depth: 1..3
cases:
  family:
    names: [abs, neg]
    call: torch.{name}
    sizes: {N: batch, C: channels, H: spatial, W: spatial}
    tensors:
      input: {shape: [N, C, H, W], layout: channels_last}
      scale: {shape: [1, C, 1, 1]}
      mask: {shape: [N, 1, "H if N > 1 else 1", W]}
      bias: {shape: [C]}
    arguments: {n: D*H*W}
    numerics: exact
"""


def _texts(suite: Suite, case: int) -> list[list[str]]:
    return [[extent.text for extent in spec.shape] for spec in suite.cases[case].tensors]


def test_each_case_has_one_over_volumes_beside_it(load: Load) -> None:
    """The depth stands before the height and is written alike, so that it broadcasts alike; vectors stay."""
    suite = load(SUITE)
    assert [case.name for case in suite.cases] == ["abs", "abs_3d", "neg", "neg_3d"]
    assert suite.cases[1].id == "suites/s.yaml::abs_3d"
    image, volume = _texts(suite, 0), _texts(suite, 1)
    assert image == [["N", "C", "H", "W"], ["1", "C", "1", "1"], ["N", "1", "H if N > 1 else 1", "W"], ["C"]]
    assert volume[:2] == [["N", "C", "D", "H", "W"], ["1", "C", "1", "1", "1"]]
    assert volume[2:] == [["N", "1", "D if N > 1 else 1", "H if N > 1 else 1", "W"], ["C"]]
    assert suite.cases[1].tensors[0].channels_last


def test_an_image_has_a_depth_of_one(load: Load) -> None:
    """Expressions may use D in both cases, and a condition of a known issue means the same in both."""
    image, volume, *_ = load(SUITE).cases
    assert image.sizes[0] == Size("D", "choice", (1,))
    assert volume.sizes[0] == Size("D", "range", low=Expression.parse("1"), high=Expression.parse("3"))
    assert image.arguments == volume.arguments == {"n": Expression.parse("D*H*W")}


def test_a_case_can_stay_flat(load: Load) -> None:
    """`depth: null` in a case overrides the default."""
    suite = load(SUITE.replace("D*H*W", "H*W") + "    depth: null\n")
    assert [case.name for case in suite.cases] == ["abs", "neg"]
    assert "D" not in [size.name for size in suite.cases[0].sizes]


def test_a_depth_beside_a_size_of_its_name_is_a_mistake(mistakes: Mistakes) -> None:
    """A size called D is reported where the depth was written."""
    (message,) = mistakes(SUITE.replace("{N: batch,", "{D: 1..2, N: batch,"))
    assert message == "3:10: 'D' is a size of 'family' already; remove it, or write depth: null"


def test_a_depth_that_cannot_be_drawn_is_a_mistake(mistakes: Mistakes) -> None:
    """A depth is declared like any other size, and reported like one."""
    messages = mistakes(SUITE.replace("depth: 1..3", "depth: spatail"))
    assert messages == ["3:10: 'D' cannot be drawn from 'spatail'; did you mean 'spatial'?"]


def test_a_name_that_is_given_twice_is_reported_for_both_cases(mistakes: Mistakes) -> None:
    """The place of both messages is that of the second name."""
    assert mistakes(SUITE.replace("[abs, neg]", "[abs, abs]")) == [
        "6:18: a case is already called 'abs', on line 6",
        "6:18: a case is already called 'abs_3d', on line 6",
    ]


def test_a_familys_key_may_say_what_its_cases_are_called(load: Load, mistakes: Mistakes) -> None:
    """The names stand in the place of {name}, so that two families of one suite may be of the same operators."""
    named = SUITE.replace("  family:", '  "safe_{name}":')
    suite = load(named)
    assert [(case.name, case.call) for case in suite.cases[::2]] == [
        ("safe_abs", "torch.abs"),
        ("safe_neg", "torch.neg"),
    ]
    assert len(mistakes(named.replace("[abs, neg]", "[abs, abs]"))) == 2
