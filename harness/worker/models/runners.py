"""The ways to run a model: eager, and what makes another program of it."""

from __future__ import annotations

import importlib
import inspect
from types import ModuleType
from typing import Callable

import torch
from torch.utils.checkpoint import checkpoint

from .. import messages
from ..operators import compiled
from .argument_data import Arguments
from .call_arguments import call_model
from .model_request import ModelRequest
from .problems import ModelProblem, Unavailable

WARM_UP = 2
"""Calls before the one observed: TorchScript's profiling executor optimises what it has seen run."""


def make_program(request: ModelRequest, model: torch.nn.Module, arguments: Arguments) -> torch.nn.Module:
    """The module to call in place of the model. Raises ModelProblem where it cannot be made of it, and Unavailable."""
    runner = request.runner
    if runner == "eager":
        return model
    try:
        return _MAKERS[runner](model, arguments)
    except Unavailable:
        raise
    except Exception as error:
        msg = f"{_NAMES[runner]} does not take the model: {messages.error_line(error)}"
        raise ModelProblem(msg) from None


class _Checkpointed(torch.nn.Module):  # type: ignore[misc] # torch is not there where types are checked
    """A model that keeps nothing for its backward, which runs the forward again."""

    def __init__(self, model: torch.nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, *positional: object, **named: object) -> object:
        """What the model returns."""
        return checkpoint(self.model, *positional, use_reentrant=False, **named)


def _checkpoint(model: torch.nn.Module, arguments: Arguments) -> torch.nn.Module:
    del arguments
    return _Checkpointed(model)


def _distribute(model: torch.nn.Module, arguments: Arguments) -> torch.nn.Module:
    """The model as one of one process that exchange gradients: these go through buckets, and come out of them."""
    del arguments
    if not (torch.distributed.is_available() and torch.distributed.is_gloo_available()):
        msg = "this PyTorch was built without torch.distributed on gloo"
        raise Unavailable(msg)
    if not torch.distributed.is_initialized():
        torch.distributed.init_process_group("gloo", store=torch.distributed.HashStore(), rank=0, world_size=1)
    return torch.nn.parallel.DistributedDataParallel(model)


def leave_process_group() -> None:
    """End what `ddp` began: modules that exchange statistics, as SyncBatchNorm, ask whether there is a group at all."""
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


def _fx(model: torch.nn.Module, arguments: Arguments) -> torch.nn.Module:
    del arguments
    return torch.fx.symbolic_trace(model)


def _script(model: torch.nn.Module, arguments: Arguments) -> torch.nn.Module:
    return _warm_up(torch.jit.script(model), arguments)


def _trace(model: torch.nn.Module, arguments: Arguments) -> torch.nn.Module:
    positional, named = arguments
    keywords = {"example_kwarg_inputs": named} if named else {}
    if named and "example_kwarg_inputs" not in inspect.signature(torch.jit.trace).parameters:
        msg = "torch.jit.trace takes keyword arguments since PyTorch 2.0"
        raise Unavailable(msg)
    examples = tuple(positional) or (None if named else ())
    return _warm_up(torch.jit.trace(model, examples, check_trace=False, strict=False, **keywords), arguments)


def _warm_up(program: torch.jit.ScriptModule, arguments: Arguments) -> torch.jit.ScriptModule:
    for _ in range(0 if program.training else WARM_UP):  # a training call would move the buffers
        call_model(program, arguments)
    return program


def _export(model: torch.nn.Module, arguments: Arguments) -> torch.nn.Module:
    exporter = _import_or_unavailable("torch.export", "torch.export came with PyTorch 2.1")
    return exporter.export(model, tuple(arguments[0]), arguments[1]).module()


def _compile(model: torch.nn.Module, arguments: Arguments) -> torch.nn.Module:
    del arguments  # it compiles at the first call
    if problem := compiled.compiler_problem():
        raise Unavailable(problem)
    torch._dynamo.reset()
    return torch.compile(model)


def _import_or_unavailable(name: str, without: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ImportError:
        raise Unavailable(without) from None


_MAKERS: dict[str, Callable[[torch.nn.Module, Arguments], torch.nn.Module]] = {
    "checkpoint": _checkpoint,
    "ddp": _distribute,
    "fx": _fx,
    "script": _script,
    "trace": _trace,
    "export": _export,
    "compile": _compile,
}
_NAMES = {
    "checkpoint": "torch.utils.checkpoint",
    "ddp": "torch.nn.parallel.DistributedDataParallel",
    "fx": "torch.fx",
    "script": "torch.jit.script",
    "trace": "torch.jit.trace",
    "export": "torch.export",
    "compile": "torch.compile",
}
