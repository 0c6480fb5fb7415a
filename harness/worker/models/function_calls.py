"""Which functions of torch a module calls in its own forward, with everything they were given."""

from __future__ import annotations

import inspect
from typing import Any, List, Tuple

import torch

from .. import tensors

Called = Tuple[str, List[str], List[Any], List[str], List[Any]]
"""Dotted name; the names of the parameters, in order; name and value of each argument, those left out with their
defaults; the names of those that have the default; results. A tensor is ("tensor", dtype, shape, strides)."""


def calls_of(module: Any, called: List[Called]) -> Any:
    """A context that appends each function that the module itself calls. What its children call is theirs."""
    depth = [0]  # 1 in the module's own forward, more in that of a child

    def deeper(*_: Any) -> None:
        """A forward begins."""
        depth[0] += 1

    def back(*_: Any) -> None:
        """It ends."""
        depth[0] -= 1

    for one in (module, *module.children()):
        one.register_forward_pre_hook(deeper)
        one.register_forward_hook(back)

    class Mode(torch.overrides.TorchFunctionMode):  # type: ignore[misc] # mypy does not follow torch here
        """Sees every function of torch that is called while it is on."""

        def __torch_function__(self, function: Any, types: Any, given: Any = (), named: Any = None) -> Any:
            del types
            before = [described(one) for one in given], {name: described(one) for name, one in (named or {}).items()}
            result = function(*given, **(named or {}))
            dotted = torch.overrides.resolve_name(function) or getattr(function, "__name__", "")
            results = [described(one) for one in (result if isinstance(result, (tuple, list)) else [result])]
            if depth[0] == 1 and _takes_tensors(before) and any(map(_is_tensor, results)):
                called.append((dotted, *_bound(function, dotted, *before), results))
            return result

    return Mode()


def _takes_tensors(before: Any) -> bool:
    given, named = before
    return any(_is_tensor(one) for one in [*given, *named.values()])


def _is_tensor(value: Any) -> bool:
    """Whether there is a tensor with dimensions in it: a counter that a module keeps is no part of what it computes."""
    if isinstance(value, tuple):
        return bool(value[2])
    return isinstance(value, list) and any(map(_is_tensor, value))


def _bound(function: Any, dotted: str, given: List[Any], named: Any) -> Tuple[List[str], List[Any], List[str]]:
    """Parameters of the function, each argument by name, and those that have their default."""
    defaults = _parameters(function, dotted, len(given), named)
    passed = {**dict(zip(defaults, given)), **named}
    unsaid = [name for name, value in defaults.items() if name not in passed and value is not inspect.Parameter.empty]
    whole = {**passed, **{name: described(defaults[name]) for name in unsaid}}
    standard = [name for name in whole if name in defaults and whole[name] == described(defaults[name])]
    return list(defaults), [[name, value] for name, value in whole.items()], standard


def _parameters(function: Any, dotted: str, count: int, named: Any) -> Any:
    """Parameter names with their defaults: of a Python function, else of the ATen operator of that name."""
    try:
        found = inspect.signature(function).parameters
        return {name: parameter.default for name, parameter in found.items()}
    except (TypeError, ValueError):
        pass
    packet = getattr(torch.ops.aten, dotted.rpartition(".")[2], None)
    for overload in packet.overloads() if packet is not None else ():
        arguments = getattr(packet, overload)._schema.arguments
        names = {
            one.name: one.default_value if one.has_default_value() else inspect.Parameter.empty for one in arguments
        }
        if count <= len(names) and set(named) <= set(names):
            return names
    return {f"argument {index}": inspect.Parameter.empty for index in range(count)}


def described(value: Any) -> Any:
    """A tensor by dtype, shape, strides; containers of these; numbers and texts themselves."""
    if isinstance(value, torch.Tensor):
        return ("tensor", tensors.name_of(value.dtype), list(value.shape), list(value.stride()))
    if isinstance(value, (tuple, list)):
        return [described(one) for one in value]
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)
