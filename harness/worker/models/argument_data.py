"""Tensors and the arguments of a module call as plain data, and back."""

from __future__ import annotations

from typing import Dict, List, Tuple

import numpy as np
import torch

from ...portable.call_protocol import ArgumentData
from ...portable.model_protocol import CallArgumentsData
from ...portable.protocol import ArrayData

Arguments = Tuple[List[object], Dict[str, object]]
"""The arguments of a call, by position and by name."""


def array_data(tensor: torch.Tensor) -> ArrayData:
    """A tensor as NumPy's dtype, shape and bytes."""
    array = np.ascontiguousarray(tensor.detach().numpy())
    return array.dtype.str, list(tensor.shape), array.tobytes()


def tensor_of(data: ArrayData) -> torch.Tensor:
    """The contiguous tensor that `array_data` was given."""
    dtype, shape, raw = data
    return torch.from_numpy(np.frombuffer(raw, np.dtype(dtype)).reshape(shape).copy())


def pack(part: object) -> ArgumentData:
    """One argument as plain data. What is no tensor, container, number or text travels as None."""
    if isinstance(part, torch.Tensor):
        return ("tensor", array_data(part))
    if isinstance(part, (tuple, list)):
        return ("list", [pack(item) for item in part])
    if isinstance(part, dict):
        return ("dict", [(str(key), pack(value)) for key, value in part.items()])
    return ("value", part if isinstance(part, (bool, int, float, str)) else None)


def unpack(data: ArgumentData) -> object:
    """The argument that `pack` was given; tuples come back as lists."""
    if data[0] == "tensor":
        return tensor_of(data[1])
    if data[0] == "list":
        return [unpack(item) for item in data[1]]
    if data[0] == "dict":
        return {key: unpack(value) for key, value in data[1]}
    return data[1]


def pack_arguments(arguments: Arguments) -> CallArgumentsData:
    """All arguments of a call as plain data."""
    positional, named = arguments
    return {"positional": list(map(pack, positional)), "named": {name: pack(value) for name, value in named.items()}}


def unpack_arguments(data: CallArgumentsData) -> Arguments:
    """The arguments that `pack_arguments` was given."""
    return list(map(unpack, data["positional"])), {name: unpack(value) for name, value in data["named"].items()}
