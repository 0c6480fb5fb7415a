"""Which dtypes the outputs are due in: asked of the stock kernels, on contiguous tensors of the example's own dtypes.

The reference runs in float64 and cannot tell. PyTorch's rules can (type promotion, integers that become floats, norms
that keep float32 parameters beside half inputs, casts), and the operator applies them itself.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from .. import tensors
from . import invoke, modes

_KNOWN: dict[str, list[str]] = {}
"""Answers by question: dtypes follow from dtypes and from the kinds of the arguments, not from the sizes."""


def of_outputs(request: dict[str, Any], values: dict[str, Any], outputs: list[Any]) -> dict[str, str]:
    """The dtype due by ``output[i]``; empty where the call raises. `outputs` are those of the reference.

    Where all that is not an integer has the example's dtype, an output has it too, unless it has one dtype of its own
    whatever goes in, as the result of a cast has: then the reference's output is of that dtype as well.
    """
    arguments = _kinds([request["positional"], request["arguments"]])
    key = repr([request["call"], request["path"] == "autocast", _dtypes(request), arguments, len(outputs)])
    if key not in _KNOWN:
        try:
            _KNOWN[key] = _answered(request, values)
        except Exception:  # an operator that refuses this dtype has no output in it
            return {}
    found = [_due(request, answer, tensors.name_of(output.dtype)) for answer, output in zip(_KNOWN[key], outputs)]
    return {f"output[{index}]": dtype for index, dtype in enumerate(found)}


def _answered(request: dict[str, Any], values: dict[str, Any]) -> list[str]:
    with torch.no_grad(), modes.mode("autocast" if request["path"] == "autocast" else "no_grad"):
        inputs = {one.name: _typed(values, one) for one in tensors.described(request)}
        outputs = tensors.flatten(invoke.invoke(request, inputs, plain=True))
    return [tensors.name_of(output.dtype) for output in outputs]


def _typed(values: dict[str, Any], one: tensors.Described) -> Any:
    if one.shape is None:
        return None
    return torch.from_numpy(np.array(values[one.name], order="C")).to(getattr(torch, one.dtype))


def _due(request: dict[str, Any], answer: str, reference: str) -> str:
    example: str = request["dtype"]
    given = {dtype for dtype in _dtypes(request) if dtype and tensors.differentiable(dtype)}
    if request["path"] == "autocast":
        return answer
    floating = all(getattr(torch, dtype).is_floating_point for dtype in (example, answer))
    return example if floating and given == {example} and answer != reference else answer


def _dtypes(request: dict[str, Any]) -> list[str]:
    """The dtype of each tensor, and nothing for one that is absent."""
    return ["" if one.shape is None else one.dtype for one in tensors.described(request)]


def _kinds(value: Any) -> Any:
    """An argument with the type in place of each number, which alone has a part in promotion."""
    if isinstance(value, dict):
        return {name: _kinds(part) for name, part in value.items()}
    if isinstance(value, (tuple, list)):
        return [_kinds(part) for part in value]
    return type(value).__name__ if type(value) in (int, float) else value
