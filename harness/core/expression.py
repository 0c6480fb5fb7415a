"""Arithmetic and comparisons over named values, parsed with `ast` and walked; never `eval`."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

from harness.core.expression_language import TOO_DEEP, NodeError, Value, evaluate_node, names_in
from harness.errors import did_you_mean

LONGEST: Final = 2000
"""Characters of an expression; four times as many as the longest condition of a known issue."""

_SHOWN: Final = 200
"""Characters of an expression, or of the values that it has, that a message repeats."""

_LINE_END: Final = re.compile("\r\n|\r|\n")


class ExpressionError(ValueError):
    """A text that is not arithmetic, names something unknown, or cannot be evaluated with the values given.

    `offset` is the 0-based character of the text at which the mistake was found.
    """

    def __init__(self, message: str, offset: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset


@dataclass(frozen=True)
class Expression:
    """An expression such as ``dilation[0]*(kernel[0]-1)+1 - 2*padding[0]``.

    Numbers in it are whole numbers of 64 bits and finite fractions, and so is every number that it computes; text has
    no arithmetic. So what it takes is bounded by its length, which is at most `LONGEST`. `names` are the values it
    needs. Equality and hash are those of the text.
    """

    text: str
    names: frozenset[str] = field(compare=False)
    tree: ast.expr = field(compare=False, repr=False)

    @classmethod
    def parse(cls, text: str | int, vocabulary: Collection[str] | None = None) -> Expression:
        """Parse `text`; with a `vocabulary`, every name must be in it. Raises ExpressionError."""
        source = str(text)
        tree = _parse_tree(source)
        try:
            names = names_in(tree, source.strip())
        except NodeError as error:
            raise ExpressionError(str(error.cause), offset_of(error.node, source)) from None
        for name in sorted(names) if vocabulary is not None else ():
            if name not in (vocabulary or ()):
                near = did_you_mean(name, vocabulary or ()) or f"; known are {', '.join(vocabulary or ()) or 'nothing'}"
                raise ExpressionError(f"{name!r} is not known here{near}", source.find(name))
        return cls(source, names, tree)

    def evaluate(self, values: Mapping[str, Value]) -> Value:
        """The value with these names bound. Raises ExpressionError where arithmetic fails, at the operation."""
        try:
            return evaluate_node(self.tree, values)
        except NodeError as error:
            raise ExpressionError(self._failure(error.cause, values), offset_of(error.node, self.text)) from None

    def _failure(self, cause: Exception, values: Mapping[str, Value]) -> str:
        text = _shorten(repr(self.text))
        if isinstance(cause, KeyError):
            return f"{text} uses {cause.args[0]!r}, which has no value yet"
        if isinstance(cause, ZeroDivisionError):
            return f"{text} divides by zero with {self._bindings(values)}"
        return f"{text} cannot be computed with {self._bindings(values)}: {cause}"

    def _bindings(self, values: Mapping[str, Value]) -> str:
        bindings = [f"{name}={_value_text(values[name])}" for name in sorted(self.names) if name in values]
        return _shorten(", ".join(bindings)) or "no values"

    def __str__(self) -> str:
        return self.text


def offset_of(node: ast.AST, source: str) -> int:
    """The 0-based character of `source` at which a node of its tree begins."""
    margin = len(source) - len(source.lstrip())
    line, column = getattr(node, "lineno", 1), getattr(node, "col_offset", 0)
    lines = _LINE_END.split(source.lstrip())
    before = sum(len(text) + 1 for text in lines[: line - 1])
    return margin + before + len(lines[line - 1].encode()[:column].decode(errors="ignore"))


def _parse_tree(source: str) -> ast.expr:
    """The syntax tree of a text that is neither too long nor nested too deeply. Raises ExpressionError."""
    if len(source) > LONGEST:
        raise ExpressionError(f"an expression has at most {LONGEST} characters, and this has {len(source)}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # such as of '\d', of which later releases of Python make an error
            return ast.parse(source.strip(), mode="eval").body
    except (RecursionError, MemoryError):  # what Python's parser says of a tree that is too deep for it
        raise ExpressionError(TOO_DEEP) from None
    except (SyntaxError, ValueError) as error:
        offset = max((getattr(error, "offset", 1) or 1) - 1, 0)
        raise ExpressionError(f"{_shorten(repr(source))} is not an expression", offset) from None


def _value_text(value: Value) -> str:
    try:
        return _shorten(repr(value))
    except ValueError:  # a whole number of more than 4,300 digits, of which Python writes none
        return "more digits than can be written"


def _shorten(text: str) -> str:
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."
