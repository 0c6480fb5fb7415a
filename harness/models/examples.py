"""Examples of a model: its free sizes drawn, its inputs' shapes, the factory's arguments."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

from harness.core import Expression, ExpressionError
from harness.errors import UserError
from harness.models.model import Model, ModelExample


def model_examples(model: Model, item: tuple[str, str, str], seed: int, count: int) -> Iterator[ModelExample]:
    """`count` examples of one item: the simplest first, then drawn ones; the same for the same seed.

    The sizes do not depend on step, runner and precision, so that items of a model share their reference. Raises
    UserError where a bound cannot be computed.
    """
    step, runner, precision = item
    seen: set[str] = set()
    for index in range(4 * count):
        key = zlib.crc32(f"{seed}:{model.id}:{index}".encode())
        sizes = _sizes(model, key if index else None)
        example = ModelExample(model.id, step, runner, precision, sizes, seed=key % (1 << 31), threads=1 + index % 2)
        if repr(sizes) not in seen:
            seen.add(repr(sizes))
            yield example
        if len(seen) == count:
            return


def _sizes(model: Model, key: int | None) -> Mapping[str, Any]:
    """Each size in declared order: a choice, or a number of its range; without a key the first of each."""
    drawn: dict[str, Any] = {}
    for number, size in enumerate(model.sizes):
        options = size.choices if size.kind == "choice" else _range(model, size.low, size.high, drawn)
        drawn[size.name] = options[0 if key is None else _hashed(f"{key}:{number}") % len(options)]
    return drawn


def _hashed(text: str) -> int:
    """A number that no other draw tells: checksums of similar texts differ alike, and would tie sizes together."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def _range(model: Model, low: Expression | None, high: Expression | None, drawn: Mapping[str, Any]) -> tuple[int, ...]:
    try:
        first, last = (0 if bound is None else bound.evaluate(drawn) for bound in (low, high))
    except ExpressionError as error:
        raise UserError(f"{model.id}: {error.message}") from None
    return tuple(range(first, max(first, last) + 1))


def model_shapes(model: Model, example: ModelExample) -> list[tuple[int, ...]]:
    """The shape of each input. Raises UserError where an expression has no value, or a negative one."""
    shapes = []
    for spec in model.inputs:
        shape = tuple(_value(model, extent, example) for extent in spec.shape)
        if any(not isinstance(size, int) or size < 0 for size in shape):
            raise UserError(f"{model.id}: the input {spec.name!r} has the shape {shape} for {dict(example.sizes)}")
        shapes.append(shape)
    return shapes


def model_arguments(model: Model, example: ModelExample) -> dict[str, Any]:
    """The factory's keyword arguments with the sizes put in."""
    return {name: _value(model, written, example) for name, written in model.arguments.items()}


def _value(model: Model, written: Any, example: ModelExample) -> Any:
    if isinstance(written, tuple):
        return tuple(_value(model, item, example) for item in written)
    if not isinstance(written, Expression):
        return written
    try:
        return written.evaluate(example.sizes)
    except ExpressionError as error:
        raise UserError(f"{model.id}: {error.message}") from None
