"""What every module of a model was called with in the reference, and the gradients that came back to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Callable, Dict, List, Mapping, Sequence

import torch

from ...portable.model_protocol import RecordedCallData
from .. import pytree
from .argument_data import Arguments
from .forward_hooks import register_beginning_hook


@dataclass
class RecordedCall:
    """One call of one module. `gradients` are those of its outputs, by the names of these."""

    path: str
    class_name: str
    arguments: Arguments
    is_parent: bool = False
    gradients: Dict[str, torch.Tensor] = field(default_factory=dict)

    def to_data(self) -> RecordedCallData:
        """What the harness is told of it."""
        return {"path": self.path, "class_name": self.class_name, "is_parent": self.is_parent}


class CallRecorder:
    """Hooks that keep, for each module call of the first forward pass, what came in and the gradient that came back."""

    def __init__(self, model: torch.nn.Module) -> None:
        self.calls: List[RecordedCall] = []
        self._open: List[RecordedCall] = []
        self._is_done = False
        for path, module in model.named_modules():
            register_beginning_hook(module, self._beginning_hook(path))
            module.register_forward_hook(self._end)

    def _beginning_hook(self, path: str) -> Callable[..., None]:
        def begin(module: torch.nn.Module, args: Sequence[object], kwargs: Mapping[str, object] | None = None) -> None:
            """Keep copies of the arguments; whoever is still in its forward is a parent."""
            if self._open:
                self._open[-1].is_parent = True
            positional = [pytree.plain_containers(value) for value in args]
            named = {name: pytree.plain_containers(value) for name, value in (kwargs or {}).items()}
            self._open.append(RecordedCall(path, type(module).__name__, map_arguments((positional, named), _copy)))

        return begin

    def _end(self, module: torch.nn.Module, args: object, output: object) -> None:
        del module, args
        call = self._open.pop()
        if self._is_done:
            return
        self.calls.append(call)
        self._is_done = not self._open
        for name, tensor in outputs_or_none(output).items():
            if tensor.requires_grad:
                tensor.register_hook(_gradient_hook(call.gradients, name))


def _copy(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.detach().clone()


def _gradient_hook(gradients: Dict[str, torch.Tensor], name: str) -> Callable[[torch.Tensor], None]:
    def keep(gradient: torch.Tensor) -> None:
        """Keep a contiguous copy: what comes after may write into it."""
        gradients[name] = gradient.detach().clone(memory_format=torch.contiguous_format)

    return keep


def map_arguments(arguments: Arguments, change: pytree.TensorMap) -> Arguments:
    """The same arguments with every tensor changed."""
    positional, named = arguments
    return (
        [pytree.map_tensors(value, change) for value in positional],
        {name: pytree.map_tensors(value, change) for name, value in named.items()},
    )


def outputs_or_none(result: object) -> Dict[str, torch.Tensor]:
    """The named tensors of a module's result; none where it is not made of tensors alone."""
    try:
        return pytree.named_outputs(result)
    except pytree.NotTensors:
        return {}
