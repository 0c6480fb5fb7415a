"""Expressions: what they compute, what they refuse, and the text of each refusal."""

from __future__ import annotations

import ast
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core import Expression, ExpressionError

VALUES = {"N": 2, "C": 6, "kernel": (3, 5), "mode": "zeros", "ceil": True}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("7", 7),
        (" N ", 2),
        ("N + C*2 - 1", 13),
        ("C // 4 % 2", 1),
        ("-N", -2),
        ("not ceil", False),
        ("kernel[0] * kernel[-1]", 15),
        ("[N, C][1]", 6),
        ("(N, C)", (2, 6)),
        ("1 if N > C else 0", 0),
        ("1 < N <= 2 < C", True),
        ("N == 2 and C != 6", False),
        ("N == 3 or C >= 6", True),
        ("mode in ('zeros', 'border')", True),
        ("mode not in ['zeros']", False),
        ("max(N, C) + min(1, 2) + abs(-3)", 10),
        ("ceil_div(C, 4) + prod(kernel)", 17),
        ("None", None),
    ],
)
def test_what_an_expression_computes(text: str, value: Any) -> None:
    """Integer arithmetic, comparisons and a few functions over the named values."""
    assert Expression.parse(text).evaluate(VALUES) == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("N +", "'N +' is not an expression"),
        ("N / 2", "'N / 2' is not arithmetic (use // for whole numbers); allowed are + - * // %, comparisons, and/or"),
        ("N ** 2", "'N ** 2' is not arithmetic; allowed are"),
        ("__import__('os')", "\"__import__('os')\" is not arithmetic"),
        ("N.real", "'N.real' is not arithmetic"),
        ("(lambda: 1)()", "'(lambda: 1)()' is not arithmetic"),
        ("[n for n in kernel]", "'[n for n in kernel]' is not arithmetic"),
        ("max(N, key=1)", "'max(N, key=1)' is not arithmetic"),
        ("N is C", "'N is C' is not arithmetic"),
        ("b'x'", "\"b'x'\" is not arithmetic"),
        ("\0", "is not an expression"),
    ],
)
def test_what_an_expression_refuses(text: str, message: str) -> None:
    """Anything but arithmetic is refused when it is read, whatever it would compute."""
    with pytest.raises(ExpressionError) as error:
        Expression.parse(text)
    assert message in error.value.message


def test_names_are_checked_where_they_are_known() -> None:
    """A name that does not exist is told with its nearest neighbour, or with all there are, at its place."""
    assert Expression.parse("N*C", ["N", "C"]).names == {"N", "C"}
    for text, hint in (("2*kernle[0]", "; did you mean 'kernel'?"), ("2*zzz", "; known are N, kernel")):
        with pytest.raises(ExpressionError) as error:
            Expression.parse(text, ["N", "kernel"])
        assert error.value.message.endswith(f"is not known here{hint}")
        assert error.value.offset == 2
    with pytest.raises(ExpressionError, match="'N' is not known here; known are nothing"):
        Expression.parse("N", [])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("C // (N - 2)", "'C // (N - 2)' divides by zero with C=6, N=2"),
        ("C % 0", "'C % 0' divides by zero with C=6"),
        ("V + 1", "'V + 1' uses 'V', which has no value yet"),
        ("kernel[2]", "'kernel[2]' cannot be computed with kernel=(3, 5): tuple index out of range"),
        ("mode < 1", "'mode < 1' cannot be computed with mode='zeros': "),
        ("1[0]", "'1[0]' cannot be computed with no values: "),
    ],
)
def test_what_cannot_be_computed(text: str, message: str) -> None:
    """The message has the expression and the values that it failed with."""
    with pytest.raises(ExpressionError) as error:
        Expression.parse(text).evaluate(VALUES)
    assert error.value.message.startswith(message)


def test_expressions_are_their_text() -> None:
    """Equality and hash go by the text; a number is the text of it."""
    assert Expression.parse(3) == Expression.parse("3")
    assert len({Expression.parse("N"), Expression.parse("N"), Expression.parse("C")}) == 2
    assert str(Expression.parse("N + 1")) == "N + 1"


def _in_brackets(parts: tuple[str, str, str]) -> str:
    return f"({' '.join(parts)})"


ARITHMETIC = st.recursive(
    st.integers(-9, 9).map(str), lambda inner: st.tuples(inner, st.sampled_from("+-*"), inner).map(_in_brackets)
)


@given(ARITHMETIC)
def test_arithmetic_is_pythons(text: str) -> None:
    """On whole numbers an expression gives what Python gives."""
    python = eval(compile(ast.parse(text, mode="eval"), "", "eval"))  # noqa: S307 - digits and signs
    assert Expression.parse(text).evaluate({}) == python
