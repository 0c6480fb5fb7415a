"""The factory of a model: found by its dotted name, called, and what to say where that cannot be."""

from __future__ import annotations

import importlib
import random
from typing import Callable, Iterable

import numpy as np
import torch

from ...portable.model_protocol import ModelCheckReply, ModelCheckRequest
from .. import messages
from ..operators import lookup
from .model_request import ModelRequest
from .problems import ModelProblem

Factory = Callable[..., object]
"""What makes a model, from arguments by name. What it returns need not be a module until that has been looked at."""


def check_model(request: ModelCheckRequest) -> ModelCheckReply:
    """Whether the required packages are there, and then whether the factory is."""
    lacking = missing_package(request["requires"])
    if lacking:
        return {"status": "missing", "message": lacking}
    try:
        find_factory(request["factory"])
    except ModelProblem as error:
        return {"status": "problem", "message": str(error)}
    return {"status": "ok"}


def missing_package(packages: Iterable[str]) -> str:
    """Which of the packages that a model requires cannot be imported here, and how to get it; or nothing."""
    return next(filter(None, map(_import_problem, packages)), "")


def _import_problem(name: str) -> str:
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name == name:
            return f"{name} is not installed beside PyTorch {torch.__version__}; `pip install {name}` gets it"
        return f"{name} cannot be imported: {messages.first_line(error)}"
    except Exception as error:
        text = "the installed {} does not match PyTorch {} ({}); install the build made for it"
        return text.format(name, torch.__version__, messages.error_line(error))
    return ""


def call_factory(request: ModelRequest) -> torch.nn.Module:
    """The model as its factory leaves it. Raises ModelProblem."""
    dotted = request.factory
    factory = find_factory(dotted)
    _seed_generators()
    try:
        model = factory(**request.arguments)
    except Exception as error:
        msg = f"{dotted} raised {messages.error_line(error)}"
        raise ModelProblem(msg) from None
    if not isinstance(model, torch.nn.Module):
        msg = f"{dotted} returned a {type(model).__name__}; a factory returns a torch.nn.Module"
        raise ModelProblem(msg)
    return model


def _seed_generators() -> None:
    """Let a factory draw the same weights each time it is called."""
    torch.manual_seed(0)
    np.random.seed(0)  # noqa: NPY002 - the generator that factories use
    random.seed(0)


def find_factory(dotted: str) -> Factory:
    """The factory of that name. Raises ModelProblem, with what went wrong where its module fails to import."""
    module = dotted.rpartition(".")[0]
    try:
        importlib.import_module(module)
    except ModuleNotFoundError as error:
        # a part of the name that is no module may be a class: `resolve` says which part there is not
        if error.name is None or not (module + ".").startswith(error.name + "."):
            msg = f"{module} cannot be imported: {messages.first_line(error)}"
            raise ModelProblem(msg) from None
    except Exception as error:
        msg = f"{module} cannot be imported: {messages.error_line(error)}"
        raise ModelProblem(msg) from None
    try:
        return lookup.resolve(dotted)
    except lookup.Unresolved as error:
        raise ModelProblem(str(error)) from None
