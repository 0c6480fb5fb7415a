"""What torch.nn.functional and its like offer in this build, and which of it a suite calls under whatever name."""

from __future__ import annotations

import importlib
import types
from operator import itemgetter
from typing import Any, Callable, Dict, Iterable

import torch

from . import lookup

FOREIGN = ("typing", "torch.overrides", "collections.abc")
"""Modules whose names a namespace imports for itself."""

BOUND = ("torch", "torch._C._nn", "torch._C._linalg", "torch._C._fft")
"""Where the bindings of ATen's operators say that they are from: each is called as its operator is."""

Functions = Dict[str, Callable[..., object]]


def functions(namespace: str) -> Functions:
    """The public callables of that module or class by name, without what it imports for its own use.

    There are none where it is not there: it may be of a package that is not installed.
    """
    owner = _owner(namespace)
    if owner is None:
        return {}
    public: list[tuple[str, Any]] = [(name, getattr(owner, name, None)) for name in dir(owner) if name[0] != "_"]
    return {name: value for name, value in sorted(public, key=itemgetter(0)) if _is_offered(name, value)}


def _owner(namespace: str) -> object:
    """The module of that name, or the class."""
    try:
        return importlib.import_module(namespace)
    except ImportError:
        prefix, _dot, last = namespace.rpartition(".")
    try:
        return getattr(importlib.import_module(prefix), last, None)
    except (ImportError, ValueError):
        return None


def _is_offered(name: str, value: object) -> bool:
    if isinstance(value, (type, types.ModuleType)) or not callable(value):
        return False
    # has_torch_function and its variants are builtins of torch._C, with no module that would tell them apart
    return getattr(value, "__module__", "") not in FOREIGN and not name.startswith("has_torch_function")


def operator_name(value: object) -> str:
    """The ATen operator that a binding calls, as ``aten::add``; nothing for a function that is written in Python."""
    is_bound = isinstance(value, type(torch.Tensor.add)) or getattr(value, "__module__", "") in BOUND
    name = getattr(value, "__name__", "")
    is_python = isinstance(value, types.FunctionType)
    return "aten::" + name if is_bound and not is_python and hasattr(torch.ops.aten, name) else ""


def called_names(calls: Iterable[str], offered: dict[str, Functions]) -> dict[str, list[str]]:
    """Dotted name -> the functions of the namespaces that it is, each with its namespace before it.

    The same object counts, so torch.pixel_shuffle is torch.nn.functional.pixel_shuffle as well.
    """
    names: dict[int, list[str]] = {}
    for namespace, each in offered.items():
        for name, value in each.items():
            names.setdefault(id(value), []).append(namespace + "." + name)
    pairs = ((dotted, _names_of(dotted, offered, names)) for dotted in calls)
    return {dotted: functions_it_is for dotted, functions_it_is in pairs if functions_it_is}


def _names_of(dotted: str, offered: dict[str, Functions], names: dict[int, list[str]]) -> list[str]:
    prefix, _dot, last = dotted.rpartition(".")
    try:
        value = lookup.resolve(dotted)
    except lookup.Unresolved:
        return []
    # some functions have two names in a namespace: the one that is written is meant
    others = [name for name in names.get(id(value), []) if name.rpartition(".")[0] != prefix]
    return [dotted, *others] if last in offered.get(prefix, {}) else _first_of_each(others)


def _first_of_each(names: list[str]) -> list[str]:
    first: dict[str, str] = {}
    for name in names:
        first.setdefault(name.rpartition(".")[0], name)
    return list(first.values())
