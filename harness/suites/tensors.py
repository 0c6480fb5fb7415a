"""The tensors of a case: shape, range and marks of each, from the words of a suite file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness.core import Expression, TensorSpec
from harness.suites.entry import Entry
from harness.suites.positions import Location
from harness.suites.schema import TensorSchema
from harness.suites.scope import Scope, is_whole

Range = tuple[Expression, Expression]


def build_tensors(entry: Entry, scope: Scope) -> dict[str, TensorSpec]:
    """The tensors of an entry by name; mistakes go to the report."""
    written: Mapping[str, TensorSchema] = entry.get("tensors")
    if not written:
        scope.report.add(entry.location, f"{entry.key!r} has no tensors; it needs at least one", key=True)
    specs = {
        name: _tensor(name, schema, scope, entry.at("tensors", name))
        for name, schema in written.items()
        if not entry.is_wrong("tensors", name)
    }
    return {name: spec for name, spec in specs.items() if spec is not None}


def _tensor(name: str, schema: TensorSchema, scope: Scope, at: Location) -> TensorSpec | None:
    if not name.isidentifier() or name == "grad_output":
        scope.report.add(at, f"{name!r} cannot name a tensor; use letters, digits and _, and not grad_output", key=True)
        return None
    if schema.buffer and schema.grad and "grad" in schema.model_fields_set:
        scope.report.add((*at, "grad"), f"{name!r} is a buffer, and those have no gradient; remove one of the two")
    lacks_range = schema.between is None or (schema.distinct or 0) > len(schema.shape)
    if schema.distinct is not None and lacks_range and not scope.report.has_wrong_key(at):
        message = "needs between: [low, high], and no more dimensions than the tensor has"
        scope.report.add((*at, "distinct"), f"distinct {message}")
    shape = build_shape(schema.shape, scope, (*at, "shape"))
    extents = tuple(extent for extent in shape if extent is not None)
    between = _between(schema, scope, (*at, "between"))
    if len(extents) < len(shape):
        return None
    return TensorSpec(
        name=name,
        shape=extents,
        channels_last=schema.layout == "channels_last",
        optional=schema.optional,
        grad=schema.grad and not schema.buffer,
        dtype=schema.dtype,
        between=between,
        buffer=schema.buffer,
        distinct=schema.distinct or 0,
    )


def build_shape(written: Sequence[str | int], scope: Scope, at: Location) -> list[Expression | None]:
    """The extent of each dimension; None, and a mistake in the report, for one that is none."""
    return [_extent(text, scope, (*at, index)) for index, text in enumerate(written)]


def _extent(text: str | int, scope: Scope, at: Location) -> Expression | None:
    expression = scope.parse(text, at)
    value = None if expression is None else scope.value(expression)
    if isinstance(value, tuple):
        scope.report.add(at, f"{text!r} is a tuple, {value}; a dimension is one of it, such as {text}[0]")
        return None
    if value is not None and (not is_whole(value) or value < 0):
        scope.report.add(at, f"{text!r} is {value!r} for the simplest sizes; a dimension is a whole number, 0 or more")
        return None
    return expression


def _between(schema: TensorSchema, scope: Scope, at: Location) -> Range | None:
    """The two ends of a tensor's range, where it has one and both can be computed."""
    if schema.between is None:
        return None
    if len(schema.between) != 2:
        message = f"a range is the least and the largest number, such as [0, 1], not a list of {len(schema.between)}"
        scope.report.add(at, message)
        return None
    ends = [_end(written, scope, (*at, index)) for index, written in enumerate(schema.between)]
    low, high = ends
    if low is None or high is None:
        return None
    least, largest = scope.value(low), scope.value(high)
    if least is not None and largest is not None and least > largest:
        message = f"nothing lies between {least!r} and {largest!r}, which these are for the simplest sizes"
        scope.report.add(at, message)
        return None
    return low, high


def _end(written: Any, scope: Scope, at: Location) -> Expression | None:
    expression = scope.parse(str(written), at)
    value = None if expression is None else scope.value(expression)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
        scope.report.add(at, f"{written!r} is {value!r} for the simplest sizes; an end of a range is a number")
        return None
    return expression
