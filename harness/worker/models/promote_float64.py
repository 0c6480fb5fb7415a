"""What a model makes or casts by itself, in float64 where it is run as its own reference."""

from __future__ import annotations

import contextlib
from typing import Any, Iterator

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from ..reference import float64


class Wide(TorchDispatchMode):  # type: ignore[misc] # torch is not there where this is checked
    """Every operator that is asked for float32 gives float64: ``x.float()``, ``torch.arange(n).to(torch.float32)``."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """The operator, asked for float64."""
        del types
        keywords = dict(kwargs or {})
        if keywords.get("dtype") is torch.float32:
            keywords["dtype"] = torch.float64
        return func(*args, **keywords)


@contextlib.contextmanager
def wide() -> Iterator[None]:
    """The same for what is made without a dtype: a grid of coordinates, a mask of zeros; as before when it ends."""
    with float64.wide(), Wide():
        yield
