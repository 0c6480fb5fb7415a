"""Forward hooks of modules, as the PyTorch under test has them."""

from __future__ import annotations

import inspect
from typing import Callable

import torch


def register_beginning_hook(module: torch.nn.Module, hook: Callable[..., None]) -> torch.utils.hooks.RemovableHandle:
    """Hook the beginning of a module's forward: the hook gets the module, its arguments, and those by name.

    PyTorch before 2.0 does not show hooks the latter.
    """
    has_keywords = "with_kwargs" in inspect.signature(module.register_forward_pre_hook).parameters
    return module.register_forward_pre_hook(hook, **({"with_kwargs": True} if has_keywords else {}))
