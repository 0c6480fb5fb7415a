"""The ways to run a model: eager, and what makes another program of it."""

from __future__ import annotations

import importlib
import shutil
from typing import Any, Callable

import torch

from .. import messages
from . import builder

WARM_UP = 2
"""Calls before the one observed: TorchScript's profiling executor optimises what it has seen run."""


class Unavailable(Exception):  # noqa: N818 - it names the state, and never leaves the worker
    """A way to run that this PyTorch or this machine does not have; the text says what is missing."""


def prepared(request: dict[str, Any], model: Any, given: list[Any]) -> Any:
    """What is called in place of the model. Raises ModelProblem where it cannot be made of it."""
    runner = request["runner"]
    if runner == "eager":
        return model
    try:
        return _MAKERS[runner](model, given)
    except Unavailable:
        raise
    except Exception as error:
        msg = f"{_NAMES[runner]} does not take the model: {messages.told(error)}"
        raise builder.ModelProblem(msg) from None


def _fx(model: Any, given: list[Any]) -> Any:
    del given
    return torch.fx.symbolic_trace(model)


def _script(model: Any, given: list[Any]) -> Any:
    return _warm(torch.jit.script(model), given)


def _trace(model: Any, given: list[Any]) -> Any:
    return _warm(torch.jit.trace(model, tuple(given), check_trace=False, strict=False), given)


def _warm(call: Any, given: list[Any]) -> Any:
    for _ in range(0 if call.training else WARM_UP):  # a training call would move the buffers
        call(*given)
    return call


def _export(model: Any, given: list[Any]) -> Any:
    exporting = _module("torch.export", "torch.export came with PyTorch 2.1")
    return exporting.export(model, tuple(given)).module()


def _compile(model: Any, given: list[Any]) -> Any:
    del given  # it compiles at the first call
    if not hasattr(torch, "compile"):
        msg = "torch.compile came with PyTorch 2.0"
        raise Unavailable(msg)
    config = _module("torch._inductor.config", "this PyTorch has no inductor")
    compilers = [name for name in _listed(config.cpp.cxx) if name and shutil.which(name)]
    if not compilers:
        msg = "inductor needs a C++ compiler, and none is on the path; install g++ or clang, or name it in CXX"
        raise Unavailable(msg)
    torch._dynamo.reset()
    return torch.compile(model)


def _listed(names: Any) -> list[Any]:
    return list(names) if isinstance(names, (tuple, list)) else [names]


def _module(name: str, without: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        raise Unavailable(without) from None


_MAKERS: dict[str, Callable[[Any, list[Any]], Any]] = {
    "fx": _fx,
    "script": _script,
    "trace": _trace,
    "export": _export,
    "compile": _compile,
}
_NAMES = {
    "fx": "torch.fx",
    "script": "torch.jit.script",
    "trace": "torch.jit.trace",
    "export": "torch.export",
    "compile": "torch.compile",
}
