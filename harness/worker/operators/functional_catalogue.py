"""What torch.nn.functional offers in this build, and which of it a suite calls under whatever name."""

from __future__ import annotations

import types
from typing import Any, Iterable

import torch

from . import lookup

FOREIGN = ("typing", "torch.overrides", "collections.abc")
"""Modules whose names torch.nn.functional imports for itself."""


def functions() -> dict[str, Any]:
    """The public callables of torch.nn.functional by name, those it imports for its own use left out."""
    module = torch.nn.functional
    named = {name: getattr(module, name) for name in sorted(dir(module)) if not name.startswith("_")}
    return {name: value for name, value in named.items() if _offered(name, value)}


def _offered(name: str, value: Any) -> bool:
    if isinstance(value, (type, types.ModuleType)) or not callable(value):
        return False
    # has_torch_function and its variants are builtins of torch._C, with no module that would tell them apart
    return getattr(value, "__module__", "") not in FOREIGN and not name.startswith("has_torch_function")


def called(dotted: Iterable[str]) -> dict[str, str]:
    """Dotted name -> the function of torch.nn.functional that it is, for those names that are one.

    The same object counts, so torch.pixel_shuffle is torch.nn.functional.pixel_shuffle.
    """
    names: dict[int, str] = {}
    for name, value in functions().items():
        names.setdefault(id(value), name)
    found = {}
    for each in dotted:
        known = _known(each, names)
        if known:
            found[each] = known
    return found


def _known(dotted: str, names: dict[int, str]) -> str | None:
    prefix, _dot, last = dotted.rpartition(".")
    try:
        value = lookup.resolve(dotted)
    except lookup.Unresolved:
        return None
    # some functions have two names there
    return last if prefix == "torch.nn.functional" else names.get(id(value))
