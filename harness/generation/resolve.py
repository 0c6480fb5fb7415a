"""A Case and an Example, resolved: every expression evaluated, once, to what the example's call is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.core import Case, Example
from harness.generation.ranges import Interval, ranges
from harness.generation.shapes import arguments, construction, positional, shapes, terms


@dataclass(frozen=True)
class ResolvedTensor:
    """One tensor of a call.

    `shape` is None where the example leaves it out, `between` where nothing bounds its numbers.
    `stream` is the fill stream of its numbers: its place among the case's tensors. `gradient`, `buffer` and `distinct`
    are those of its `TensorSpec`.
    """

    name: str
    shape: tuple[int, ...] | None
    dtype: str
    layout: str
    stream: int
    gradient: bool
    between: Interval | None
    buffer: bool
    distinct: int


@dataclass(frozen=True)
class ResolvedModule:
    """How the module of a case is made: the keyword arguments of its class, its mode, and what holds its state."""

    init: Mapping[str, Any]
    train: bool
    state: Mapping[str, str]


@dataclass(frozen=True)
class ResolvedExample:
    """What a call takes; `terms` is the length of its longest reduction, from which a fill takes its density.

    In `positional` and `arguments` a list is a tuple, and a tensor a TensorArgument. `tensors` are in the order in
    which the case declares them, those that the example leaves out included.
    """

    case: Case
    example: Example
    tensors: tuple[ResolvedTensor, ...]
    positional: tuple[Any, ...]
    arguments: Mapping[str, Any]
    module: ResolvedModule | None
    terms: int


def resolve_example(case: Case, example: Example) -> ResolvedExample:
    """Evaluate what the case says of the example's sizes.

    Raises UserError, naming the case, where an expression has no value, a size is not 0 or more, or no number of a
    tensor's dtype lies in its range.
    """
    return ResolvedExample(
        case=case,
        example=example,
        tensors=_tensors(case, example),
        positional=positional(case, example),
        arguments=arguments(case, example),
        module=resolve_module(case, example),
        terms=terms(case, example),
    )


def _tensors(case: Case, example: Example) -> tuple[ResolvedTensor, ...]:
    present, between = shapes(case, example), ranges(case, example)
    return tuple(
        ResolvedTensor(
            name=spec.name,
            shape=present.get(spec.name),
            dtype=spec.dtype or example.dtype,
            layout=example.layouts.get(spec.name, "contiguous"),
            stream=stream,
            gradient=spec.grad,
            between=between.get(spec.name),
            buffer=spec.buffer,
            distinct=spec.distinct,
        )
        for stream, spec in enumerate(case.tensors)
    )


def resolve_module(case: Case, example: Example) -> ResolvedModule | None:
    """How the case's module is made for an example; None for a case that is a function. Raises UserError."""
    if case.module is None:
        return None
    init, train = construction(case, example)
    return ResolvedModule(init, train, case.module.state)
