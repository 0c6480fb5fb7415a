"""A model built and filled: the same parameters bit for bit in every worker, and activations that stay in range."""

from __future__ import annotations

import copy
import importlib
import math
from typing import Any, Iterator

import numpy as np
import torch

# generation's self-contained module joins this package when it is shipped
from ...portable import dtypes, fills
from .. import messages
from ..operators import lookup

INPUT_STREAM = 1 << 20
"""Input i takes its numbers from this fill stream plus i; no model has as many parameters."""

REALS_RMS = 0.88
"""The root mean square of the `reals` fill: sqrt(7/3 * mean of 4**e for e in -3..0)."""

LEAST_VARIANCE = 0.25
"""Layers are scaled to about 1; a channel of less variance would be magnified, and with it every rounding."""

_HELD: dict[str, Any] = {}
"""The last model built, unconverted: the next request mostly asks for the same."""


class ModelProblem(Exception):  # noqa: N818 - it names the state, and never leaves the worker
    """What keeps a model from being judged, in one sentence."""


def missing(packages: Any) -> str:
    """Which of the packages that a model requires cannot be imported here, and how to get it; or nothing."""
    return next(filter(None, map(_lacking, packages)), "")


def _lacking(name: str) -> str:
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name == name:
            return f"{name} is not installed beside PyTorch {torch.__version__}; `pip install {name}` gets it"
        return f"{name} cannot be imported: {messages.first_line(error)}"
    except Exception as error:
        text = "the installed {} does not match PyTorch {} ({}); install the build made for it"
        return text.format(name, torch.__version__, messages.told(error))
    return ""


def checked(request: dict[str, Any]) -> dict[str, str]:
    """`missing`: which required package is; else `problem`: what keeps the factory from being had."""
    lacking = missing(request["requires"])
    try:
        if not lacking:
            found(request["factory"])
    except ModelProblem as error:
        return {"missing": "", "problem": str(error)}
    return {"missing": lacking, "problem": ""}


def built(request: dict[str, Any], state: Any = None) -> Any:
    """A fresh copy of the model in float32, filled; with `state`, also calibrated. Raises ModelProblem."""
    key = repr((request["factory"], sorted(request["arguments"].items()), request["seed"], bool(state)))
    if _HELD.get("key") != key:
        _HELD.clear()
        model = _made(request)
        _fill(model, request["seed"])
        if state:
            _apply(model, state)
        _HELD.update(key=key, model=model)
    return copy.deepcopy(_HELD["model"])


def release() -> None:
    """Forget the model that is held."""
    _HELD.clear()


def _made(request: dict[str, Any]) -> Any:
    dotted = request["factory"]
    factory = found(dotted)
    torch.manual_seed(0)
    try:
        model = factory(**request["arguments"])
    except Exception as error:
        msg = f"{dotted} raised {messages.told(error)}"
        raise ModelProblem(msg) from None
    if not isinstance(model, torch.nn.Module):
        msg = f"{dotted} returned a {type(model).__name__}; a factory returns a torch.nn.Module"
        raise ModelProblem(msg)
    return model.float()


def found(dotted: str) -> Any:
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
        msg = f"{module} cannot be imported: {messages.told(error)}"
        raise ModelProblem(msg) from None
    try:
        return lookup.resolve(dotted)
    except lookup.Unresolved as error:
        raise ModelProblem(str(error)) from None


def _fill(model: Any, seed: int) -> None:
    """Every parameter from its own stream, exact in float32."""
    for stream, (name, parameter) in enumerate(model.named_parameters()):
        numbers = _numbers(name, tuple(parameter.shape), seed, stream)
        parameter.data = torch.from_numpy(np.ascontiguousarray(numbers, np.float32))


def _numbers(name: str, shape: tuple[int, ...], seed: int, stream: int) -> Any:
    """Matrices and kernels have rms sqrt(2 / fan-in) (He et al. 2015, arXiv:1502.01852) to a power of two.

    Vectors are scales around 1 where they are called weight, else small.
    """
    reals = fills.values("reals", "float32", shape, seed, stream)
    if sum(size > 1 for size in shape) > 1:
        fan = max(math.prod(shape[1:]), 1)
        return np.ldexp(reals, round(math.log2(math.sqrt(2.0 / fan) / REALS_RMS)))
    return 1.0 + reals / 8.0 if name.rpartition(".")[2] == "weight" else reals / 16.0


def inputs(request: dict[str, Any], double: bool = False) -> list[Any]:
    """Fresh contiguous inputs, exact in float32; in float64 where asked."""
    made = []
    for index, (_name, shape, dtype, _layout, most) in enumerate(request["inputs"]):
        stream = INPUT_STREAM + index
        if dtype in dtypes.FLOATING:
            numbers = fills.values("reals", "float32", shape, request["seed"], stream)
            made.append(torch.from_numpy(numbers).to(torch.float64 if double else getattr(torch, dtype)))
        else:
            raw = fills.values("reals", "float32", shape, request["seed"], stream)
            whole = np.floor(np.abs(raw) * 1024.0) % (most + 1)
            made.append(torch.from_numpy(whole).to(getattr(torch, dtype)))
    return made


def calibrate(model: Any, given: list[Any]) -> dict[str, Any]:
    """One forward pass that brings every layer into range; what it changed, as plain data for `built`.

    Each convolution and linear layer is scaled by the power of two that gives its output a root mean square of about 1
    (Mishkin and Matas, "All you need is a good init", ICLR 2016), and each normalisation with running statistics gets
    those of the data that reach it. `model` is float64 and in evaluation mode; `given` is what it is called with.
    """
    state: dict[str, Any] = {"powers": {}, "buffers": {}}
    handles = [handle for name, module in model.named_modules() for handle in _tuned(name, module, state)]
    try:
        model(*given)
    finally:
        for handle in handles:
            handle.remove()
    return state


def _tuned(name: str, module: Any, state: dict[str, Any]) -> Iterator[Any]:
    if isinstance(getattr(module, "running_mean", None), torch.Tensor):
        yield module.register_forward_pre_hook(lambda one, given: _measure(name, one, given[0], state))
    if isinstance(module, (torch.nn.Linear, torch.nn.modules.conv._ConvNd)):
        yield module.register_forward_hook(lambda one, _given, output: _scale(name, one, output, state))


def _scale(name: str, module: Any, output: Any, state: dict[str, Any]) -> Any:
    """Scale at the first call; a layer that is called again (a shared head) stays."""
    if name in state["powers"]:
        return output
    size = float(output.detach().square().mean().sqrt()) if output.numel() else 0.0
    power = -round(math.log2(size)) if 0.0 < size < math.inf else 0
    state["powers"][name] = power
    with torch.no_grad():
        for parameter in module.parameters(recurse=False):
            parameter.mul_(2.0**power)
    return output * 2.0**power


def _measure(name: str, module: Any, given: Any, state: dict[str, Any]) -> None:
    if name in state["buffers"]:
        return
    flat = given.detach().transpose(0, 1).reshape(given.shape[1], -1)
    spread = flat.var(1, unbiased=False)
    found = [array.numpy().astype(np.float32) for array in (flat.mean(1), spread.clamp(min=LEAST_VARIANCE))]
    with torch.no_grad():
        for target, array in zip((module.running_mean, module.running_var), found):
            target.copy_(torch.from_numpy(array))
    state["buffers"][name] = [array.tobytes() for array in found]


def _apply(model: Any, state: dict[str, Any]) -> None:
    modules = dict(model.named_modules())
    with torch.no_grad():
        for name, power in state["powers"].items():
            for parameter in modules[name].parameters(recurse=False):
                parameter.mul_(2.0**power)
        for name, (mean, var) in state["buffers"].items():
            for target, raw in ((modules[name].running_mean, mean), (modules[name].running_var, var)):
                target.copy_(torch.from_numpy(np.frombuffer(raw, np.float32).copy()))
