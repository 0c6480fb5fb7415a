"""What a model makes or casts by itself, in float64 where it is run as its own reference."""

from __future__ import annotations

import contextlib
from typing import Iterator, Mapping, Sequence

import torch

from ..reference import graph
from .operator_mode import OperatorMode, may_draw
from .seeded_draws import draw_by_index


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
        return draw_by_index(func, args, promoted) if may_draw(func) else func(*args, **promoted)


@contextlib.contextmanager
def promote_float64() -> Iterator[None]:
    """The same for what is made without a dtype: a grid of coordinates, a mask of zeros; as before when it ends."""
    with graph.wide(), PromoteFloat64():
        yield
