"""The condition of a known issue in words, as far as there are any: what is arithmetic stays as it is written."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Final

_PATHS: Final = {
    "vmap": "under vmap",
    "vmap_last": "under vmap along a last dimension",
    "vmap_one": "under vmap over the first tensor alone",
    "per_sample": "in the gradients of each sample",
    "autocast": "under autocast",
    "inference_mode": "in inference mode",
    "no_grad": "under no_grad",
    "out": "with out=",
    "double_backward": "in the double backward",
    "jvp": "in forward mode",
    "meta": "under FakeTensorMode",
    "compile": "compiled",
    "cached": "compiled, with the code of another level in the cache",
    "plain": "with autograd",
}
_SETTINGS: Final = {
    "onednn_off": "with oneDNN off",
    "deterministic": "with deterministic algorithms",
    "default_float64": "with float64 as the default dtype",
    "four_threads": "with four threads",
    "usual": "with the usual settings",
}
_FILLS: Final = {
    "special": "NaN, infinities, zeros or the dtype's extremes among the numbers",
    "integers": "small whole numbers",
    "reals": "numbers that are not whole",
    "offset": "numbers far from zero that differ little",
    "wide": "numbers of very different magnitudes",
    "ones": "all numbers 1",
    "ends": "most numbers at an end of their range",
}


def describe_condition(text: str) -> str:
    """The condition in words; what it says of sizes and arguments is in backquotes, as Python writes it."""
    return _describe(ast.parse(text, mode="eval").body)


def _describe(node: ast.expr) -> str:  # noqa: PLR0911 - one arm for each kind of node
    match node:
        case ast.Constant(value=True):
            return "always"
        case ast.BoolOp(op=ast.And(), values=values):
            return " and ".join(_describe_part(value) for value in values)
        case ast.BoolOp(values=values):
            return " or ".join(map(_describe, values))
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return f"not ({_describe(operand)})"
        case ast.Name(id=name) if name.startswith("has_"):
            return f"{name.removeprefix('has_')} given"
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            return _describe_comparison(left, op, right) or _code(node)
        case _:
            return _code(node)


def _describe_part(node: ast.expr) -> str:
    """A part of a conjunction, in parentheses where it is a disjunction."""
    words = _describe(node)
    return f"({words})" if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.Or) else words


def _describe_comparison(left: ast.expr, op: ast.cmpop, right: ast.expr) -> str:
    """What is said of a layout, a fill, a path or a dtype; nothing of anything else."""
    match left, op, right:
        case ast.Constant(value=str() as part), (ast.In() | ast.NotIn()), ast.Name(id=name):
            return _describe_layout(name, [part], isinstance(op, ast.NotIn), partly=True)
        case ast.Name(id=name), (ast.In() | ast.NotIn()), ast.Tuple(elts=parts):
            return _describe_choice(name, _texts(parts), isinstance(op, ast.NotIn))
        case ast.Constant(value=str() as text), (ast.In() | ast.NotIn()), ast.Tuple(elts=parts):
            names = [part.id for part in parts if isinstance(part, ast.Name)]
            words = " or ".join(_describe_choice(name, [text], isinstance(op, ast.NotIn)) for name in names)
            return f"({words})" if words else ""
        case ast.Name(id=name), (ast.Eq() | ast.NotEq()), ast.Constant(value=str() as text):
            return _describe_choice(name, [text], isinstance(op, ast.NotEq))
        case ast.Name(id=name), (ast.Eq() | ast.NotEq()), ast.Name(id=other):
            return _describe_pair(name, other, isinstance(op, ast.NotEq))
    return ""


def _describe_choice(name: str, texts: Sequence[str], negated: bool) -> str:
    words: dict[str, Callable[[str], str]] = {
        "fill": lambda text: _FILLS.get(text, text),
        "setting": lambda text: _SETTINGS.get(text, text),
        "path": lambda text: _PATHS.get(text, text),
        "dtype": lambda text: f"in {text}",
    }
    if not texts:
        return ""
    if name in words:
        return ("not " if negated else "") + " or ".join(map(words[name], texts))
    return _describe_layout(name, texts, negated, partly=False)


def _describe_layout(name: str, texts: Sequence[str], negated: bool, *, partly: bool) -> str:
    if not name.startswith("layout_"):
        return ""
    tensor = name.removeprefix("layout_")
    memory_format, colon, view = texts[0].partition(":")
    if partly and (colon or memory_format in ("channels_last", "contiguous")) and not view:
        words = f"{'a view, ' * bool(colon)}{memory_format.replace('_', '-')}".rstrip(", ")
    elif partly:
        words = f"laid out `...{view or memory_format}`"
    else:
        words = "laid out " + " or ".join(f"`{text}`" for text in texts)
    return f"{tensor} {'not ' if negated else ''}{words}"


def _describe_pair(name: str, other: str, differ: bool) -> str:
    if not (name.startswith("layout_") and other.startswith("layout_")):
        return ""
    tensors = f"{name.removeprefix('layout_')} and {other.removeprefix('layout_')}"
    return f"{tensors} laid out {'differently' if differ else 'alike'}"


def _texts(nodes: Sequence[ast.expr]) -> list[str]:
    return [node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]


def _code(node: ast.expr) -> str:
    return f"`{ast.unparse(node)}`"
