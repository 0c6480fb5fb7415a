"""Mistakes in what sizes, expressions and tensors mean; the exact text of each message."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Wrong = Callable[..., list[str]]
Mistakes = Callable[[str], list[str]]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("N: batch", "N: bach", ["5:16: 'N' cannot be drawn from 'bach'; did you mean 'batch'?"]),
        (
            "N: batch",
            "N: zzz",
            [
                (
                    "5:16: 'N' cannot be drawn from 'zzz'; expected batch, channels, spatial, a range such "
                    "as 1..5, a list of choices"
                )
            ],
        ),
        (
            "N: batch",
            "N: {pair: zzz}",
            [
                (
                    "5:23: 'N' cannot be drawn from 'zzz'; expected batch, channels, spatial, a range such "
                    "as 1..5, a list of choices"
                )
            ],
        ),
        (
            "N: batch",
            "N: {batch: 1, channels: 2}",
            ["5:16: 'N' has batch and channels; give one of batch, channels, spatial, pair, triple"],
        ),
        ("N: batch", "N: {}", ["5:16: 'N' is empty; give one of batch, channels, spatial, pair, triple"]),
        ("N: batch", "N: {batch: null}", ["5:16: 'N' is empty; give one of batch, channels, spatial, pair, triple"]),
        ("N: batch", "N: {pair: {}}", ["5:23: 'N' is empty; give one of batch, channels, spatial"]),
        (
            "N: batch",
            "N: {pair: {batch: 1, channels: 2}}",
            ["5:23: 'N' has batch and channels; give one of batch, channels, spatial"],
        ),
        ("0..2", "5..1", ["5:55: the range 5..1 is empty; write 1..5"]),
        ("0..2", "0..", ["5:55: a side of the range of 'p' is missing; write 0..2"]),
        ("0..2", "0..True", ["5:58: 'True' is True, not a whole number"]),
        ("0..2", "0..1 2", ["5:60: '1 2' is not an expression"]),
        (
            "0..2",
            "a..b..c",
            [
                "5:55: 'a' is not a size of 'thing'; its sizes are N, C, groups, p, kernel",
                "5:60: 'b..c' is not an expression",
            ],
        ),
        ("[1, 2]", "[1, 1]", ["5:48: 1 is already one of the choices of 'groups'"]),
        ("p: 0..2", "if: 0..2", ["5:52: 'if' has a meaning of its own in expressions; choose another name"]),
        ("p: 0..2", "dtype: 0..2", ["5:52: 'dtype' has a meaning of its own in expressions; choose another name"]),
        ("p: 0..2", "a-b: 0..2", ["5:52: 'a-b' cannot be used in expressions; a name is letters, digits and _"]),
    ],
)
def test_a_size_that_cannot_be_drawn_is_explained(wrong: Wrong, old: str, new: str, expected: list[str]) -> None:
    """A distribution, range, choice or name that is none is reported with what may stand there."""
    assert wrong(old, new) == expected


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("N: batch", "N: {batch: C}", ["5:24: 'C' is used before it is drawn; declare it above 'N'"]),
        ("N: batch", "N: {batch: N}", ["5:24: 'N' cannot use itself"]),
        ("N: batch", "N: {batch: Z}", ["5:24: 'Z' is not a size of 'thing'; its sizes are N, C, groups, p, kernel"]),
        ("N: batch", "N: 0..C", ["5:19: 'C' is used before it is drawn; declare it above 'N'"]),
        ("0..2", "0..Q", ["5:58: 'Q' is not a size of 'thing'; its sizes are N, C, groups, p, kernel"]),
        ("[N, C]", "[N, Q]", ["7:26: 'Q' is not a size of 'thing'; its sizes are N, C, groups, p, kernel"]),
        ("[N, C]", "[N, group*C]", ["7:26: 'group' is not a size of 'thing'; did you mean 'groups'?"]),
        ("[N, C]", "[N, 'groups*Q']", ["7:34: 'Q' is not a size of 'thing'; its sizes are N, C, groups, p, kernel"]),
    ],
)
def test_a_name_must_be_a_size_drawn_before(wrong: Wrong, old: str, new: str, expected: list[str]) -> None:
    """An expression may not use a size that is unknown, drawn later, or the one it declares."""
    assert wrong(old, new) == expected


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "[N, C]",
            "[N, \"__import__('os')\"]",
            [
                (
                    "7:26: \"__import__('os')\" is not arithmetic; allowed are + - * // %, comparisons, "
                    "and/or/not, if/else, indexing, and abs(), ceil_div(), max(), min(), prod()"
                )
            ],
        ),
        (
            "[N, C]",
            "[N, C/2]",
            [
                (
                    "7:26: 'C/2' is not arithmetic (use // for whole numbers); allowed are + - * // %, "
                    "comparisons, and/or/not, if/else, indexing, and abs(), ceil_div(), max(), min(), "
                    "prod()"
                )
            ],
        ),
        (
            "[N, C]",
            "[N, C ** 9]",
            [
                (
                    "7:26: 'C ** 9' is not arithmetic; allowed are + - * // %, comparisons, and/or/not, "
                    "if/else, indexing, and abs(), ceil_div(), max(), min(), prod()"
                )
            ],
        ),
        ("[N, C]", "[N, C +]", ["7:26: 'C +' is not an expression"]),
    ],
)
def test_an_expression_must_be_arithmetic(wrong: Wrong, old: str, new: str, expected: list[str]) -> None:
    """What is not arithmetic is refused before it is evaluated."""
    assert wrong(old, new) == expected


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("[N, C]", '[N, "C//0"]', ["7:26: 'C//0' divides by zero with C=1"]),
        ("[N, C]", '[N, "4 % (2 - 2)"]', ["7:26: '4 % (2 - 2)' divides by zero with no values"]),
        ("[N, C]", '[N, "C//p"]', ["7:26: 'C//p' divides by zero with C=1, p=0"]),
        ("0..2", "0..N//0", ["5:58: 'N//0' divides by zero with N=1"]),
        ("[N, C]", "[N, kernel]", ["7:26: 'kernel' is a tuple, (1, 1); a dimension is one of it, such as kernel[0]"]),
        (
            "[N, C]",
            '[N, "kernel[2]"]',
            ["7:26: 'kernel[2]' cannot be computed with kernel=(1, 1): tuple index out of range"],
        ),
        ("[N, C]", '[N, "N[0]"]', ["7:26: 'N[0]' cannot be computed with N=1: 'int' object is not subscriptable"]),
        (
            "[N, C]",
            '[N, "C-3"]',
            ["7:26: 'C-3' is -2 for the simplest sizes; a dimension is a whole number, 0 or more"],
        ),
        (
            "[N, C]",
            '[N, "C > 1"]',
            ["7:26: 'C > 1' is False for the simplest sizes; a dimension is a whole number, 0 or more"],
        ),
    ],
)
def test_an_expression_must_work_for_the_simplest_sizes(wrong: Wrong, old: str, new: str, expected: list[str]) -> None:
    """Division by zero, wrong indices, tuples and negative dimensions are found with the simplest sizes."""
    assert wrong(old, new) == expected


@pytest.mark.parametrize(
    ("added", "expected"),
    [
        (
            "arguments: {a: Q, b: [N, [R]]}",
            [
                (
                    "10:20: 'Q' is not a size of 'thing'; its sizes are N, C, groups, p, kernel; for the "
                    "text itself write {text: Q}"
                ),
                (
                    "10:31: 'R' is not a size of 'thing'; its sizes are N, C, groups, p, kernel; for the "
                    "text itself write {text: R}"
                ),
            ],
        ),
        (
            "arguments: {mode: reflect}",
            [
                (
                    "10:23: 'reflect' is not a size of 'thing'; its sizes are N, C, groups, p, kernel; for "
                    "the text itself write {text: reflect}"
                )
            ],
        ),
        ('arguments: {a: "N + Q"}', ["10:25: 'Q' is not a size of 'thing'; its sizes are N, C, groups, p, kernel"]),
        ("arguments: {d-e: 1}", ["10:17: 'd-e' is not the name of an argument"]),
        ('require: ["N > Q"]', ["10:20: 'Q' is not a size of 'thing'; its sizes are N, C, groups, p, kernel"]),
    ],
)
def test_arguments_and_conditions_use_the_sizes(wrong: Wrong, added: str, expected: list[str]) -> None:
    """A word that is no size may have been meant as text."""
    assert wrong(add=added) == expected


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "exact",
            "{output: exact, terms: Q}",
            ["9:38: 'Q' is not a size of 'thing'; its sizes are N, C, groups, p, kernel"],
        ),
    ],
)
def test_terms_are_an_expression(wrong: Wrong, old: str, new: str, expected: list[str]) -> None:
    """The terms of a rule use the sizes like any other expression."""
    assert wrong(old, new) == expected


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "N: batch",
            'N: bach, M: {batch: N}, L: {pair: "N..N+1"}',
            ["5:16: 'N' cannot be drawn from 'bach'; did you mean 'batch'?"],
        ),
        ("N: batch", "N: {pair: bach}", ["5:23: 'N' cannot be drawn from 'bach'; did you mean 'batch'?"]),
    ],
)
def test_a_mistaken_size_is_one_mistake(wrong: Wrong, old: str, new: str, expected: list[str]) -> None:
    """What uses a mistaken size is not reported for that."""
    assert wrong(old, new) == expected


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "input:",
            "grad_output:",
            ["7:7: 'grad_output' cannot name a tensor; use letters, digits and _, and not grad_output"],
        ),
        ("input:", "in-put:", ["7:7: 'in-put' cannot name a tensor; use letters, digits and _, and not grad_output"]),
    ],
)
def test_a_tensor_has_a_name_that_findings_can_use(wrong: Wrong, old: str, new: str, expected: list[str]) -> None:
    """A tensor is an identifier, and not grad_output."""
    assert wrong(old, new) == expected
