"""What a model makes or casts by itself, in float64 where it is run as its own reference."""

from __future__ import annotations

import contextlib
from typing import Iterator, Mapping, Sequence

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from ..reference import graph


class PromoteFloat64(TorchDispatchMode):  # type: ignore[misc] # torch is not there where this is checked
    """Every operator that is asked for float32 gives float64: ``x.float()``, ``torch.arange(n).to(torch.float32)``."""

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
        return func(*args, **keywords)


@contextlib.contextmanager
def promote_float64() -> Iterator[None]:
    """The same for what is made without a dtype: a grid of coordinates, a mask of zeros; as before when it ends."""
    with graph.wide(), PromoteFloat64():
        yield
