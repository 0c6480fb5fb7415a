"""A model built and filled: the same parameters bit for bit in every worker, and activations that stay in range."""

from __future__ import annotations

import copy
import math
from typing import List, NamedTuple, Tuple

import numpy as np
import numpy.typing as npt
import torch

from ...portable import dtypes, fills
from . import calibration, factory, kept_weights, preparation
from .argument_data import tensor_of
from .call_arguments import call_arguments
from .model_request import InputRequest, ModelRequest

INPUT_STREAM = 1 << 20
"""Input i takes its numbers from this fill stream plus i; no model has as many parameters."""

REALS_RMS = 0.88
"""The root mean square of the `reals` fill: sqrt(7/3 * mean of 4**e for e in -3..0)."""


class _Built(NamedTuple):
    """A model, unconverted, and what its parameters depend on. `is_compiled`: its factory has compiled it."""

    key: Tuple[str, bool]
    model: torch.nn.Module
    is_compiled: bool


_LAST: List[_Built] = []
"""The last model built, or nothing: the next request mostly asks for the same."""


def build_model(request: ModelRequest) -> torch.nn.Module:
    """A fresh copy of the model in float32, filled, and calibrated where the request says how. Raises ModelProblem."""
    return copy.deepcopy(_last_built(request).model)


def _last_built(request: ModelRequest) -> _Built:
    """The model of a request, which is built if it is not the last that was."""
    key = (request.parameters_key, request.calibration is not None)
    if not _LAST or _LAST[0].key != key:
        release()
        made = factory.call_factory(request)
        original = preparation.original_of_compiled(made)
        model = _prepare(made if original is None else original, request)
        if request.weights_file:
            kept_weights.keep_weights(model, request.weights_file, writes=request.calibration is None)
        else:
            _fill(model, request.seed)
        if request.calibration is not None:
            calibration.apply_calibration(model, request.calibration)
        _LAST.append(_Built(key, model, original is not None))
    return _LAST[0]


def build_reference(request: ModelRequest) -> torch.nn.Module:
    """The same model in float64. Raises ModelProblem."""
    return preparation.cast(build_model(request), torch.float64)


def runner_of(request: ModelRequest) -> str:
    """How to run the model: as the request says, but that a network which its factory has compiled is compiled.

    Raises ModelProblem.
    """
    return "compile" if request.runner == "eager" and _last_built(request).is_compiled else request.runner


def _prepare(model: torch.nn.Module, request: ModelRequest) -> torch.nn.Module:
    """The network in float32, on the CPU, with all its parameters. Raises ModelProblem."""
    preparation.refuse_opaque(model)
    preparation.give_memory(model)
    preparation.initialise_lazy(model, call_arguments(request, inputs(request)))
    return preparation.cast(model, torch.float32)


def release() -> None:
    """Forget the last model."""
    _LAST.clear()


def _fill(model: torch.nn.Module, seed: int) -> None:
    """Fill every parameter from its own stream, exact in float32; of complex ones both parts."""
    for stream, (name, parameter) in enumerate(model.named_parameters()):
        shape = (*parameter.shape, 2) if parameter.is_complex() else tuple(parameter.shape)
        numbers = torch.from_numpy(np.ascontiguousarray(_parameter_values(name, shape, seed, stream), np.float32))
        parameter.data = torch.view_as_complex(numbers) if parameter.is_complex() else numbers


def _parameter_values(name: str, shape: Tuple[int, ...], seed: int, stream: int) -> npt.NDArray[np.float64]:
    """Matrices and kernels have rms sqrt(2 / fan-in) (He et al. 2015, arXiv:1502.01852) to a power of two.

    Vectors are scales around 1 where they are called weight, else small.
    """
    reals: npt.NDArray[np.float64] = fills.values("reals", "float32", shape, seed, stream)
    if sum(size > 1 for size in shape) > 1:
        fan = max(math.prod(shape[1:]), 1)
        return np.ldexp(reals, round(math.log2(math.sqrt(2.0 / fan) / REALS_RMS)))
    return 1.0 + reals / 8.0 if name.rpartition(".")[2] == "weight" else reals / 16.0


def inputs(request: ModelRequest, dtype: torch.dtype | None = None) -> List[torch.Tensor]:
    """Fresh contiguous inputs, exact in float32; the floating ones in `dtype` instead of their own, where it is one."""
    return [_input(request, index, spec, dtype) for index, spec in enumerate(request.inputs)]


def _input(request: ModelRequest, index: int, spec: InputRequest, dtype: torch.dtype | None) -> torch.Tensor:
    own = getattr(torch, spec.dtype)
    if spec.data is not None:
        return tensor_of(spec.data).to((dtype or own) if spec.dtype in dtypes.FLOATING else own)
    reals = fills.values("reals", "float32", spec.shape, request.seed, INPUT_STREAM + index)
    if spec.dtype in dtypes.FLOATING:
        return torch.from_numpy(reals).to(dtype or own)
    whole = np.floor(np.abs(reals) * 1024.0) % (spec.most + 1)
    return torch.from_numpy(whole).to(own)
