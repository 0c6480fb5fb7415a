"""One call of what a request names: a function, or a module with its state put in."""

from __future__ import annotations

import functools
from typing import Callable, Mapping, Optional

import torch

from .. import pytree
from ..call import Argument, Call, ModuleConstruction, TensorByName, TorchByName
from . import lookup

Inputs = Mapping[str, Optional[torch.Tensor]]
"""The tensors of a call by name; one that is absent is None."""


def in_place_form(call: Call, plain: bool = False) -> tuple[Callable[..., object], dict[str, bool]]:
    """The callable of a call, and the keyword that makes it in place; `plain` leaves its in-place form aside."""
    inplace = None if plain else call.inplace
    if inplace and "." in inplace:
        return lookup.resolve(inplace), {}
    return lookup.resolve(call.call), {inplace: True} if inplace else {}


def invoke(call: Call, inputs: Inputs, plain: bool = False, **more: object) -> object:
    """What the callable returns for these tensors, and `more` keywords.

    Raises what it raises, and Unresolved.
    """
    return bind(call, inputs, plain)(**more)


def bind(call: Call, inputs: Inputs, plain: bool = False) -> Callable[..., object]:
    """The callable with all of its arguments, which are these tensors, or the new module with them. Raises Unresolved.

    A module is made once, and counts on where it is called again.
    """
    positional = tuple(resolve_argument(value, inputs) for value in call.positional)
    keywords = {name: resolve_argument(value, inputs) for name, value in call.arguments.items()}
    if call.module is None:
        function, form = in_place_form(call, plain)
        return functools.partial(function, *positional, **form, **keywords)
    return functools.partial(module_with_state(call.call, call.module, inputs), *positional, **keywords)


def output_tensors(call: Call, inputs: Inputs, plain: bool = False) -> list[torch.Tensor]:
    """The tensors that `invoke` returns, in order, out of whatever containers."""
    return pytree.flatten(invoke(call, inputs, plain))


def resolve_argument(value: Argument, inputs: Inputs) -> object:
    """An argument with the tensors, and what torch's names stand for, in their places."""
    if isinstance(value, TensorByName):
        return inputs[value.name]
    if isinstance(value, TorchByName):
        return lookup.torch_attribute(value.name)
    return tuple(resolve_argument(part, inputs) for part in value) if isinstance(value, tuple) else value


def make_module(dotted: str, module: ModuleConstruction) -> torch.nn.Module:
    """A new module: what it counts (`num_batches_tracked`) starts again with every call."""
    options = {name: resolve_argument(value, {}) for name, value in module.init.items()}
    instance: torch.nn.Module = lookup.resolve(dotted)(**options)
    return instance.train(module.train)


def module_with_state(dotted: str, module: ModuleConstruction, inputs: Inputs) -> torch.nn.Module:
    """A new module in which the tensors stand for parameters and buffers. Raises Unresolved where one has none."""
    instance = make_module(dotted, module)
    without = [name for name in floating_state(instance) if name not in module.state]
    if without:
        msg = f"{dotted} has {without[0]!r}, for which no tensor of the case stands"
        raise lookup.Unresolved(msg)
    for name, tensor in module.state.items():
        put(instance, name, inputs[tensor])
    return instance


def floating_state(module: torch.nn.Module) -> list[str]:
    """The names of the module's parameters, and of its buffers that are not integers."""
    names = [name for name, _ in module.named_parameters()]
    return names + [name for name, buffer in module.named_buffers() if buffer.is_floating_point()]


def put(module: torch.nn.Module, name: str, tensor: torch.Tensor | None) -> None:
    """Let the tensor stand for a parameter or buffer; an absent one (None) the module does not have.

    The module is new, and nothing need be put back. A parameter that is no `Parameter` is found all the same.
    """
    path, _dot, leaf = name.rpartition(".")
    owner = module.get_submodule(path)
    table = owner._parameters if leaf in owner._parameters else owner._buffers
    table[leaf] = tensor
