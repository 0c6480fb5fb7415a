"""What torch.nn.functional offers in this build, and which of it a suite calls under whatever name."""

from __future__ import annotations

import types
from typing import Callable, Iterable

import torch

from . import lookup

FOREIGN = ("typing", "torch.overrides", "collections.abc")
"""Modules whose names torch.nn.functional imports for itself."""


def functions() -> dict[str, Callable[..., object]]:
    """The public callables of torch.nn.functional by name, those it imports for its own use left out."""
    module = torch.nn.functional
    public = {name: getattr(module, name) for name in sorted(dir(module)) if not name.startswith("_")}
    return {name: value for name, value in public.items() if _is_offered(name, value)}


def _is_offered(name: str, value: object) -> bool:
    if isinstance(value, (type, types.ModuleType)) or not callable(value):
        return False
    # has_torch_function and its variants are builtins of torch._C, with no module that would tell them apart
    return getattr(value, "__module__", "") not in FOREIGN and not name.startswith("has_torch_function")


def functional_names(calls: Iterable[str]) -> dict[str, str]:
    """Dotted name -> the function of torch.nn.functional that it is, for those names that are one.

    The same object counts, so torch.pixel_shuffle is torch.nn.functional.pixel_shuffle.
    """
    names: dict[int, str] = {}
    for name, value in functions().items():
        names.setdefault(id(value), name)
    pairs = ((dotted, _functional_name(dotted, names)) for dotted in calls)
    return {dotted: name for dotted, name in pairs if name}


def _functional_name(dotted: str, names: dict[int, str]) -> str | None:
    prefix, _dot, last = dotted.rpartition(".")
    try:
        value = lookup.resolve(dotted)
    except lookup.Unresolved:
        return None
    # some functions have two names there
    return last if prefix == "torch.nn.functional" else names.get(id(value))
