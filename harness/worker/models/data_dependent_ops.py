"""Whether a model selects by its own numbers: which boxes are kept is decided by a comparison, and never half."""

from __future__ import annotations

from typing import Mapping, Sequence

import torch

from .operator_mode import OperatorMode

SELECTIONS = {"nonzero", "masked_select", "topk", "sort", "argsort", "argmax", "argmin", "nms"}
"""Operators whose result is a choice of elements, or their order. That of max pooling is continuous in its values."""


class DataDependentOps(OperatorMode):
    """Notes in `selects` whether an operator among SELECTIONS runs."""

    def __init__(self) -> None:
        super().__init__()
        self.selects = False

    def intercept(self, func: torch._ops.OpOverload, args: Sequence[object], keywords: Mapping[str, object]) -> object:
        """The operator as it is."""
        self.selects = self.selects or func.overloadpacket.__name__ in SELECTIONS
        return func(*args, **keywords)
