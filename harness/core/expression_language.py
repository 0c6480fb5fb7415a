"""What expressions are made of, and what each part of one computes."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from harness.core.json_text import LARGEST_INT64, LEAST_INT64

Value = Any
"""An int, float, bool, str, None, or a tuple of these."""

DEEPEST: Final = 100
"""How deep operations may lie in one another; a known issue's condition comes to a dozen."""

TOO_DEEP: Final = f"nested too deeply to be read: more than {DEEPEST} operations in one another"

_BINARY: Final[dict[type[ast.AST], Callable[[Any, Any], Any]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}
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
    "min": lambda *numbers: min(numbers),
    "max": lambda *numbers: max(numbers),
    "abs": abs,
    "ceil_div": lambda a, b: -(-a // b),
    "prod": lambda *numbers: math.prod(numbers),
}
_ALLOWED: Final = "allowed are + - * // %, comparisons, and/or/not, if/else, indexing, and " + ", ".join(
    f"{name}()" for name in sorted(_FUNCTIONS)
)


class NodeError(Exception):
    """What is wrong with a node of a syntax tree, and why; `cause` says it. Stays in this room."""

    def __init__(self, node: ast.AST, cause: Exception) -> None:
        super().__init__(str(cause))
        self.node = node
        self.cause = cause


def names_in(tree: ast.AST, source: str) -> frozenset[str]:
    """The names used in the tree of `source`. Raises NodeError at the first thing that is not arithmetic."""
    names = set()
    nodes = [(tree, 1)]
    while nodes:
        node, depth = nodes.pop()
        if depth > DEEPEST:
            raise NodeError(node, ValueError(TOO_DEEP))
        if isinstance(node, ast.Name):
            names.add(node.id)
        nodes += [(part, depth + 1) for part in reversed(_parts(node, source))]
    return frozenset(names)


def _parts(node: ast.AST, source: str) -> Sequence[ast.AST]:  # noqa: C901 - one arm for each kind of node
    """What the node computes with. Raises NodeError for one that is not arithmetic."""
    parts: Sequence[ast.AST] = ()
    match node:
        case ast.Constant(value=bool() | int() | float() | str() | None):
            _check_limits(node, node.value)
        case ast.Name():
            pass
        case ast.BinOp(op=op) if type(op) in _BINARY:
            parts = (node.left, node.right)
        case ast.UnaryOp(op=ast.USub() | ast.Not()):
            parts = (node.operand,)
        case ast.BoolOp():
            parts = node.values
        case ast.Compare(ops=ops) if all(type(op) in _COMPARE for op in ops):
            parts = (node.left, *node.comparators)
        case ast.Subscript():
            parts = (node.value, node.slice)
        case ast.Tuple() | ast.List():
            parts = node.elts
        case ast.IfExp():
            parts = (node.test, node.body, node.orelse)
        case ast.Call(func=ast.Name(id=name), keywords=[]) if name in _FUNCTIONS:
            parts = node.args
        case _:
            raise NodeError(node, ValueError(_refusal(node, source)))
    return parts


def _refusal(node: ast.AST, source: str) -> str:
    segment = ast.get_source_segment(source, node) or source
    hint = " (use // for whole numbers)" if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div) else ""
    return f"{segment!r} is not arithmetic{hint}; {_ALLOWED}"


def evaluate_node(node: ast.AST, values: Mapping[str, Value]) -> Value:  # noqa: C901, PLR0911 - as `_parts`
    """The value of a tree that `names_in` has read. Raises NodeError at the part that has none."""
    match node:
        case ast.Constant(value=value):
            return value
        case ast.Name(id=name):
            return values[name] if name in values else _try(node, values.__getitem__, name)
        case ast.BinOp(left=left, op=op, right=right):
            return _compute(node, _BINARY[type(op)], evaluate_node(left, values), evaluate_node(right, values))
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return not evaluate_node(operand, values)
        case ast.UnaryOp(operand=operand):
            return _compute(node, operator.neg, evaluate_node(operand, values))
        case ast.BoolOp(op=ast.And(), values=parts):
            return all(evaluate_node(part, values) for part in parts)
        case ast.BoolOp(values=parts):
            return any(evaluate_node(part, values) for part in parts)
        case ast.Compare():
            return _compare(node, values)
        case ast.Subscript(value=value, slice=index):
            return _try(node, operator.getitem, evaluate_node(value, values), evaluate_node(index, values))
        case ast.Tuple(elts=parts) | ast.List(elts=parts):
            return tuple(evaluate_node(part, values) for part in parts)
        case ast.IfExp(test=test, body=body, orelse=orelse):
            return evaluate_node(body if evaluate_node(test, values) else orelse, values)
        case ast.Call(func=ast.Name(id=name), args=parts):
            arguments = [evaluate_node(part, values) for part in parts]
            numbers = arguments[0] if len(arguments) == 1 and isinstance(arguments[0], tuple) else arguments
            return _compute(node, _FUNCTIONS[name], *numbers)
    raise TypeError(f"{ast.dump(node)} was not checked")  # pragma: no cover - `names_in` refuses it first


def _compare(node: ast.Compare, values: Mapping[str, Value]) -> bool:
    left = evaluate_node(node.left, values)
    for op, comparator in zip(node.ops, node.comparators, strict=True):
        right = evaluate_node(comparator, values)
        if not _try(node, _COMPARE[type(op)], left, right):
            return False
        left = right
    return True


def _compute(node: ast.AST, operation: Callable[..., Value], *numbers: Value) -> Value:
    """What an operation on numbers gives. Raises NodeError for anything but numbers, and a result beyond the limits."""
    for number in numbers:
        if not isinstance(number, int | float):
            kind = {str: "text", type(None): "None"}.get(type(number), "a list")
            raise NodeError(node, TypeError(f"{kind} has no arithmetic"))
    return _check_limits(node, _try(node, operation, *numbers))


def _check_limits(node: ast.AST, value: Value) -> Value:
    """The value. Raises NodeError for a number beyond the limits."""
    if isinstance(value, int) and not LEAST_INT64 <= value <= LARGEST_INT64:
        raise NodeError(node, OverflowError("a whole number has more than 64 bits"))
    if isinstance(value, float) and not math.isfinite(value):
        raise NodeError(node, OverflowError("a number is larger than every float64"))
    return value


def _try(node: ast.AST, operation: Callable[..., Value], *operands: Value) -> Value:
    """What an operation gives. Raises NodeError where Python raises."""
    try:
        return operation(*operands)
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        raise NodeError(node, error) from None
