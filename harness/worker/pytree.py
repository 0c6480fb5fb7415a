"""Tensors in containers, as functions and models take and return them: walked, named, flattened and mapped.

A container is a tuple, a list or a dict, a subclass of one included. What a model returns may be a dataclass as well,
or an object with tensors as attributes.
(`torch.utils._pytree` leaves out dataclasses and subclasses that nobody has registered.)
"""

from __future__ import annotations

import copy
import dataclasses
from typing import Callable, Dict, Iterator, List, Tuple

import torch

TensorMap = Callable[[torch.Tensor], object]


class NotTensors(Exception):  # noqa: N818 - it names the state, and never leaves the worker
    """A result in which something is no tensor, and no container of tensors; the text says what and where."""


def walk(part: object, name: str = "", *, dataclass_fields: bool = False) -> Iterator[Tuple[str, object]]:
    """Whatever is no container, in order, with its place after `name`: ``[0]``, ``['key']``, ``.field``.

    A dataclass is taken for a container only where `dataclass_fields` says so.
    """
    items = _items(part, dataclass_fields)
    if items is None:
        yield name, part
        return
    for place, value in items:
        yield from walk(value, name + place, dataclass_fields=dataclass_fields)


def _items(part: object, dataclass_fields: bool) -> List[Tuple[str, object]] | None:
    """What a container holds, each item with its place in it; None for anything else."""
    if isinstance(part, torch.Tensor):
        return None
    if isinstance(part, dict):
        return [(f"[{key!r}]", value) for key, value in part.items()]
    if dataclass_fields and dataclasses.is_dataclass(part):
        return [("." + field.name, getattr(part, field.name)) for field in dataclasses.fields(part)]
    if isinstance(part, (tuple, list)):
        names = getattr(part, "_fields", None)
        return [(f".{names[index]}" if names else f"[{index}]", value) for index, value in enumerate(part)]
    attributes = _tensor_attributes(part) if dataclass_fields else {}
    return [("." + name, value) for name, value in attributes.items()] or None


def _tensor_attributes(part: object) -> Dict[str, object]:
    """The attributes of an object that are tensors, or containers of some; none of a module, a class or a function."""
    if isinstance(part, (torch.nn.Module, type)) or callable(part):
        return {}
    return {name: value for name, value in getattr(part, "__dict__", {}).items() if flatten(value)}


def named_tensors(part: object, name: str) -> Iterator[Tuple[str, torch.Tensor]]:
    """The tensors, each with its place after `name`; what is no tensor is left out."""
    return ((place, leaf) for place, leaf in walk(part, name) if isinstance(leaf, torch.Tensor))


def flatten(part: object) -> List[torch.Tensor]:
    """The tensors, in order; what is no tensor is left out."""
    return [tensor for _place, tensor in named_tensors(part, "")]


def named_outputs(result: object, name: str = "output") -> dict[str, torch.Tensor]:
    """The tensors that a model returned, by name: ``output[0]``, ``output['out']``, ``output.logits``.

    A single tensor is ``output[0]``, as for an operator. Dataclasses are containers; None and plain numbers are left
    out. Raises NotTensors where there is anything else, or no tensor at all.
    """
    tensors = {}
    whole = (result,) if isinstance(result, torch.Tensor) else result
    for place, leaf in walk(whole, name, dataclass_fields=True):
        if isinstance(leaf, torch.Tensor):
            tensors[place] = leaf
        elif leaf is not None and not isinstance(leaf, (bool, int, float)):
            msg = f"{place} is {_with_article(leaf)}; a model returns tensors, in tuples, lists, dicts or dataclasses"
            raise NotTensors(msg)
    if not tensors:
        msg = f"{name} is {_with_article(result)} without any tensor in it"
        raise NotTensors(msg)
    return tensors


def _with_article(value: object) -> str:
    """The name of a value's class, as a sentence has it."""
    name = type(value).__name__
    return f"an {name}" if name[:1].lower() in "aeiou" else f"a {name}"


def map_tensors(part: object, change: TensorMap) -> object:
    """The same structure with `change` applied to each tensor; what is neither tensor nor container stays itself."""
    if isinstance(part, torch.Tensor):
        return change(part)
    if type(part) is dict:
        return {key: map_tensors(value, change) for key, value in part.items()}
    if isinstance(part, dict):
        return _map_dict(part, change)
    if isinstance(part, (tuple, list)):
        values = [map_tensors(value, change) for value in part]
        kind: Callable[..., object] = type(part)
        return kind(*values) if hasattr(part, "_fields") else kind(values)
    return _map_attributes(part, change)


def _map_attributes(part: object, change: TensorMap) -> object:
    """A copy of an object that holds tensors; any other object itself."""
    attributes = _tensor_attributes(part)
    if not attributes:
        return part
    mapped = copy.copy(part)
    for name, value in attributes.items():
        object.__setattr__(mapped, name, map_tensors(value, change))
    return mapped


def _map_dict(part: Dict[object, object], change: TensorMap) -> Dict[object, object]:
    """A copy of a dict of any class, with its attributes where these are its items too: the output of a transformer."""
    mapped = copy.copy(part)
    for key, value in part.items():
        mapped[key] = map_tensors(value, change)
        if isinstance(key, str) and vars(part).get(key) is value:
            object.__setattr__(mapped, key, mapped[key])
    return mapped


def plain_containers(part: object) -> object:
    """The same tensors in lists and plain dicts, in place of tuples and of subclasses."""
    if isinstance(part, dict):
        return {key: plain_containers(value) for key, value in part.items()}
    return [plain_containers(value) for value in part] if isinstance(part, (tuple, list)) else part
