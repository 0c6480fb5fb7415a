"""The call of a model: its tensors and constants by position and by keyword, in lists and dicts."""

from __future__ import annotations

from typing import Callable, Dict, List, Sequence, Tuple, Union

import torch

from .argument_data import Arguments
from .model_request import ModelRequest

Leaf = Tuple[Tuple[Union[int, str], ...], object]
"""A tensor or a constant, behind its place in the call."""


def call_arguments(request: ModelRequest, inputs: Sequence[torch.Tensor]) -> Arguments:
    """What the model is called with: each of `inputs`, which are those of the request, and each constant, in place."""
    leaves: List[Leaf] = [
        *((spec.place, tensor) for spec, tensor in zip(request.inputs, inputs)),
        *((constant.place, constant.value) for constant in request.constants),
    ]
    arguments = {key: _part(inner) for key, inner in _by_first_key(leaves).items()}
    positional = [arguments[index] for index in sorted(key for key in arguments if isinstance(key, int))]
    return positional, {key: value for key, value in arguments.items() if isinstance(key, str)}


def _by_first_key(leaves: Sequence[Leaf]) -> Dict[int | str, List[Leaf]]:
    """The leaves below each first part of their places, with what is left of these."""
    groups: Dict[int | str, List[Leaf]] = {}
    for (first, *inner), value in leaves:
        groups.setdefault(first, []).append((tuple(inner), value))
    return groups


def _part(leaves: Sequence[Leaf]) -> object:
    """The only leaf, if it has no place left; else the list or the dict of them."""
    place, value = leaves[0]
    if not place:
        return value
    parts = {key: _part(inner) for key, inner in _by_first_key(leaves).items()}
    indices = sorted(key for key in parts if isinstance(key, int))
    return [parts[index] for index in indices] if indices else parts


def call_model(program: Callable[..., object], arguments: Arguments) -> object:
    """What the program returns for these arguments. Raises whatever it raises."""
    positional, named = arguments
    return program(*positional, **named)
