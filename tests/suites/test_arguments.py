"""What a call gets: by position, by keyword, tensors among it; ranges and buffers."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.core import Expression, TensorArgument, TorchName
from harness.suites import Suite

Load = Callable[[str], Suite]
Wrong = Callable[..., list[str]]

INPUT, BIAS = TensorArgument("input"), TensorArgument("bias")


def test_tensors_are_passed_in_order_unless_something_else_is_said(plain: str, load: Load) -> None:
    """Without `positional` and `arguments` the tensors are the arguments."""
    assert load(plain).cases[0].by_position == (INPUT, BIAS)


def test_a_tensor_passed_by_keyword_is_not_passed_by_position(plain: str, load: Load) -> None:
    """A text that is a tensor's name is that tensor, and passed once."""
    case = load(f"{plain}    arguments: {{b: bias, n: N}}\n").cases[0]
    assert case.by_position == (INPUT,)
    assert case.arguments == {"b": BIAS, "n": Expression.parse("N")}


def test_positional_arguments_are_tensors_expressions_and_literals(plain: str, load: Load) -> None:
    """Lists become tuples, words stay words, and torch's names are marked as such."""
    written = "[[input, bias], C, 2, {text: nchw}, {torch: channels_last}]"
    case = load(f"{plain}    positional: {written}\n").cases[0]
    expected = ((INPUT, BIAS), Expression.parse("C"), 2, "nchw", TorchName("channels_last"))
    assert case.by_position == case.positional == expected


def test_a_tensor_may_have_a_range_and_be_written(plain: str, load: Load) -> None:
    """The ends are expressions or fractions; a buffer has no gradient."""
    text = plain.replace("optional: true", "between: [0.5, C-1], buffer: true").replace("C: channels", "C: [4]")
    spec = load(text).cases[0].tensors[1]
    assert spec.between == (Expression.parse("0.5"), Expression.parse("C-1"))
    assert (spec.buffer, spec.grad) == (True, False)


def test_the_numbers_of_a_tensor_may_be_distinct(plain: str, load: Load) -> None:
    """Numbers are distinct over so many of the last dimensions, and by default over none."""
    specs = load(plain.replace("optional: true", "between: [0, C-1], distinct: 1")).cases[0].tensors
    assert [spec.distinct for spec in specs] == [0, 1]


@pytest.mark.parametrize(
    ("added", "expected"),
    [
        (
            "positional: [input]",
            ["8:7: 'bias' is passed nowhere; name it in positional or in arguments, or leave positional out"],
        ),
        (
            "arguments: {b: bios}",
            [
                (
                    "10:20: 'bios' is not a size of 'thing'; its sizes are N, C, groups, p, kernel; did you mean the "
                    "tensor 'bias'?"
                )
            ],
        ),
        (
            "arguments: {b: {}}",
            ["10:20: give one of {text: ...}, passed as it is, and {torch: ...}, a name that torch has"],
        ),
    ],
)
def test_mistaken_arguments_are_met_with_the_right_ones(wrong: Wrong, added: str, expected: list[str]) -> None:
    """A tensor that goes nowhere, a misspelt one and a mapping of nothing are reported with what would be right."""
    assert wrong(add=added) == expected


def test_a_name_of_a_size_and_of_a_tensor_says_nothing(wrong: Wrong) -> None:
    """A name of both a size and a tensor is a mistake where it is used as an argument."""
    assert wrong("p: 0..2", "bias: 0..2", add="arguments: {b: bias}") == [
        "10:20: 'bias' is a size and a tensor of 'thing'; rename one"
    ]


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        ("distinct: 1", ["8:36: distinct needs between: [low, high], and no more dimensions than the tensor has"]),
        (
            "between: [0, C], distinct: 2",
            ["8:53: distinct needs between: [low, high], and no more dimensions than the tensor has"],
        ),
        ("between: [1]", ["8:35: a range is the least and the largest number, such as [0, 1], not a list of 1"]),
        ("between: [2, 1]", ["8:35: nothing lies between 2 and 1, which these are for the simplest sizes"]),
        ("between: [0, Q]", ["8:39: 'Q' is not a size of 'thing'; its sizes are N, C, groups, p, kernel"]),
        ("between: [0, kernel]", ["8:39: 'kernel' is (1, 1) for the simplest sizes; an end of a range is a number"]),
        ("buffer: true, grad: true", ["8:46: 'bias' is a buffer, and those have no gradient; remove one of the two"]),
    ],
)
def test_a_mistaken_range_or_buffer_is_placed(wrong: Wrong, new: str, expected: list[str]) -> None:
    """A range without two numbers in order, and a buffer with a gradient, are reported at their places."""
    assert wrong("optional: true", new) == expected
