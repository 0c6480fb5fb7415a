"""Whether a model selects by its own numbers: which boxes are kept is decided by a comparison, and never half."""

from __future__ import annotations

from typing import Any

from torch.utils._python_dispatch import TorchDispatchMode

SELECTIONS = {"nonzero", "masked_select", "topk", "sort", "argsort", "argmax", "argmin", "nms"}
"""Operators whose result is a choice of elements, or their order. That of max pooling is continuous in its values."""


class DataDependentOps(TorchDispatchMode):  # type: ignore[misc] # torch is not there where this is checked
    """Notes in `seen` whether an operator among SELECTIONS runs."""

    def __init__(self) -> None:
        super().__init__()
        self.seen = False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """The operator as it is."""
        del types
        self.seen = self.seen or func.overloadpacket.__name__ in SELECTIONS
        return func(*args, **(kwargs or {}))
