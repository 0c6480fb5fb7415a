"""Arithmetic and comparisons over named values, parsed with `ast` and walked; never `eval`."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from harness.errors import did_you_mean

Value = Any
"""An int, float, bool, str, None, or a tuple of these."""


class ExpressionError(ValueError):
    """A text that is not arithmetic, names something unknown, or cannot be evaluated with the values given.

    `offset` is the 0-based character of the text at which the mistake was found.
    """

    def __init__(self, message: str, offset: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset


_BINARY: Final[dict[type[ast.AST], Callable[[Any, Any], Any]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}
_UNARY: Final[dict[type[ast.AST], Callable[[Any], Any]]] = {ast.USub: operator.neg, ast.Not: operator.not_}
_COMPARE: Final[dict[type[ast.AST], Callable[[Any, Any], Any]]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda item, group: item in group,
    ast.NotIn: lambda item, group: item not in group,
}
_FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "min": min,
    "max": max,
    "abs": abs,
    "ceil_div": lambda a, b: -(-a // b),
    "prod": math.prod,
}
_ALLOWED: Final = "allowed are + - * // %, comparisons, and/or/not, if/else, indexing, and " + ", ".join(
    f"{name}()" for name in sorted(_FUNCTIONS)
)


@dataclass(frozen=True)
class Expression:
    """An expression such as ``dilation[0]*(kernel[0]-1)+1 - 2*padding[0]``.

    `names` are the values it needs. Equality and hash are those of the text.
    """

    text: str
    names: frozenset[str] = field(compare=False)
    tree: ast.expr = field(compare=False, repr=False)

    @classmethod
    def parse(cls, text: str | int, vocabulary: Collection[str] | None = None) -> Expression:
        """Parse `text`; with a `vocabulary`, every name must be in it. Raises ExpressionError."""
        source = str(text)
        try:
            tree = ast.parse(source.strip(), mode="eval").body
        except (SyntaxError, ValueError) as error:
            offset = max((getattr(error, "offset", 1) or 1) - 1, 0)
            raise ExpressionError(f"{source!r} is not an expression", offset) from None
        names = frozenset(_check(tree, source))
        for name in sorted(names) if vocabulary is not None else ():
            if name not in (vocabulary or ()):
                near = did_you_mean(name, vocabulary or ()) or f"; known are {', '.join(vocabulary or ()) or 'nothing'}"
                raise ExpressionError(f"{name!r} is not known here{near}", source.find(name))
        return cls(source, names, tree)

    def evaluate(self, values: Mapping[str, Value]) -> Value:
        """The value with these names bound. Raises ExpressionError where arithmetic fails."""
        try:
            return _walk(self.tree, values)
        except ZeroDivisionError:
            message = f"{self.text!r} divides by zero with {self._bindings(values)}"
        except KeyError as error:
            message = f"{self.text!r} uses {error.args[0]!r}, which has no value yet"
        except (TypeError, IndexError) as error:
            message = f"{self.text!r} cannot be computed with {self._bindings(values)}: {error}"
        raise ExpressionError(message)

    def _bindings(self, values: Mapping[str, Value]) -> str:
        return ", ".join(f"{name}={values[name]!r}" for name in sorted(self.names) if name in values) or "no values"

    def __str__(self) -> str:
        return self.text


def _check(node: ast.AST, source: str) -> set[str]:  # noqa: C901 - one arm for each kind of node
    """The names used below `node`; raises ExpressionError at the first thing that is not arithmetic."""
    match node:
        case ast.Constant(value=bool() | int() | float() | str() | None):
            return set()
        case ast.Name(id=name):
            return {name}
        case ast.BinOp(op=op) if type(op) in _BINARY:
            parts: list[ast.AST] = [node.left, node.right]
        case ast.UnaryOp(op=op) if type(op) in _UNARY:
            parts = [node.operand]
        case ast.BoolOp():
            parts = list(node.values)
        case ast.Compare(ops=ops) if all(type(op) in _COMPARE for op in ops):
            parts = [node.left, *node.comparators]
        case ast.Subscript():
            parts = [node.value, node.slice]
        case ast.Tuple() | ast.List():
            parts = list(node.elts)
        case ast.IfExp():
            parts = [node.test, node.body, node.orelse]
        case ast.Call(func=ast.Name(id=name), keywords=[]) if name in _FUNCTIONS:
            parts = list(node.args)
        case _:
            raise _not_arithmetic(node, source)
    return {name for part in parts for name in _check(part, source)}


def _not_arithmetic(node: ast.AST, source: str) -> ExpressionError:
    segment = ast.get_source_segment(source.strip(), node) or source
    hint = " (use // for whole numbers)" if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div) else ""
    return ExpressionError(f"{segment!r} is not arithmetic{hint}; {_ALLOWED}", getattr(node, "col_offset", 0))


def _walk(node: ast.AST, values: Mapping[str, Value]) -> Value:  # noqa: C901, PLR0911 - as `_check`
    match node:
        case ast.Constant(value=value):
            return value
        case ast.Name(id=name):
            return values[name]
        case ast.BinOp(left=left, op=op, right=right):
            return _BINARY[type(op)](_walk(left, values), _walk(right, values))
        case ast.UnaryOp(op=op, operand=operand):
            return _UNARY[type(op)](_walk(operand, values))
        case ast.BoolOp(op=ast.And(), values=parts):
            return all(_walk(part, values) for part in parts)
        case ast.BoolOp(values=parts):
            return any(_walk(part, values) for part in parts)
        case ast.Compare():
            return _compare(node, values)
        case ast.Subscript(value=value, slice=index):
            return _walk(value, values)[_walk(index, values)]
        case ast.Tuple(elts=parts) | ast.List(elts=parts):
            return tuple(_walk(part, values) for part in parts)
        case ast.IfExp(test=test, body=body, orelse=orelse):
            return _walk(body if _walk(test, values) else orelse, values)
        case ast.Call(func=ast.Name(id=name), args=parts):
            return _FUNCTIONS[name](*(_walk(part, values) for part in parts))
    raise ExpressionError(f"{ast.dump(node)} was not checked")  # pragma: no cover - parse() refuses it first


def _compare(node: ast.Compare, values: Mapping[str, Value]) -> bool:
    left = _walk(node.left, values)
    for op, comparator in zip(node.ops, node.comparators, strict=True):
        right = _walk(comparator, values)
        if not _COMPARE[type(op)](left, right):
            return False
        left = right
    return True
