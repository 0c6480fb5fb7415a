"""Of what kind each argument of an ATen operator was, in classes and not in numbers, read off the profiler's events."""

from __future__ import annotations

import functools
import math
from typing import Any, Callable, Iterable, Iterator, NamedTuple, Sequence, Tuple

import torch

from ..portable.argument_kinds import GatheredKinds, merge_kinds
from ..portable.memory_format import CHANNELS_LAST_RANKS, is_contiguous

SMALL: float = 1e-3
"""A fraction below it is ``small``, as an epsilon is."""

LAST_WORD = 2
"""Integers up to it are told one by one: enumerations have no more than three words."""

POSITIONS = ("first", "second", "later")
"""Places in a list of tensors."""


class Value(NamedTuple):
    """An argument as the profiler has it: a number or a list of numbers, or of a tensor its shape and strides.

    `dtype` is empty for what is left out, for a text, and for what the profiler does not look into.
    """

    dtype: str
    concrete: Any
    shape: Any
    strides: Any


def traced_kinds(events: Iterable[Any]) -> tuple[GatheredKinds, GatheredKinds]:
    """Of the operators that nothing but the caller calls, and of those that are called within others or by autograd.

    The first are what a suite can decide. `events` are the profiler's own, of a build that has shapes and strides.
    """
    outer: GatheredKinds = {}
    inner: GatheredKinds = {}
    end = 0
    for event in sorted(events, key=lambda event: (event.start_ns(), -event.end_ns())):
        is_inner = event.start_ns() < end
        end = max(end, event.end_ns())
        if event.name().startswith("aten::"):
            merge_kinds(inner if is_inner else outer, _event_kinds(event))
    return outer, inner


def _event_kinds(event: Any) -> GatheredKinds:
    overload = event.overload_name()
    schema = operator_schema(event.name(), overload)
    values = [
        Value(*value)
        for value in zip(
            event.dtypes(), event.concrete_inputs(), event.structured_input_shapes(), event.structured_input_strides()
        )
    ]
    if schema is None or len(values) != len(schema.arguments):
        return {}
    ranks = [len(value.shape) for value in values if _is_tensor(value)]
    rank = max(ranks, default=0)
    numels = [math.prod(value.shape) for value in values if _is_tensor(value)]
    largest = max(numels, default=0)
    operands = len(ranks)
    kinds = {
        argument.name: set(_kinds(str(argument.type), value, operands, rank, largest))
        for argument, value in zip(schema.arguments, values)
    }
    operator = event.name() + ("." + overload if overload else "")
    return {operator: {name: words for name, words in kinds.items() if words}}


@functools.lru_cache(maxsize=None)
def operator_schema(name: str, overload: str) -> Any:
    """The schema of an operator (``aten::add``) and its overload (``Tensor``); None where this build has none such."""
    schemas = torch._C._jit_get_schemas_for_operator(name)
    return next((schema for schema in schemas if schema.overload_name == overload), None)


def _is_tensor(value: Value) -> bool:
    return value.dtype not in ("", "Scalar", "ScalarList", "TensorList", "GenericList")


def _kinds(declared: str, value: Value, operands: int, rank: int, largest: int) -> Iterator[str]:
    if value.dtype == "TensorList":
        yield from _list_kinds(value)
    elif _is_tensor(value):
        yield from _tensor_kinds(value.shape, value.strides, operands, rank, largest)
    elif value.concrete is None:
        if declared.startswith("Optional") and declared != "Optional[str]":
            yield "left out"
    elif isinstance(value.concrete, (list, tuple)):
        yield _numbers_kind(value.concrete)
    else:
        yield number_kind(value.concrete)


def number_kind(number: Any) -> str:
    """The class of a number: ``true``, ``0``, ``2``, ``more`` for integers, ``small``, ``fraction``, ``whole``."""
    if isinstance(number, bool):
        return "true" if number else "false"
    if isinstance(number, int):
        return "negative" if number < 0 else str(number) if number <= LAST_WORD else "more"
    if isinstance(number, complex) or not math.isfinite(number):
        return "complex" if isinstance(number, complex) else "not finite"
    if 0 <= number <= 1 and number == int(number):
        return str(float(number))
    sign = "negative " if number < 0 else ""
    return sign + ("whole" if number == int(number) else "small" if abs(number) < SMALL else "fraction")


def _numbers_kind(numbers: Sequence[Any]) -> str:
    if not numbers:
        return "empty"
    if len(numbers) == 1:
        return "one number"
    words = {number_kind(number) for number in numbers}
    if len(set(numbers)) > 1:
        return "fractions" if words & {"fraction", "negative fraction"} else "uneven"
    return {"0": "zeros", "1": "ones", "1.0": "ones", "fraction": "fractions"}.get(words.pop(), "alike")


def _tensor_kinds(
    shape: Sequence[int], strides: Sequence[int], operands: int, rank: int, largest: int
) -> Iterator[str]:
    if operands > 1:
        if not shape and rank:
            yield "scalar"
        else:
            yield "full" if math.prod(shape) == largest else "part"
    else:
        yield "given"
    yield from _memory_format(shape, strides)


def _memory_format(shape: Sequence[int], strides: Sequence[int]) -> Iterator[str]:
    """The format of an image or a volume, where its sizes tell one from the other."""
    if len(shape) not in CHANNELS_LAST_RANKS or 0 in shape or shape[1] == 1 or math.prod(shape[2:]) == 1:
        return
    if is_contiguous("contiguous", tuple(shape), tuple(strides)):
        yield "contiguous"
    else:
        yield "channels-last" if is_contiguous("channels_last", tuple(shape), tuple(strides)) else "other strides"


def _list_kinds(value: Value) -> Iterator[str]:
    yield "of one" if len(value.shape) == 1 else "of several"
    for place, (shape, strides) in enumerate(zip(value.shape, value.strides)):
        for memory_format in _memory_format(shape, strides):
            yield POSITIONS[min(place, 2)] + " " + memory_format


class TextArguments(torch.overrides.TorchFunctionMode):  # type: ignore[misc] # torch does not say what it is
    """Notes the texts that functions of torch are called with under it, which the profiler does not say."""

    def __init__(self) -> None:
        super().__init__()
        self.kinds: GatheredKinds = {}

    def __torch_function__(
        self, function: Callable[..., Any], types: object, args: Tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        named = kwargs or {}
        merge_kinds(self.kinds, _text_kinds(getattr(function, "__name__", ""), args, named))
        return function(*args, **named)


def _text_kinds(name: str, args: Sequence[Any], named: dict[str, Any]) -> GatheredKinds:
    """Of each form of the operator that has a text for an argument, the text that was given, or its default."""
    kinds: GatheredKinds = {}
    texts = [value for value in (*args, *named.values()) if isinstance(value, str)]
    for schema in torch._C._jit_get_schemas_for_operator("aten::" + name) if name else ():
        for place, argument in enumerate(schema.arguments):
            if str(argument.type) not in ("str", "Optional[str]"):
                continue
            default = argument.default_value if argument.has_default_value() else None
            value = args[place] if place < len(args) else named.get(argument.name, default)
            word = "left out" if value is None and str(argument.type) == "Optional[str]" else value
            if isinstance(word, str) and (texts or argument.has_default_value()):
                overload = "." + schema.overload_name if schema.overload_name else ""
                kinds.setdefault(schema.name + overload, {})[argument.name] = {word}
    return kinds
