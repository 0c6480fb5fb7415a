"""What a model makes or casts by itself, in float64 where it is run as its own reference."""

from __future__ import annotations

import contextlib
from typing import Iterator, Mapping, Sequence

import torch

from ..reference import graph
from .operator_mode import OperatorMode, may_draw


class PromoteFloat64(OperatorMode):
    """Every operator that is asked for float32 gives float64: ``x.float()``, ``torch.arange(n).to(torch.float32)``.

    Random numbers are drawn in float32 and then widened: of the same seed ``torch.rand`` has others in float64, of 53
    bits each and not of 24 (aten/src/ATen/core/DistributionsHelper.h).
    """

    def intercept(self, func: torch._ops.OpOverload, args: Sequence[object], keywords: Mapping[str, object]) -> object:
        """The operator, asked for float64."""
        promoted = dict(keywords)
        if promoted.get("dtype") is torch.float32:
            promoted["dtype"] = torch.float64
        return _draw_float32(func, args, promoted) if may_draw(func) else func(*args, **promoted)


def _draw_float32(func: torch._ops.OpOverload, args: Sequence[object], keywords: Mapping[str, object]) -> object:
    """What an operator that draws gives for float32, in float64; what it writes into holds that too."""
    narrow = [_convert_dtype(argument, torch.float64, torch.float32) for argument in args]
    named = {name: _convert_dtype(value, torch.float64, torch.float32) for name, value in keywords.items()}
    if named.get("dtype") is torch.float64:
        named["dtype"] = torch.float32
    with graph.default_dtype(torch.float32):
        drawn = func(*narrow, **named)
    for declared, argument, written in zip(func._schema.arguments, args, narrow):
        is_written = declared.alias_info is not None and declared.alias_info.is_write
        if is_written and argument is not written and isinstance(argument, torch.Tensor):
            argument.copy_(written)
            if drawn is written:
                return argument
    if isinstance(drawn, tuple):
        return tuple(_convert_dtype(part, torch.float32, torch.float64) for part in drawn)
    return _convert_dtype(drawn, torch.float32, torch.float64)


def _convert_dtype(value: object, before: torch.dtype, after: torch.dtype) -> object:
    return value.to(after) if isinstance(value, torch.Tensor) and value.dtype is before else value


@contextlib.contextmanager
def promote_float64() -> Iterator[None]:
    """The same for what is made without a dtype: a grid of coordinates, a mask of zeros; as before when it ends."""
    with graph.wide(), PromoteFloat64():
        yield
