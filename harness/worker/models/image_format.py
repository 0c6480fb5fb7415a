"""Memory formats of images and volumes, as torch tells them of a tensor."""

from __future__ import annotations

from typing import List

import torch

from .. import pytree


def channels_last_format(tensor: torch.Tensor) -> torch.memory_format | None:
    """The memory format that is channels-last for an image or a volume; None for any other tensor."""
    return {4: torch.channels_last, 5: torch.channels_last_3d}.get(tensor.dim())


def to_channels_last(tensor: torch.Tensor) -> torch.Tensor:
    """The tensor in the channels-last format of its dimension; unchanged where there is none."""
    channels_last = channels_last_format(tensor)
    return tensor if channels_last is None else tensor.to(memory_format=channels_last)


def convert_module(module: torch.nn.Module) -> None:
    """Put parameters and buffers in channels-last, as a user does by ``.to(memory_format=...)``."""
    for tensor in [*module.parameters(), *module.buffers()]:
        tensor.data = to_channels_last(tensor.data)


def format_name(tensor: torch.Tensor) -> str:
    """``nhwc``, ``nchw``, ``either`` or ``other`` for an image or a volume; nothing for any other tensor."""
    channels_last = channels_last_format(tensor)
    if channels_last is None or tensor.layout != torch.strided:
        return ""
    is_last, is_first = tensor.is_contiguous(memory_format=channels_last), tensor.is_contiguous()
    if is_last == is_first:
        return "either" if is_last else "other"
    return "nhwc" if is_last else "nchw"


def images(part: object) -> List[torch.Tensor]:
    """The four- and five-dimensional tensors of a call's arguments or result, in order."""
    return [tensor for tensor in pytree.flatten(part) if tensor.dim() in (4, 5)]


def shares_memory(tensor: torch.Tensor, others: List[torch.Tensor]) -> bool:
    """Whether a tensor lies in the memory of one of the others: it is that tensor, or a view of it."""
    return any(_storage_address(tensor) == _storage_address(other) for other in others)


def _storage_address(tensor: torch.Tensor) -> int:
    """Where a tensor's storage begins; PyTorch before 2.0 has no untyped storage of it."""
    storage = getattr(tensor, "untyped_storage", tensor.storage)()
    return int(storage.data_ptr())
