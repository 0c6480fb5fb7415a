"""The gradients of a call, and those of their product with a direction: a Hessian-vector product, and its transpose."""

from __future__ import annotations

from typing import Dict, Mapping

import torch

from ...portable import tensor_name
from .. import fill_values
from ..call import Call
from ..tensors import PlacedTensor

PATH = "double_backward"
"""The way to run a call that asks for these."""


def place_directions(call: Call, contiguous: bool) -> Dict[str, torch.Tensor]:
    """A direction for each gradient, in its tensor's own layout or contiguous: the numbers are those of tangents."""
    return {
        operand.name: PlacedTensor(
            fill_values.tangent_values(call, operand, shape),
            operand.torch_dtype,
            None if contiguous else operand.layout,
        ).view
        for operand, shape in call.present
        if operand.is_differentiated
    }


def derive_twice(
    ends: Mapping[int, torch.Tensor],
    leaves: Mapping[str, torch.Tensor],
    grad_outputs: Mapping[int, torch.Tensor],
    directions: Mapping[str, torch.Tensor],
) -> Dict[str, torch.Tensor]:
    """By ``grad:name`` the gradients, and by ``second:name`` and ``second:grad_output[i]`` those of their product.

    What nothing depends on is left out. The graph is kept.
    """
    moving = {index: grad_output.detach().requires_grad_() for index, grad_output in grad_outputs.items()}
    gradients = torch.autograd.grad(
        list(ends.values()), list(leaves.values()), list(moving.values()), create_graph=True, allow_unused=True
    )
    results = {tensor_name.gradient(name): part for name, part in zip(leaves, gradients) if part is not None}
    kept = {name: part for name, part in zip(leaves, gradients) if part is not None and part.requires_grad}
    if not kept:
        return results
    sources = {tensor_name.second(name): leaf for name, leaf in leaves.items()}
    sources.update((tensor_name.second(tensor_name.grad_output(index)), each) for index, each in moving.items())
    seconds = torch.autograd.grad(
        list(kept.values()),
        list(sources.values()),
        [directions[name].to(gradient.dtype) for name, gradient in kept.items()],
        allow_unused=True,
        retain_graph=True,
    )
    results.update((name, part) for name, part in zip(sources, seconds) if part is not None)
    return results
