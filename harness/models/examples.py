"""Examples of a model: its free sizes drawn, its inputs' shapes, the factory's arguments."""

from __future__ import annotations

import hashlib
import math
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

from harness.core import Expression, ExpressionError
from harness.errors import UndrawableError
from harness.generation import MOST_ELEMENTS
from harness.models.model import Model, ModelExample, WayToRun


def model_examples(model: Model, way: WayToRun, seed: int, count: int) -> Iterator[ModelExample]:
    """`count` examples of one way to run it: the simplest first, then drawn ones; the same for the same seed.

    The sizes do not depend on step, runner and precision, so that all ways share their reference. Raises
    UserError where a bound cannot be computed.
    """
    drawn: set[str] = set()
    for index in range(4 * count):
        key = zlib.crc32(f"{seed}:{model.id}:{index}".encode())
        sizes = _draw_sizes(model, key if index else None)
        example = ModelExample(model.id, *way, sizes, seed=key % (1 << 31), threads=1 + index % 2)
        if repr(sizes) not in drawn:
            drawn.add(repr(sizes))
            yield example
        if len(drawn) == count:
            return


def _draw_sizes(model: Model, key: int | None) -> Mapping[str, Any]:
    """Each size in declared order: a choice, or a number of its range; without a key the first of each."""
    sizes: dict[str, Any] = {}
    for number, size in enumerate(model.sizes):
        draw = 0 if key is None else _hash_of(f"{key}:{number}")
        if size.kind == "choice":
            sizes[size.name] = size.choices[draw % len(size.choices)]
        else:
            first, last = _range_end(model, size.low, sizes), _range_end(model, size.high, sizes)
            sizes[size.name] = first + draw % max(last - first + 1, 1)
    return sizes


def _hash_of(text: str) -> int:
    """A number that no other draw tells: checksums of similar texts differ alike, and would tie sizes together."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def _range_end(model: Model, bound: Expression | None, sizes: Mapping[str, Any]) -> int:
    """A bound of a range, which the sizes drawn before give. Raises UserError for what is no whole number."""
    try:
        value = 0 if bound is None else bound.evaluate(sizes)
    except ExpressionError as error:
        raise UndrawableError(model.id, error.message) from None
    if not isinstance(value, int):
        raise UndrawableError(model.id, f"{bound} is {value!r}, and a bound is a whole number")
    return value


def model_shapes(model: Model, example: ModelExample) -> list[tuple[int, ...]]:
    """The shape of each input.

    Raises UserError where an expression has no value, or a negative one, and for an input that is too large.
    """
    shapes = []
    for spec in model.inputs:
        shape = tuple(_evaluate(model, extent, example) for extent in spec.shape)
        if any(not isinstance(size, int) or size < 0 for size in shape):
            raise UndrawableError(model.id, f"the input {spec.name!r} has the shape {shape} for {dict(example.sizes)}")
        if (elements := math.prod(shape)) > MOST_ELEMENTS:
            raise UndrawableError(
                model.id, f"the input {spec.name!r} has {elements:,} elements; no more than {MOST_ELEMENTS:,}"
            )
        shapes.append(shape)
    return shapes


def model_arguments(model: Model, example: ModelExample) -> dict[str, Any]:
    """The factory's keyword arguments with the sizes put in. Raises UserError where an expression has no value."""
    return {name: _evaluate(model, declared, example) for name, declared in model.arguments.items()}


def _evaluate(model: Model, declared: Any, example: ModelExample) -> Any:
    """What was declared, with the example's sizes in place of each expression."""
    if isinstance(declared, tuple):
        return tuple(_evaluate(model, item, example) for item in declared)
    if not isinstance(declared, Expression):
        return declared
    try:
        return declared.evaluate(example.sizes)
    except ExpressionError as error:
        raise UndrawableError(model.id, error.message) from None
