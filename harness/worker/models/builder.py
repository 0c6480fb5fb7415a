"""A model built and filled: the same parameters bit for bit in every worker, and activations that stay in range."""

from __future__ import annotations

import copy
import math
from typing import List, NamedTuple, Tuple

import numpy as np
import numpy.typing as npt
import torch

from ...portable import dtypes, fills
from . import calibration, factory
from .model_request import InputRequest, ModelRequest

INPUT_STREAM = 1 << 20
"""Input i takes its numbers from this fill stream plus i; no model has as many parameters."""

REALS_RMS = 0.88
"""The root mean square of the `reals` fill: sqrt(7/3 * mean of 4**e for e in -3..0)."""


class _Built(NamedTuple):
    """A model, unconverted, and what its parameters depend on."""

    key: Tuple[str, bool]
    model: torch.nn.Module


_LAST: List[_Built] = []
"""The last model built, or nothing: the next request mostly asks for the same."""


def build_model(request: ModelRequest) -> torch.nn.Module:
    """A fresh copy of the model in float32, filled, and calibrated where the request says how. Raises ModelProblem."""
    key = (request.parameters_key, request.calibration is not None)
    if not _LAST or _LAST[0].key != key:
        release()
        model = factory.call_factory(request)
        _fill(model, request.seed)
        if request.calibration is not None:
            calibration.apply_calibration(model, request.calibration)
        _LAST.append(_Built(key, model))
    return copy.deepcopy(_LAST[0].model)


def release() -> None:
    """Forget the last model."""
    _LAST.clear()


def _fill(model: torch.nn.Module, seed: int) -> None:
    """Fill every parameter from its own stream, exact in float32."""
    for stream, (name, parameter) in enumerate(model.named_parameters()):
        numbers = _parameter_values(name, tuple(parameter.shape), seed, stream)
        parameter.data = torch.from_numpy(np.ascontiguousarray(numbers, np.float32))


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
    reals = fills.values("reals", "float32", spec.shape, request.seed, INPUT_STREAM + index)
    own = getattr(torch, spec.dtype)
    if spec.dtype in dtypes.FLOATING:
        return torch.from_numpy(reals).to(dtype or own)
    whole = np.floor(np.abs(reals) * 1024.0) % (spec.most + 1)
    return torch.from_numpy(whole).to(own)
