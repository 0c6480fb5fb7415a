"""Random numbers by their place in a tensor, whatever its memory format or dtype: for models that are seeded."""

from __future__ import annotations

import contextlib
from typing import ContextManager, Iterator, Mapping, Sequence

import torch

from .. import pytree
from ..reference import graph
from .model_request import ModelRequest
from .operator_mode import OperatorMode, may_draw


class SeededDraws(OperatorMode):
    """Every operator that draws gives the same number at the same index, in the strides and the dtype that are due."""

    def intercept(self, func: torch._ops.OpOverload, args: Sequence[object], keywords: Mapping[str, object]) -> object:
        """The operator; if it draws, as `draw_by_index` has it."""
        return draw_by_index(func, args, keywords) if may_draw(func) else func(*args, **keywords)


def draw_by_index(func: torch._ops.OpOverload, args: Sequence[object], keywords: Mapping[str, object]) -> object:
    """What an operator returns that may draw: the numbers of a contiguous float32 call, in its own strides and dtype.

    torch's kernels draw in the order of memory, and for a contiguous tensor by other arithmetic than for any other
    (`normal_fill` in aten/src/ATen/native/cpu/DistributionTemplates.h): ``torch.randn_like`` of an image has other
    numbers in channels-last, and others again in a half type or in float64. So an operator that draws is called once
    as it is, for strides and dtype, and once more from the same state of the generator on contiguous copies in
    float32; what it writes into holds these numbers too. What it computes beside, as rrelu does, is of them as well.
    One that draws nothing with these arguments is called once.
    """
    plain_args = [pytree.map_tensors(_plain(value), _plain_tensor) for value in args]
    plain_keywords = {name: pytree.map_tensors(_plain(value), _plain_tensor) for name, value in keywords.items()}
    generator = _generator([*args, *keywords.values()])
    before = generator.get_state()
    result = func(*args, **keywords)
    if torch.equal(before, generator.get_state()):
        return result
    generator.set_state(before)
    with graph.default_dtype(torch.float32):
        numbers = func(*plain_args, **plain_keywords)
    written = [*_written_tensors(func, args, keywords), *pytree.flatten(result)]
    for tensor, plain in zip(written, [*_written_tensors(func, plain_args, plain_keywords), *pytree.flatten(numbers)]):
        tensor.copy_(plain)
    return result


def _plain(value: object) -> object:
    """An argument that says a format or a dtype, for the contiguous call; any other as it is."""
    if isinstance(value, torch.memory_format):
        return torch.contiguous_format
    return torch.float32 if isinstance(value, torch.dtype) and value.is_floating_point else value


def _plain_tensor(tensor: torch.Tensor) -> torch.Tensor:
    """A contiguous copy, in float32 where it is floating."""
    dtype = torch.float32 if tensor.is_floating_point() else tensor.dtype
    return tensor.to(dtype, copy=True, memory_format=torch.contiguous_format)


def _generator(values: Sequence[object]) -> torch.Generator:
    """The generator that an operator with these arguments draws from."""
    return next((value for value in values if isinstance(value, torch.Generator)), torch.default_generator)


def _written_tensors(
    func: torch._ops.OpOverload, args: Sequence[object], keywords: Mapping[str, object]
) -> Iterator[torch.Tensor]:
    """The tensors that an operator writes into, in the order of its schema."""
    for index, declared in enumerate(func._schema.arguments):
        value = args[index] if index < len(args) else keywords.get(declared.name)
        is_written = declared.alias_info is not None and declared.alias_info.is_write
        if is_written and isinstance(value, torch.Tensor):
            yield value


def draws_of(request: ModelRequest) -> ContextManager[object]:
    """A context in which a model that is seeded draws so; any other, and what is compiled, draws as torch does.

    Dynamo leaves eager what it is called with under a mode, and inductor has random numbers of its own.
    """
    return SeededDraws() if request.seeded and request.runner != "compile" else contextlib.nullcontext()
