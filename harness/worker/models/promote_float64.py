"""What a model makes or casts by itself, in float64 where it is run as its own reference."""

from __future__ import annotations

import contextlib
from typing import Dict, Final, Iterator, Mapping, Sequence

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from ..reference import graph

_SEEDED: Final = torch.Tag.nondeterministic_seeded
"""The tag of an operator that draws from torch's generator."""


class PromoteFloat64(TorchDispatchMode):  # type: ignore[misc] # torch is not there where this is checked
    """Every operator that is asked for float32 gives float64: ``x.float()``, ``torch.arange(n).to(torch.float32)``.

    Random numbers are drawn in float32 and then widened: of the same seed ``torch.rand`` has others in float64, of 53
    bits each and not of 24 (aten/src/ATen/core/DistributionsHelper.h).
    """

    def __torch_dispatch__(
        self,
        func: torch._ops.OpOverload,
        types: Sequence[type],
        args: Sequence[object] = (),
        kwargs: Mapping[str, object] | None = None,
    ) -> object:
        """The operator, asked for float64."""
        del types
        keywords = dict(kwargs or {})
        if keywords.get("dtype") is torch.float32:
            keywords["dtype"] = torch.float64
        if _SEEDED in getattr(func, "tags", ()):
            return _draw_float32(func, args, keywords)
        return func(*args, **keywords)


def _draw_float32(func: torch._ops.OpOverload, args: Sequence[object], keywords: Dict[str, object]) -> object:
    """What an operator that draws gives for float32, in float64; what it writes into holds that too."""
    narrow = [_convert_dtype(argument, torch.float64, torch.float32) for argument in args]
    named = {name: _convert_dtype(value, torch.float64, torch.float32) for name, value in keywords.items()}
    if named.get("dtype") is torch.float64:
        named["dtype"] = torch.float32
    with _default_dtype(torch.float32):
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


@contextlib.contextmanager
def _default_dtype(dtype: torch.dtype) -> Iterator[None]:
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def _convert_dtype(value: object, before: torch.dtype, after: torch.dtype) -> object:
    return value.to(after) if isinstance(value, torch.Tensor) and value.dtype is before else value


@contextlib.contextmanager
def promote_float64() -> Iterator[None]:
    """The same for what is made without a dtype: a grid of coordinates, a mask of zeros; as before when it ends."""
    with graph.wide(), PromoteFloat64():
        yield
