"""Forward hooks of modules, as the PyTorch under test has them."""

from __future__ import annotations

import inspect
from typing import Callable, Mapping, Sequence

import torch


def register_beginning_hook(module: torch.nn.Module, hook: Callable[..., None]) -> torch.utils.hooks.RemovableHandle:
    """Hook the beginning of a module's forward: the hook gets the module, its arguments, and those by name.

    PyTorch before 2.0 does not show hooks the latter.
    """
    has_keywords = "with_kwargs" in inspect.signature(module.register_forward_pre_hook).parameters
    return module.register_forward_pre_hook(hook, **({"with_kwargs": True} if has_keywords else {}))


def register_end_hook(
    module: torch.nn.Module, hook: Callable[[torch.nn.Module, Sequence[object], object], object]
) -> torch.utils.hooks.RemovableHandle:
    """Hook the end of a module's forward: the hook gets the module, all its arguments and its output.

    The arguments by name stand behind those by position. What the hook returns is the output, unless it is None.
    """
    if "with_kwargs" not in inspect.signature(module.register_forward_hook).parameters:
        return module.register_forward_hook(hook)

    def end(module: torch.nn.Module, args: Sequence[object], kwargs: Mapping[str, object], output: object) -> object:
        """Hand all arguments on."""
        return hook(module, (*args, *kwargs.values()), output)

    return module.register_forward_hook(end, with_kwargs=True)
