"""Examples of a model: its free sizes drawn, its inputs' shapes, the factory's arguments."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

from harness.core import Expression, ExpressionError
from harness.errors import UndrawableError
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
        options = size.choices if size.kind == "choice" else _range_values(model, size.low, size.high, sizes)
        sizes[size.name] = options[0 if key is None else _hash_of(f"{key}:{number}") % len(options)]
    return sizes


def _hash_of(text: str) -> int:
    """A number that no other draw tells: checksums of similar texts differ alike, and would tie sizes together."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def _range_values(
    model: Model, low: Expression | None, high: Expression | None, sizes: Mapping[str, Any]
) -> tuple[int, ...]:
    """The numbers from one bound to the other, which the sizes drawn before give; at least the first of them."""
    try:
        first, last = (0 if bound is None else bound.evaluate(sizes) for bound in (low, high))
    except ExpressionError as error:
        raise UndrawableError(model.id, error.message) from None
    return tuple(range(first, max(first, last) + 1))


def model_shapes(model: Model, example: ModelExample) -> list[tuple[int, ...]]:
    """The shape of each input. Raises UserError where an expression has no value, or a negative one."""
    shapes = []
    for spec in model.inputs:
        shape = tuple(_evaluate(model, extent, example) for extent in spec.shape)
        if any(not isinstance(size, int) or size < 0 for size in shape):
            raise UndrawableError(model.id, f"the input {spec.name!r} has the shape {shape} for {dict(example.sizes)}")
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
