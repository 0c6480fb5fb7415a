"""Which tensors every module of a model gets and gives in a forward pass: memory format, dtype, shape."""

from __future__ import annotations

from typing import Callable, Dict, List, Mapping, Sequence, Tuple

import torch

from ...portable.model_protocol import ModuleLayoutData, TensorLayout
from .. import pytree
from .forward_hooks import register_beginning_hook

DescribeTensor = Callable[[torch.Tensor], TensorLayout]

MOST_TENSORS = 8
"""Tensors of one call that are described: a module that takes a list of hundreds is told by the first of them."""


class ModuleLayouts:
    """Hooks all modules of `model` for good; `describe` gives the layout of a tensor while it is as the module has it.

    Calls of one module that get and give the same formats count as one, whose tensors are those of the first.
    """

    def __init__(self, model: torch.nn.Module, describe: DescribeTensor) -> None:
        self._describe = describe
        self._calls: Dict[Tuple[object, ...], ModuleLayoutData] = {}
        self._order: List[ModuleLayoutData] = []
        self._open: List[ModuleLayoutData] = []
        self._modules = [(path, type(module).__name__) for path, module in model.named_modules()]
        for path, module in model.named_modules():
            register_beginning_hook(module, self._beginning_hook(path))
            module.register_forward_hook(self._end)

    @property
    def innermost(self) -> Tuple[str, str]:
        """Path and class of the module that is at work; both empty where none is."""
        return (self._open[-1]["path"], self._open[-1]["class_name"]) if self._open else ("", "")

    def data(self) -> List[ModuleLayoutData]:
        """The calls in the order in which they began, and then the modules that were not called.

        What a forward has not given, because it raised, is left out.
        """
        calls = [call for call in self._order if call["calls"]]
        called = {call["path"] for call in calls}
        return calls + [_call_data(path, name) for path, name in self._modules if path not in called]

    def _beginning_hook(self, path: str) -> Callable[..., None]:
        def begin(module: torch.nn.Module, args: Sequence[object], kwargs: Mapping[str, object] | None = None) -> None:
            """A module is at work: what it got is described before it can write into it."""
            call = _call_data(path, type(module).__name__)
            call["inputs"] = self._describe_all([args, kwargs])
            call["calls"] = 1
            self._order.append(call)
            self._open.append(call)

        return begin

    def _end(self, _module: torch.nn.Module, _args: object, output: object) -> None:
        """Its caller is at work again; a call like an earlier one is counted with that."""
        call = self._open.pop()
        call["outputs"] = self._describe_all(output)
        formats = [[layout[0] for layout in layouts] for layouts in (call["inputs"], call["outputs"])]
        first = self._calls.setdefault((call["path"], *map(tuple, formats)), call)
        if first is not call:
            first["calls"] += 1
            call["calls"] = 0

    def _describe_all(self, part: object) -> List[TensorLayout]:
        # asking a tensor for its strides is a call of a function of torch too, and nobody's whom the trace follows
        with torch._C.DisableTorchFunction():
            return [self._describe(tensor) for tensor in pytree.flatten(part)[:MOST_TENSORS]]


def _call_data(path: str, class_name: str) -> ModuleLayoutData:
    """A module that was not called."""
    return {"path": path, "class_name": class_name, "inputs": [], "outputs": [], "calls": 0}
