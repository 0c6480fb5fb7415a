"""How a call lays out what it returns: as it runs, and as FakeTensorMode takes it to, which runs no kernel."""

from __future__ import annotations

from typing import Dict

import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from ...portable import tensor_name
from ...portable.protocol import TensorLayoutData
from .. import tensors
from ..call import Call
from . import invoke

Layouts = Dict[str, TensorLayoutData]
"""Tensors without their values, by name."""


def forward_layouts(call: Call, inputs: invoke.Inputs) -> Layouts:
    """What the call returns on these inputs. Raises what it raises."""
    outputs = invoke.output_tensors(call, inputs)
    return {tensor_name.output(index): _layout(output) for index, output in enumerate(outputs)}


def fake_layouts(call: Call, inputs: invoke.Inputs) -> Layouts:
    """The same on fakes of these inputs, which have the same strides."""
    mode = FakeTensorMode()
    fakes = {name: None if tensor is None else mode.from_tensor(tensor) for name, tensor in inputs.items()}
    with mode:
        return forward_layouts(call, fakes)


def _layout(tensor: torch.Tensor) -> TensorLayoutData:
    return (tensors.name_of(tensor.dtype), list(tensor.shape), list(tensor.stride()))
