"""Whether a model selects by its own numbers: which boxes are kept is decided by a comparison, and never half."""

from __future__ import annotations

from typing import Mapping, Sequence

import torch
from torch.utils._python_dispatch import TorchDispatchMode

SELECTIONS = {"nonzero", "masked_select", "topk", "sort", "argsort", "argmax", "argmin", "nms"}
"""Operators whose result is a choice of elements, or their order. That of max pooling is continuous in its values."""


class DataDependentOps(TorchDispatchMode):  # type: ignore[misc] # torch is not there where this is checked
    """Notes in `selects` whether an operator among SELECTIONS runs."""

    def __init__(self) -> None:
        super().__init__()
        self.selects = False

    def __torch_dispatch__(
        self,
        func: torch._ops.OpOverload,
        types: Sequence[type],
        args: Sequence[object] = (),
        kwargs: Mapping[str, object] | None = None,
    ) -> object:
        """The operator as it is."""
        del types
        self.selects = self.selects or func.overloadpacket.__name__ in SELECTIONS
        return func(*args, **(kwargs or {}))
