"""A call under torch.func's transforms: batched by vmap along some dimension, and the gradients of each sample.

What is mapped over are two slices, of which one is the example's. The other has numbers of its own, so that a batching
rule that mixes them up is seen.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Callable, Dict, List, Mapping, Tuple

import torch

from ...portable import tensor_name
from .. import fill_values, tensors
from ..call import Call
from ..tensors import PlacedTensor
from . import invoke

MAPPED = ("vmap_last", "vmap_one")
"""Ways to run a call under vmap: the slices of each tensor lie behind its last dimension, and those of the results
too; or the first tensor alone has slices, behind its first dimension."""

Placed = Mapping[str, PlacedTensor]
PlaceGradOutput = Callable[[int, torch.Tensor], PlacedTensor]
"""Places the grad_output of an output that has this number."""


class Slices:
    """Puts beside a tensor of a call another of the same layout, with the numbers of the next seed."""

    def __init__(self, call: Call) -> None:
        self._values = fill_values.CallValues(replace(call, seed=call.seed + 1))
        self.own = call.seed % 2
        """Which of the two is the example's."""

    def pair_input(self, name: str, placed: PlacedTensor, dim: int, inner: bool = False) -> torch.Tensor:
        """An input and the other one along a new dimension `dim`, which is the innermost in memory where `inner`."""
        return self._pair(placed, PlacedTensor(self._values.inputs[name], placed.view.dtype, placed.layout), dim, inner)

    def pair_grad_output(self, index: int, placed: PlacedTensor) -> torch.Tensor:
        """The grad_output of an output and the other one along a new first dimension."""
        dtype = placed.view.dtype
        values = self._values.grad_output(index, tuple(placed.view.shape), tensors.name_of(dtype))
        return self._pair(placed, PlacedTensor(values, dtype, placed.layout), 0, inner=False)

    def _pair(self, placed: PlacedTensor, other: PlacedTensor, dim: int, inner: bool) -> torch.Tensor:
        """Both in one memory, one behind the other, each with the strides of its layout, or element by element."""
        bases = (other.base, placed.base) if self.own else (placed.base, other.base)
        view, width = placed.view, 2 if inner else 1
        shape, strides = list(view.shape), [width * stride for stride in view.stride()]
        shape.insert(dim, 2)
        strides.insert(dim, 1 if inner else placed.base.numel())
        return torch.stack(bases, -1 if inner else 0).as_strided(shape, strides, width * view.storage_offset())


def call_mapped(call: Call, inputs: invoke.Inputs, placed: Placed) -> List[torch.Tensor]:
    """Run the call under vmap, along the dimensions that its path says; the example's slice of each output."""
    slices, is_last = Slices(call), call.path == "vmap_last"
    dims: List[int | None] = [placed_tensor.view.dim() if is_last else None for placed_tensor in placed.values()]
    if not is_last:
        dims[0] = min(1, next(iter(placed.values())).view.dim())
    operands = [
        tensor.view if dim is None else slices.pair_input(name, tensor, dim, inner=is_last)
        for (name, tensor), dim in zip(placed.items(), dims)
    ]

    def call_slice(*parts: torch.Tensor) -> Tuple[torch.Tensor, ...]:
        """The call on one slice of each tensor that has some."""
        return tuple(invoke.output_tensors(call, {**inputs, **dict(zip(placed, parts))}))

    out_dim = -1 if is_last else 0
    outputs = torch.vmap(call_slice, in_dims=tuple(dims), out_dims=out_dim)(*operands)
    return [output.select(out_dim, slices.own) for output in outputs]


def call_per_sample(
    call: Call, inputs: invoke.Inputs, placed: Placed, place_grad_output: PlaceGradOutput
) -> Tuple[List[torch.Tensor], Dict[str, torch.Tensor]]:
    """The outputs, and by ``grad:name`` the gradients, of one of two samples: the first tensor's, others are shared.

    That is torch.func.vjp under vmap. What a gradient does not depend on gives zeros there.
    """
    slices, first = Slices(call), next(iter(placed))
    leaves = [operand.name for operand, _shape in call.present if operand.is_differentiated]
    shapes = invoke.output_tensors(call, inputs)
    ends = [index for index, output in enumerate(shapes) if output.is_floating_point() or output.is_complex()]

    def call_sample(sample: torch.Tensor, *grad_outputs: torch.Tensor) -> Tuple[torch.Tensor, ...]:
        """The outputs and the gradients of one sample."""
        own = {**inputs, first: sample}

        def call_leaves(*moved: torch.Tensor) -> Tuple[Tuple[torch.Tensor, ...], Tuple[torch.Tensor, ...]]:
            """The outputs that have gradients, and all outputs."""
            outputs = invoke.output_tensors(call, {**own, **dict(zip(leaves, moved))})
            return tuple(outputs[index] for index in ends), tuple(outputs)

        _ends, pull_back, outputs = torch.func.vjp(call_leaves, *(own[name] for name in leaves), has_aux=True)
        return (*outputs, *pull_back(grad_outputs))

    pairs = [slices.pair_grad_output(index, place_grad_output(index, shapes[index])) for index in ends]
    results = torch.vmap(call_sample)(slices.pair_input(first, placed[first], 0), *pairs)
    parts = [result[slices.own] for result in results]
    return parts[: len(shapes)], dict(zip(map(tensor_name.gradient, leaves), parts[len(shapes) :]))
