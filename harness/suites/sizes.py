"""Sizes: from the words of a suite file to what generation draws."""

from __future__ import annotations

import keyword
from typing import Any, Final, Literal, cast

from harness.core import Expression, Size
from harness.errors import did_you_mean
from harness.suites.positions import Location
from harness.suites.schema import ONE_SIZE, DistributionSchema, SizeSchema
from harness.suites.scope import Scope, is_whole

DISTRIBUTIONS: Final = ("batch", "channels", "spatial")
LENGTHS: Final = {"pair": 2, "triple": 3}
RESERVED: Final = ("dtype", "fill", "threads", "inplace", "path", "setting", "min", "max", "abs", "ceil_div", "prod")
"""Names that conditions and expressions use for something else."""

_Kind = Literal["batch", "channels", "spatial"]


def build_size(name: str, entry: Any, scope: Scope, at: Location) -> Size | None:
    """The size that `entry` describes, and its name drawn in `scope`; None when there are mistakes."""
    if problem := _name_problem(name):
        scope.report.add(at, problem, key=True)
    build = _size_of_mapping if isinstance(entry, SizeSchema) else _single_size
    size = build(name, entry, scope, at)
    scope.draw(name, None if size is None else simplest_value(size, scope))
    return None if problem else size


def simplest_value(size: Size, scope: Scope) -> Any:
    """The simplest value that may be drawn: the first choice, the low end, at least 1 for a distribution."""
    if size.kind == "choice":
        value = size.choices[0]
    else:
        low = 1 if size.low is None else scope.value(size.low)
        value = low if low is None or size.kind == "range" else max(low, 1)
    return (value,) * size.length if size.length and value is not None else value


def _name_problem(name: str) -> str:
    if name in RESERVED or keyword.iskeyword(name):
        return f"{name!r} has a meaning of its own in expressions; choose another name"
    return "" if name.isidentifier() else f"{name!r} cannot be used in expressions; a name is letters, digits and _"


def _size_of_mapping(name: str, entry: SizeSchema, scope: Scope, at: Location) -> Size | None:
    key = _only_key(name, entry, (*DISTRIBUTIONS, *LENGTHS), scope, at)
    if key is None:
        return None
    if key not in LENGTHS:
        return _single_size(name, entry, scope, at)
    size = _single_size(name, getattr(entry, key), scope, (*at, key))
    if size is None:
        return None
    return Size(name, size.kind, size.choices, size.low, size.high, LENGTHS[key], size.empty)


def _only_key(name: str, entry: DistributionSchema, keys: tuple[str, ...], scope: Scope, at: Location) -> str | None:
    present = [key for key in keys if getattr(entry, key) is not None]
    if len(present) == 1:
        return present[0]
    if not scope.report.has_wrong_key(at):
        problem = f"has {' and '.join(present)}" if present else "is empty"
        scope.report.add(at, f"{name!r} {problem}; give one of {', '.join(keys)}")
    return None


def _single_size(name: str, entry: Any, scope: Scope, at: Location) -> Size | None:
    if isinstance(entry, tuple):
        return _choice_size(name, entry, scope, at)
    if isinstance(entry, DistributionSchema):
        return _distribution_size(name, entry, scope, at)
    if entry in DISTRIBUTIONS:
        return Size(name, cast("_Kind", entry))
    if ".." in entry:
        return _range_size(name, entry, scope, at)
    expected = did_you_mean(entry, DISTRIBUTIONS) or f"; expected {ONE_SIZE}"
    scope.report.add(at, f"{name!r} cannot be drawn from {entry!r}{expected}")
    return None


def _choice_size(name: str, choices: tuple[Any, ...], scope: Scope, at: Location) -> Size | None:
    typed = [(type(value), value) for value in choices]  # True is not 1, nor 1.0
    for index, value in enumerate(choices):
        if typed[index] in typed[:index]:
            scope.report.add((*at, index), f"{value!r} is already one of the choices of {name!r}")
            return None
    return Size(name, "choice", choices)


def _distribution_size(name: str, entry: DistributionSchema, scope: Scope, at: Location) -> Size | None:
    key = _only_key(name, entry, DISTRIBUTIONS, scope, at)
    if key is None:
        return None
    bound, kind = getattr(entry, key), cast("_Kind", key)
    if bound == "empty":
        return Size(name, kind, empty=True)
    low = _bound_expression(name, bound, scope, (*at, key))
    return None if low is None else Size(name, kind, low=low)


def _range_size(name: str, text: str, scope: Scope, at: Location) -> Size | None:
    before, _, after = text.partition("..")
    low, high = _bound_expression(name, before, scope, at), _bound_expression(name, after, scope, at, len(before) + 2)
    if low is None or high is None:
        return None
    if not low.names | high.names and low.evaluate({}) > high.evaluate({}):
        scope.report.add(at, f"the range {text} is empty; write {after.strip()}..{before.strip()}")
        return None
    return Size(name, "range", low=low, high=high)


def _bound_expression(name: str, text: str | int, scope: Scope, at: Location, offset: int = 0) -> Expression | None:
    if not str(text).strip():
        scope.report.add(at, f"a side of the range of {name!r} is missing; write 0..2")
        return None
    expression = scope.parse(text, at, user=name, offset=offset)
    if expression is None:
        return None
    value = scope.value(expression)
    if value is not None and not is_whole(value):
        scope.report.add(at, f"{str(text)!r} is {value!r}, not a whole number", offset=offset)
        return None
    return expression
