"""Other ways to run a call: without a graph, under autocast, into given memory, batched by vmap, with tangents."""

from __future__ import annotations

import contextlib
import warnings
from typing import Any, Iterator

import numpy as np
import torch
from torch.autograd import forward_ad

from .. import tensors
from . import invoke

TANGENT_STREAM = 2000
"""Tensor i takes its tangent from this fill stream plus i, above those of grad_outputs."""

GIVEN = 77.0
"""What the memory given to ``out=`` holds before: every dtype has it, and no fill makes it."""


@contextlib.contextmanager
def mode(path: str) -> Iterator[None]:
    """The mode of autograd and autocast in which a path runs; ``plain`` records a graph."""
    with contextlib.ExitStack() as stack:
        if path == "inference_mode":
            stack.enter_context(torch.inference_mode())
        elif path != "plain":
            stack.enter_context(torch.no_grad())
        if path == "autocast":
            stack.enter_context(torch.autocast("cpu", dtype=torch.bfloat16))
        yield


class Outs:
    """What ``out=`` is given: memory in the layout drawn for grad_output, None for contiguous."""

    def __init__(self, outputs: list[Any], layout: str | None) -> None:
        self.placed = [
            tensors.Placed(np.full(tuple(one.shape), GIVEN), tensors.name_of(one.dtype), layout) for one in outputs
        ]

    @property
    def views(self) -> list[Any]:
        """The tensors to be written."""
        return [held.view for held in self.placed]

    def spilled(self) -> list[str]:
        """The names of those of which memory beside their own elements has changed."""
        return [f"out[{index}]" for index, held in enumerate(self.placed) if held.spilled()]


def into(request: dict[str, Any], inputs: dict[str, Any], outs: Outs) -> list[Any]:
    """The call with ``out=``; what is then in the given memory."""
    views = outs.views
    invoke.invoke(request, inputs, out=views[0] if len(views) == 1 else tuple(views))
    return views


def batched(request: dict[str, Any], inputs: dict[str, Any]) -> list[Any]:
    """One of two slices of the call under vmap over two copies; which one is the seed's choice.

    The copies share their memory (stride 0), so that each keeps the strides of the original.
    """
    present = [name for name, tensor in inputs.items() if tensor is not None]

    def one(*slices: Any) -> Any:
        """The call on one slice of each tensor that is there."""
        return tuple(tensors.flatten(invoke.invoke(request, {**inputs, **dict(zip(present, slices))})))

    copies = [inputs[name].unsqueeze(0).expand(2, *inputs[name].shape) for name in present]
    return [found[request["seed"] % 2] for found in torch.vmap(one)(*copies)]


def tangents(request: dict[str, Any], layouts: bool) -> dict[str, Any]:
    """A tangent for each tensor that is differentiated, in the tensor's own layout or contiguous."""
    return {
        one.name: tensors.Placed(tangent(request, one), one.dtype, one.layout if layouts else None).view
        for one in tensors.described(request)
        if one.shape is not None and one.differentiated
    }


def tangent(request: dict[str, Any], one: tensors.Described) -> Any:
    """The logical values of a tensor's tangent."""
    return tensors.filled(tensors.finite(request), tuple(one.shape), one.dtype, one.layout, TANGENT_STREAM + one.stream)


def forward_mode(
    request: dict[str, Any], inputs: dict[str, Any], along: dict[str, Any], plain: bool = False
) -> tuple[list[Any], dict[str, Any]]:
    """The outputs, and by ``jvp:output[i]`` their tangents where the inputs move along these."""
    with warnings.catch_warnings(), forward_ad.dual_level():
        warnings.simplefilter("ignore")  # PyTorch 2.15 warns here that it uses torch.jit.script itself
        moved = {name: forward_ad.make_dual(inputs[name].detach(), direction) for name, direction in along.items()}
        found = tensors.flatten(invoke.invoke(request, {**inputs, **moved}, plain=plain))
        pairs = [forward_ad.unpack_dual(output) for output in found]
    named = {f"jvp:output[{index}]": pair.tangent for index, pair in enumerate(pairs) if pair.tangent is not None}
    return [pair.primal for pair in pairs], named
