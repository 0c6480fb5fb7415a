"""What is not PyTorch's own: callables by their names, and operators as they run.

Of a foreign operator nobody but itself says what it should give: no other kernel computes the same.
"""

from __future__ import annotations

from typing import Any, Callable, List, Mapping, Sequence, Tuple

import torch
from torch.utils._python_dispatch import TorchDispatchMode

STOCK_PACKAGES = ("torch", "torchvision", __name__.partition(".")[0])
"""PyTorch, torchvision, and the harness's own functions, which are made of their operators."""


def _operator_names() -> List[str]:
    """The names of all operators that there are; PyTorch 1.13 lists them in the JIT's registry only."""
    if hasattr(torch._C, "_dispatch_get_all_op_names"):
        return list(torch._C._dispatch_get_all_op_names())
    return [schema.name for schema in torch._C._jit_get_all_schemas()]


STOCK_NAMESPACES = frozenset({"torchvision", *(name.partition("::")[0] for name in _operator_names())})
"""The namespaces of operators that are there once torch is imported, before any preload file, and torchvision's."""


def is_foreign_name(dotted: str) -> bool:
    """Whether what has that name belongs to none of the stock packages; of an operator its namespace counts."""
    parts = dotted.split(".")
    if parts[:2] == ["torch", "ops"] and len(parts) > 2:
        return parts[2] not in STOCK_NAMESPACES
    return parts[0] not in STOCK_PACKAGES


def foreign_operators(names: Sequence[str]) -> List[str]:
    """Those of these operators (``mine::scale``) that neither PyTorch nor torchvision has."""
    return [name for name in names if name.partition("::")[0] not in STOCK_NAMESPACES]


class ForeignOperators(TorchDispatchMode):  # type: ignore[misc] # torch is not there where types are checked
    """Notes in `names` the foreign operators (``mine::scale``) that run under it, forward and backward."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def __torch_dispatch__(
        self,
        func: Callable[..., object],
        types: Sequence[type],
        args: Tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> object:
        """Run one operator, and note it where it is foreign."""
        name = str(func._schema.name)  # type: ignore[attr-defined] # torch's operators have one
        self.names.update(foreign_operators([name]))
        return func(*args, **(kwargs or {}))
