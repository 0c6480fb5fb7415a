"""Other ways to run a call: without a graph, under autocast, into given memory, batched by vmap, with tangents."""

from __future__ import annotations

import contextlib
import warnings
from typing import Iterator, Mapping

import numpy as np
import torch
from torch.autograd import forward_ad

from ...portable import tensor_name
from .. import fill_values, pytree
from ..call import Call
from ..tensors import PlacedTensor
from . import invoke

CANARY = 77.0
"""What the memory given to ``out=`` holds before: every dtype has it, and no fill makes it."""


@contextlib.contextmanager
def mode(path: str) -> Iterator[None]:
    """The mode of autograd and autocast in which a path runs; what goes backward records a graph."""
    with contextlib.ExitStack() as stack:
        if path == "inference_mode":
            stack.enter_context(torch.inference_mode())
        elif path not in ("plain", "double_backward"):
            stack.enter_context(torch.no_grad())
        if path == "autocast":
            stack.enter_context(torch.autocast("cpu", dtype=torch.bfloat16))
        yield


class OutMemory:
    """What ``out=`` is given: memory in the layout drawn for grad_output, None for contiguous."""

    def __init__(self, outputs: list[torch.Tensor], layout: str | None) -> None:
        self._placed = [PlacedTensor(np.full(tuple(output.shape), CANARY), output.dtype, layout) for output in outputs]

    @property
    def views(self) -> list[torch.Tensor]:
        """The tensors to be written."""
        return [placed.view for placed in self._placed]

    def spilled_names(self) -> list[str]:
        """The names of those of which memory beside their own elements has changed."""
        return [tensor_name.out(index) for index, placed in enumerate(self._placed) if placed.is_spilled()]


def call_into(call: Call, inputs: invoke.Inputs, memory: OutMemory) -> list[torch.Tensor]:
    """Run the call with ``out=``; what is then in the given memory."""
    views = memory.views
    invoke.invoke(call, inputs, out=views[0] if len(views) == 1 else tuple(views))
    return views


def call_batched(call: Call, inputs: invoke.Inputs) -> list[torch.Tensor]:
    """Run the call under vmap over two copies; one of the two slices of each output, by the seed's choice.

    The copies share their memory (stride 0), so that each keeps the strides of the original.
    """
    present = {name: tensor for name, tensor in inputs.items() if tensor is not None}

    def call_slice(*slices: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """The call on one slice of each tensor that is there."""
        return tuple(invoke.output_tensors(call, {**inputs, **dict(zip(present, slices))}))

    copies = [tensor.unsqueeze(0).expand(2, *tensor.shape) for tensor in present.values()]
    return [output[call.seed % 2] for output in torch.vmap(call_slice)(*copies)]


def tangents(call: Call, layouts: bool) -> dict[str, torch.Tensor]:
    """A tangent for each tensor that is differentiated, in the tensor's own layout or contiguous."""
    return {
        operand.name: PlacedTensor(
            fill_values.tangent_values(call, operand, shape), operand.torch_dtype, operand.layout if layouts else None
        ).view
        for operand, shape in call.present
        if operand.is_differentiated
    }


def call_forward_mode(
    call: Call, inputs: invoke.Inputs, along: Mapping[str, torch.Tensor], plain: bool = False
) -> tuple[list[torch.Tensor], dict[str, torch.Tensor]]:
    """The outputs, and by ``jvp:output[i]`` their tangents where the inputs move along these."""
    with warnings.catch_warnings(), forward_ad.dual_level():
        warnings.simplefilter("ignore")  # PyTorch 2.15 warns here that it uses torch.jit.script itself
        duals = {
            name: forward_ad.make_dual(tensor.detach(), along[name])
            for name, tensor in inputs.items()
            if tensor is not None and name in along
        }
        outputs = pytree.flatten(invoke.invoke(call, {**inputs, **duals}, plain=plain))
        pairs = [forward_ad.unpack_dual(output) for output in outputs]
    moves = {tensor_name.tangent(index): pair.tangent for index, pair in enumerate(pairs) if pair.tangent is not None}
    return [pair.primal for pair in pairs], moves
