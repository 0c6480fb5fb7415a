"""From a dotted name to a callable, with an answer to what is wrong where there is none."""

from __future__ import annotations

import contextlib
import difflib
import functools
import importlib
import importlib.util
import os
import sys
from types import ModuleType
from typing import Callable

import torch

from .. import messages, stray_forks


class Unresolved(Exception):  # noqa: N818 - it names the state, and never leaves the worker
    """A callable that cannot be had; the text says which part of its name is at fault."""


@functools.lru_cache(maxsize=None)
def resolve(dotted: str) -> Callable[..., object]:
    """The callable of that name. Modules are imported as they are met. Raises Unresolved."""
    parts = dotted.split(".")
    value: object = _module(parts[0], dotted)
    if parts[:2] == ["torch", "ops"] and len(parts) > 3:
        _register(parts[2])
    for index, part in enumerate(parts[1:], 1):
        value = _attribute(value, part, ".".join(parts[:index]), dotted)
    if not callable(value):
        msg = f"{dotted} is not callable: it is {type(value).__name__}"
        raise Unresolved(msg)
    return value


def torch_attribute(name: str) -> object:
    """What torch has under this name: a dtype, a memory format. Raises Unresolved."""
    return _attribute(torch, name, "torch", "torch." + name)


def torch_attribute_problem(name: str) -> str:
    """Why torch has nothing under this name, or nothing."""
    try:
        torch_attribute(name)
    except Unresolved as error:
        return str(error)
    return ""


def preload(path: str) -> str:
    """Run a Python file as the module of its name; returns what it raised as one sentence, or nothing.

    A process that the file forks ends here if it has not ended in the file: only this one goes on.
    """
    owner = os.getpid()
    try:
        return _run_as_module(path)
    finally:
        stray_forks.end_stray_fork(owner)


def _run_as_module(path: str) -> str:
    name = path.rpartition("/")[2].rpartition(".")[0]
    try:
        spec = importlib.util.spec_from_file_location(name, path)
        if spec is None or spec.loader is None:
            return f"preload {path} is not a Python file"
        module = importlib.util.module_from_spec(spec)
        sys.modules.setdefault(name, module)
        spec.loader.exec_module(module)
    except BaseException as error:
        return f"preload {path} raised {messages.error_line(error)}"
    return ""


def _module(name: str, dotted: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name == name:
            msg = f"no module named {name!r} (for {dotted})"
            raise Unresolved(msg) from None
        msg = f"{name} cannot be imported: {messages.first_line(error)}"
        raise Unresolved(msg) from None
    except Exception as error:
        raise Unresolved(_mismatch(name, error)) from None


def _mismatch(name: str, error: Exception) -> str:
    if name != "torchvision":
        return f"{name} cannot be imported: {messages.error_line(error)}"
    text = "the installed torchvision does not match PyTorch {} and cannot be imported ({}); install its own build"
    return text.format(torch.__version__, messages.error_line(error))


def _register(namespace: str) -> None:
    """Import the package that registers a ``torch.ops`` namespace, where one has its name."""
    if importlib.util.find_spec(namespace) is not None:
        _module(namespace, namespace)


def _attribute(owner: object, name: str, path: str, dotted: str) -> object:
    with contextlib.suppress(AttributeError):
        value: object = getattr(owner, name)
        return value
    try:
        return importlib.import_module(path + "." + name)
    except ImportError:
        close = difflib.get_close_matches(name, [word for word in dir(owner) if not word.startswith("_")], 1)
        hint = f"; did you mean {path}.{close[0]}?" if close else ""
        where = "" if path + "." + name == dotted else f" (for {dotted})"
        msg = f"{path} has no {name!r}{where}{hint}"
        raise Unresolved(msg) from None
