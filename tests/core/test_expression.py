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


@pytest.mark.parametrize(
    ("text", "message", "offset"),
    [
        ("N + 'a'*1000000000", "cannot be computed with N=2: text has no arithmetic", 4),
        ("'%1000000000d' % 1", "cannot be computed with no values: text has no arithmetic", 0),
        ("'%z' % 1", "cannot be computed with no values: text has no arithmetic", 0),
        ("mode * 2", "cannot be computed with mode='zeros': text has no arithmetic", 0),
        ("-mode", "cannot be computed with mode='zeros': text has no arithmetic", 0),
        ("[0]*1000000000", "cannot be computed with no values: a list has no arithmetic", 0),
        ("kernel + kernel", "cannot be computed with kernel=(3, 5): a list has no arithmetic", 0),
        ("abs(None)", "cannot be computed with no values: None has no arithmetic", 0),
        ("N + max('a', 'b')", "cannot be computed with N=2: text has no arithmetic", 4),
        ("1 < N + max(())", "cannot be computed with N=2: max()", 8),
        ("N*4611686018427387904", "cannot be computed with N=2: a whole number has more than 64 bits", 0),
        ("-1 - 9223372036854775807 - 1", "with no values: a whole number has more than 64 bits", 0),
        ("prod(huge)", "a whole number has more than 64 bits", 0),
        ("1e308*10", "cannot be computed with no values: a number is larger than every float64", 0),
        ("digits + 1", "cannot be computed with digits=more digits than can be written: a whole number has", 0),
        ("  é + 1", "uses 'é', which has no value yet", 2),
        ("(N,\n 'é'*2)", "text has no arithmetic", 5),
    ],
)
def test_what_an_operation_has_no_result_for(text: str, message: str, offset: int) -> None:
    """Arithmetic is of numbers of at most 64 bits, and the mistake is at the operation that has no such result."""
    values = {**VALUES, "huge": (2**62,) * 1000, "digits": 10**5000}
    with pytest.raises(ExpressionError) as error:
        Expression.parse(text).evaluate(values)
    assert message in error.value.message
    assert len(error.value.message) < 500
    assert error.value.offset == offset


@pytest.mark.parametrize(
    ("text", "message", "offset"),
    [
        ("-" * 500 + "1", "nested too deeply to be read: more than 100 operations in one another", 100),
        ("not " * 400 + "N", "nested too deeply to be read: more than 100 operations in one another", 400),
        ("-" * 1999 + "1", "nested too deeply to be read: more than 100 operations in one another", None),
        ("N + " * 101 + "N", "nested too deeply to be read: more than 100 operations in one another", 0),
        ("(" * 900 + "1" + ")" * 900, "is not an expression", None),
        ("1" * 2001, "an expression has at most 2000 characters, and this has 2001", 0),
        ("N + " + "9" * 1900, "a whole number has more than 64 bits", 4),
        ("N + 0x" + "f" * 1900, "a whole number has more than 64 bits", 4),
        ("N < 1e999", "a number is larger than every float64", 4),
        ("N + '\\d'", "is not an expression", None),
        ("'\ud800'", "is not an expression", 0),
        ("N + C**2", "'C**2' is not arithmetic", 4),
        ("N << 9", "'N << 9' is not arithmetic", 0),
        ("N + 2j", "'2j' is not arithmetic", 4),
        ("max(*kernel)", "'*kernel' is not arithmetic", 4),
    ],
)
def test_what_is_beyond_the_limits_of_the_language(text: str, message: str, offset: int | None) -> None:
    """Length, depth and numbers are limited when an expression is read, whatever limits Python has."""
    with pytest.raises(ExpressionError) as error:
        Expression.parse(text)
    assert message in error.value.message
    assert len(error.value.message) < 500
    assert offset is None or error.value.offset == offset


def test_a_hundred_operations_lie_in_one_another() -> None:
    """What is just not too deep is read and computed."""
    assert Expression.parse("-" * 98 + "1").evaluate({}) == 1
    assert Expression.parse("1 + " * 99 + "1").evaluate({}) == 100


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
