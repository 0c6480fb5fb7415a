"""What a model returns, whatever it is made of: its tensors, each with a name that says where it is."""

from __future__ import annotations

import dataclasses
from typing import Any, Iterator

import torch


class NotTensors(Exception):  # noqa: N818 - it names the state, and never leaves the worker
    """A result in which something is no tensor, and no container of tensors; the text says what and where."""


def named(result: Any, name: str = "output") -> dict[str, Any]:
    """The tensors of a result by name: ``output[0]``, ``output['out']``, ``output.logits``. Raises NotTensors.

    A single tensor is ``output[0]``, as for an operator. None and plain numbers are left out.
    """
    found = dict(_walk((result,) if isinstance(result, torch.Tensor) else result, name))
    if not found:
        msg = f"{name} is {_kind(result)} without any tensor in it"
        raise NotTensors(msg)
    return found


def _walk(part: Any, name: str) -> Iterator[tuple[str, Any]]:
    if isinstance(part, torch.Tensor):
        yield name, part
    elif part is None or isinstance(part, (bool, int, float)):
        return
    elif isinstance(part, dict):
        for key, value in part.items():
            yield from _walk(value, f"{name}[{key!r}]")
    elif dataclasses.is_dataclass(part):
        for field in dataclasses.fields(part):
            yield from _walk(getattr(part, field.name), f"{name}.{field.name}")
    elif isinstance(part, (tuple, list)):
        keys = getattr(part, "_fields", None)
        for index, value in enumerate(part):
            yield from _walk(value, f"{name}.{keys[index]}" if keys else f"{name}[{index}]")
    else:
        msg = f"{name} is {_kind(part)}; a model returns tensors, in tuples, lists, dicts or dataclasses"
        raise NotTensors(msg)


def _kind(value: Any) -> str:
    name = type(value).__name__
    return f"an {name}" if name[:1].lower() in "aeiou" else f"a {name}"


def channels_last_of(tensor: Any) -> Any:
    """The memory format that is channels-last for an image or a video; None for any other tensor."""
    return {4: torch.channels_last, 5: torch.channels_last_3d}.get(tensor.dim())


def formatted(tensor: Any) -> str:
    """``nhwc``, ``nchw``, ``either`` or ``other`` for an image or a video; nothing for any other tensor."""
    wanted = channels_last_of(tensor)
    if wanted is None or tensor.layout != torch.strided:
        return ""
    last, first = tensor.is_contiguous(memory_format=wanted), tensor.is_contiguous()
    if last == first:
        return "either" if last else "other"
    return "nhwc" if last else "nchw"
