"""Which dtypes the outputs are due in: asked of the stock kernels, on contiguous tensors of the example's own dtypes.

The reference runs in float64 and cannot tell. PyTorch's rules can (type promotion, integers that become floats, norms
that keep float32 parameters beside half inputs, casts), and the operator applies them itself.
"""

from __future__ import annotations

from typing import Mapping

import numpy as np
import torch

from ...portable import dtypes, tensor_name
from .. import tensors
from ..call import Argument, Call, TorchByName
from . import invoke, modes

_ANSWERS: dict[str, list[str]] = {}
"""Answers by question: dtypes follow from dtypes and from the kinds of the arguments, not from the sizes."""


def due_dtypes(call: Call, values: Mapping[str, tensors.Array], outputs: list[torch.Tensor]) -> dict[str, str]:
    """The dtype due by ``output[i]``; empty where the call raises. `outputs` are those of the reference.

    Where all that is not an integer has the example's dtype, an output has it too, unless it has one dtype of its own
    whatever goes in, as the result of a cast has: then the reference's output is of that dtype as well, or an argument
    names it.
    """
    kinds = [_kinds(call.positional), {name: _kinds(value) for name, value in call.arguments.items()}]
    key = repr([call.call, call.path == "autocast", _operand_dtypes(call), kinds, len(outputs)])
    if key not in _ANSWERS:
        try:
            _ANSWERS[key] = _stock_dtypes(call, values)
        except Exception:  # an operator that refuses this dtype has no output in it
            return {}
    return {
        tensor_name.output(index): _due(call, answer, tensors.name_of(output.dtype))
        for index, (answer, output) in enumerate(zip(_ANSWERS[key], outputs))
    }


def _stock_dtypes(call: Call, values: Mapping[str, tensors.Array]) -> list[str]:
    with torch.no_grad(), modes.mode("autocast" if call.path == "autocast" else "no_grad"):
        inputs = {operand.name: None for operand in call.operands}
        for operand, _shape in call.present:
            inputs[operand.name] = torch.from_numpy(np.array(values[operand.name], order="C")).to(operand.torch_dtype)
        outputs = invoke.output_tensors(call, inputs, plain=True)
    return [tensors.name_of(output.dtype) for output in outputs]


def _due(call: Call, answer: str, reference: str) -> str:
    if call.path == "autocast" or TorchByName(answer) in (*call.positional, *call.arguments.values()):
        return answer
    differentiable = {dtype for dtype in _operand_dtypes(call) if dtype and dtypes.is_differentiable(dtype)}
    floating = all(getattr(torch, dtype).is_floating_point for dtype in (call.dtype, answer))
    return call.dtype if floating and differentiable == {call.dtype} and answer != reference else answer


def _operand_dtypes(call: Call) -> list[str]:
    """The dtype of each tensor, and nothing for one that is absent."""
    return ["" if operand.shape is None else operand.dtype for operand in call.operands]


def _kinds(value: Argument) -> object:
    """An argument with the type in place of each number, which alone has a part in promotion."""
    if isinstance(value, tuple):
        return [_kinds(part) for part in value]
    return type(value).__name__ if type(value) in (int, float) else value
