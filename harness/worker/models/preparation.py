"""What a network that a factory made needs before it can be filled, copied and run in another precision."""

from __future__ import annotations

import torch

from .. import pytree
from .argument_data import Arguments
from .call_arguments import call_model
from .problems import ModelProblem

QUANTISED = ("torch.ao.nn.quantized", "torch.nn.quantized", "torch.ao.nn.intrinsic.quantized")
"""Packages whose modules compute in integers."""

_COMPLEX = {torch.float32: torch.complex64, torch.float64: torch.complex128}


def original_of_compiled(model: torch.nn.Module) -> torch.nn.Module | None:
    """The network that ``torch.compile`` was given; None for one that is not compiled."""
    original = getattr(model, "_orig_mod", None)
    return original if isinstance(original, torch.nn.Module) else None


def refuse_opaque(model: torch.nn.Module) -> None:
    """Raise ModelProblem for a network with modules that have no float64 reference, or that nobody can look into."""
    for path, module in model.named_modules():
        name = f"{path or 'the model'} is a {type(module).__name__}"
        if type(module).__module__.startswith(QUANTISED):
            msg = (
                f"{name}, which computes in integers and has no float64 reference: judge the network as it is before "
                "it is quantised"
            )
            raise ModelProblem(msg)
        if isinstance(module, torch.jit.ScriptModule):
            msg = (
                f"{name}, into which nobody can look: give the factory of the network that was scripted, which "
                "--runner script, or `runners: [script]` in a suite, runs as such a program"
            )
            raise ModelProblem(msg)


def give_memory(model: torch.nn.Module) -> None:
    """Give a network whose parameters are on ``meta`` memory on the CPU, and its buffers their first values.

    Raises ModelProblem for a buffer whose values nobody knows.
    """
    if not any(tensor.is_meta for tensor in [*model.parameters(), *model.buffers()]):
        return
    for path, module in model.named_modules():
        own = [name for name, buffer in module.named_buffers(recurse=False) if buffer.is_meta]
        if own and not hasattr(module, "reset_parameters"):
            name = f"{path}.{own[0]}" if path else own[0]
            msg = f"its buffer {name} is on meta, and nobody knows its values: make the network on the CPU"
            raise ModelProblem(msg)
    model.to_empty(device="cpu")
    for module in model.modules():
        if hasattr(module, "reset_parameters"):
            module.reset_parameters()


def initialise_lazy(model: torch.nn.Module, arguments: Arguments) -> None:
    """Call a network with lazy modules once, which gives these their shapes. Raises whatever the call raises."""
    if any(map(torch.nn.parameter.is_lazy, [*model.parameters(), *model.buffers()])):
        model.eval()
        with torch.no_grad():
            call_model(model, arguments)


def cast(model: torch.nn.Module, dtype: torch.dtype) -> torch.nn.Module:
    """The network with all that is floating in `dtype`, and all that is complex in the complex numbers of that.

    Not only parameters and buffers, as ``Module.to``, but tensors that a module merely has as attributes, in containers
    too. These are cut off from what they were computed from, without which no network can be copied; but an attribute
    that is a parameter or a buffer stays that one (an LSTM keeps its weights in a list as well), so that a step of
    training reaches it.
    """

    def change(tensor: torch.Tensor) -> torch.Tensor:
        """The tensor in the new precision, where it is a number with a fraction."""
        if tensor.is_complex():
            return tensor.to(_COMPLEX[dtype])
        return tensor.to(dtype) if tensor.is_floating_point() else tensor

    before = [*model.parameters(), *model.buffers()]
    model._apply(change)
    after = [*model.parameters(), *model.buffers()]
    own = {id(tensor): tensor for tensor in after}
    own.update(zip(map(id, before), after))

    def change_attribute(tensor: torch.Tensor) -> torch.Tensor:
        """The network's own tensor that the attribute is; else what it is in the new precision."""
        return own[id(tensor)] if id(tensor) in own else change(tensor.detach())

    modules_own = vars(torch.nn.Module())
    for module in model.modules():
        for name, value in list(vars(module).items()):
            if name not in modules_own and pytree.flatten(value):
                vars(module)[name] = pytree.map_tensors(value, change_attribute)
    return model
