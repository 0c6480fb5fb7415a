"""Examples of a network: its free sizes drawn, its inputs' shapes, the factory's arguments."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

from harness.core import Expression, ExpressionError
from harness.errors import UserError
from harness.models.model import Network, NetworkExample


def network_examples(network: Network, item: tuple[str, str, str], seed: int, count: int) -> Iterator[NetworkExample]:
    """`count` examples of one item: the simplest first, then drawn ones; the same for the same seed.

    The sizes do not depend on step, runner and precision, so that items of a network share their reference. Raises
    UserError where a bound cannot be computed.
    """
    step, runner, precision = item
    seen: set[str] = set()
    for index in range(4 * count):
        key = zlib.crc32(f"{seed}:{network.id}:{index}".encode())
        sizes = _sizes(network, key if index else None)
        example = NetworkExample(
            network.id, step, runner, precision, sizes, seed=key % (1 << 31), threads=1 + index % 2
        )
        if repr(sizes) not in seen:
            seen.add(repr(sizes))
            yield example
        if len(seen) == count:
            return


def _sizes(network: Network, key: int | None) -> Mapping[str, Any]:
    """Each size in declared order: a choice, or a number of its range; without a key the first of each."""
    drawn: dict[str, Any] = {}
    for number, size in enumerate(network.sizes):
        options = size.choices if size.kind == "choice" else _range(network, size.low, size.high, drawn)
        drawn[size.name] = options[0 if key is None else _hashed(f"{key}:{number}") % len(options)]
    return drawn


def _hashed(text: str) -> int:
    """A number that no other draw tells: checksums of similar texts differ alike, and would tie sizes together."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def _range(
    network: Network, low: Expression | None, high: Expression | None, drawn: Mapping[str, Any]
) -> tuple[int, ...]:
    try:
        first, last = (0 if bound is None else bound.evaluate(drawn) for bound in (low, high))
    except ExpressionError as error:
        raise UserError(f"{network.id}: {error.message}") from None
    return tuple(range(first, max(first, last) + 1))


def network_shapes(network: Network, example: NetworkExample) -> list[tuple[int, ...]]:
    """The shape of each input. Raises UserError where an expression has no value, or a negative one."""
    shapes = []
    for spec in network.inputs:
        shape = tuple(_value(network, extent, example) for extent in spec.shape)
        if any(not isinstance(size, int) or size < 0 for size in shape):
            raise UserError(f"{network.id}: the input {spec.name!r} has the shape {shape} for {dict(example.sizes)}")
        shapes.append(shape)
    return shapes


def network_arguments(network: Network, example: NetworkExample) -> dict[str, Any]:
    """The factory's keyword arguments with the sizes put in."""
    return {name: _value(network, written, example) for name, written in network.arguments.items()}


def _value(network: Network, written: Any, example: NetworkExample) -> Any:
    if isinstance(written, tuple):
        return tuple(_value(network, item, example) for item in written)
    if not isinstance(written, Expression):
        return written
    try:
        return written.evaluate(example.sizes)
    except ExpressionError as error:
        raise UserError(f"{network.id}: {error.message}") from None
