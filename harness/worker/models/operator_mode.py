"""A mode in which every operator of ATen goes through one's own hands, below autograd."""

from __future__ import annotations

from typing import Any, Mapping, Sequence

import torch
from torch.utils._python_dispatch import TorchDispatchMode


class OperatorMode(TorchDispatchMode):  # type: ignore[misc] # torch is not there where this is checked
    """Hands each operator that is called to `intercept`, whose own calls do not come back to it."""

    def __torch_dispatch__(
        self,
        func: torch._ops.OpOverload,
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> object:
        del types
        return self.intercept(func, args, kwargs or {})

    def intercept(self, func: torch._ops.OpOverload, args: Sequence[Any], keywords: Mapping[str, Any]) -> object:
        """Call the operator, and give what it is to have returned."""
        return func(*args, **keywords)


def may_draw(func: torch._ops.OpOverload) -> bool:
    """Whether an operator is one of those that draw from a generator; with some arguments they may not."""
    return torch.Tag.nondeterministic_seeded in func.tags
