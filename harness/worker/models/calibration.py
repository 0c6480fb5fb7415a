"""Activations of about 1 in every layer: one forward pass in float64 that scales the layers, made again elsewhere."""

from __future__ import annotations

import math
from typing import Callable, Iterator, Mapping, Sequence

import numpy as np
import torch

from .. import pytree
from .argument_data import Arguments
from .call_arguments import call_model
from .forward_hooks import register_beginning_hook
from .model_request import Calibration

LEAST_VARIANCE = 0.25
"""Layers are scaled to about 1; a channel of less variance would be magnified, and with it every rounding."""


def calibrate(model: torch.nn.Module, arguments: Arguments) -> Calibration:
    """Bring every layer into range in one forward pass; what that changed, for `apply_calibration`.

    Each convolution and linear layer is scaled by the power of two that gives its output a root mean square of about 1
    (Mishkin and Matas, "All you need is a good init", ICLR 2016), and each normalisation with running statistics gets
    those of the data that reach it. `model` is float64 and in evaluation mode; it is called with `arguments`.
    """
    calibration = Calibration({}, {})
    handles = [handle for path, module in model.named_modules() for handle in _hook(path, module, calibration)]
    try:
        call_model(model, arguments)
    finally:
        for handle in handles:
            handle.remove()
    return calibration


def _hook(path: str, module: torch.nn.Module, calibration: Calibration) -> Iterator[torch.utils.hooks.RemovableHandle]:
    if isinstance(getattr(module, "running_mean", None), torch.Tensor):
        yield register_beginning_hook(module, _measuring_hook(path, calibration))
    if isinstance(module, (torch.nn.Linear, torch.nn.modules.conv._ConvNd)):
        yield module.register_forward_hook(_scaling_hook(path, calibration))


def _scaling_hook(path: str, calibration: Calibration) -> Callable[..., torch.Tensor]:
    def scale(module: torch.nn.Module, _inputs: object, output: torch.Tensor) -> torch.Tensor:
        """Scale at the first call; a layer that is called again (a shared head) stays."""
        if path in calibration.powers:
            return output
        size = float(output.detach().square().mean().sqrt()) if output.numel() else 0.0
        power = -round(math.log2(size)) if 0.0 < size < math.inf else 0
        calibration.powers[path] = power
        _scale_parameters(module, power)
        return output * 2.0**power

    return scale


def _scale_parameters(module: torch.nn.Module, power: int) -> None:
    """Multiply the module's own parameters by that power of two, which is exact."""
    with torch.no_grad():
        for parameter in module.parameters(recurse=False):
            parameter.mul_(2.0**power)


def _measuring_hook(path: str, calibration: Calibration) -> Callable[..., None]:
    def measure(module: torch.nn.Module, args: Sequence[object], kwargs: Mapping[str, object] | None = None) -> None:
        """Set the running statistics to those of the first input, rounded to float32."""
        tensors = pytree.flatten([args, kwargs])
        if path in calibration.statistics or not tensors:
            return
        flat = tensors[0].detach().transpose(0, 1).reshape(tensors[0].shape[1], -1)
        variance = flat.var(1, unbiased=False).clamp(min=LEAST_VARIANCE)
        mean_bytes, variance_bytes = (
            tensor.numpy().astype(np.float32).tobytes() for tensor in (flat.mean(1), variance)
        )
        calibration.statistics[path] = (mean_bytes, variance_bytes)
        _set_statistics(module, mean_bytes, variance_bytes)

    return measure


def _set_statistics(module: torch.nn.Module, mean: bytes, variance: bytes) -> None:
    """Copy float32 numbers into the running statistics of a normalisation."""
    with torch.no_grad():
        for target, raw in ((module.running_mean, mean), (module.running_var, variance)):
            target.copy_(torch.from_numpy(np.frombuffer(raw, np.float32).copy()))


def apply_calibration(model: torch.nn.Module, calibration: Calibration) -> None:
    """Change a freshly filled model as the reference's was changed."""
    modules = dict(model.named_modules())
    for path, power in calibration.powers.items():
        _scale_parameters(modules[path], power)
    for path, (mean, variance) in calibration.statistics.items():
        _set_statistics(modules[path], mean, variance)
