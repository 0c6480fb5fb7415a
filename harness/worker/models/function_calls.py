"""Which functions of torch a module calls in its own forward, with everything they were given."""

from __future__ import annotations

import inspect
from typing import ContextManager, Dict, List, Mapping, Sequence

import torch

from ...portable.model_protocol import FunctionArgument, FunctionCallData
from .. import tensors
from .function_mode import Function, intercept_functions


def record_function_calls(module: torch.nn.Module, calls: List[FunctionCallData]) -> ContextManager[object]:
    """A context that appends each function that the module itself calls. What its children call is theirs."""
    depth = _ForwardDepth(module)

    def intercept(function: Function, args: Sequence[object], keywords: Mapping[str, object]) -> object:
        """Call the function, and describe the call where the module itself makes it."""
        # arguments are described before the call: it may change them
        positional = list(map(argument_data, args))
        named = {name: argument_data(value) for name, value in keywords.items()}
        result = function(*args, **keywords)
        results = list(map(argument_data, result if isinstance(result, (tuple, list)) else [result]))
        takes_tensors = any(map(_has_dimensions, [*positional, *named.values()]))
        if depth.is_own and takes_tensors and any(map(_has_dimensions, results)):
            calls.append(describe_function_call(function, positional, named, results))
        return result

    return intercept_functions(intercept)


class _ForwardDepth:
    """Counts the forwards that are under way: 1 in the module's own, more in that of a child."""

    def __init__(self, module: torch.nn.Module) -> None:
        self._depth = 0
        for hooked in (module, *module.children()):
            hooked.register_forward_pre_hook(self._begin)
            hooked.register_forward_hook(self._end)

    @property
    def is_own(self) -> bool:
        """Whether the module itself is at work."""
        return self._depth == 1

    def _begin(self, *_: object) -> None:
        """A forward begins."""
        self._depth += 1

    def _end(self, *_: object) -> None:
        """A forward ends."""
        self._depth -= 1


def _has_dimensions(value: FunctionArgument) -> bool:
    """Whether there is a tensor with dimensions in it: a counter that a module keeps is no part of what it computes."""
    if isinstance(value, tuple):
        return bool(value[2])
    return isinstance(value, list) and any(map(_has_dimensions, value))


def describe_function_call(
    function: Function,
    positional: Sequence[FunctionArgument],
    named: Mapping[str, FunctionArgument],
    results: List[FunctionArgument],
) -> FunctionCallData:
    """The call with each argument by name, those included that were left out and have their default."""
    dotted = torch.overrides.resolve_name(function) or getattr(function, "__name__", "")
    parameters = _parameters(function, dotted, len(positional), named)
    passed = {**dict(zip(parameters, positional)), **named}
    defaults = {
        name: argument_data(value) for name, value in parameters.items() if value is not inspect.Parameter.empty
    }
    whole = {**passed, **{name: value for name, value in defaults.items() if name not in passed}}
    return {
        "function": dotted,
        "parameters": list(parameters),
        "arguments": whole,
        "defaults": [name for name, value in whole.items() if name in defaults and value == defaults[name]],
        "results": results,
    }


def _parameters(
    function: Function, dotted: str, count: int, named: Mapping[str, FunctionArgument]
) -> Dict[str, object]:
    """Parameter names with their defaults: of a Python function, else of the ATen operator of that name."""
    try:
        signature = inspect.signature(function)
        return {name: parameter.default for name, parameter in signature.parameters.items()}
    except (TypeError, ValueError):
        pass
    packet = getattr(torch.ops.aten, dotted.rpartition(".")[2], None)
    for overload in packet.overloads() if packet is not None else ():
        arguments = getattr(packet, overload)._schema.arguments
        defaults = {
            argument.name: argument.default_value if argument.has_default_value() else inspect.Parameter.empty
            for argument in arguments
        }
        if count <= len(defaults) and set(named) <= set(defaults):
            return defaults
    return {f"argument {index}": inspect.Parameter.empty for index in range(count)}


def argument_data(value: object) -> FunctionArgument:
    """A tensor by dtype, shape, strides; sequences of these; numbers and texts themselves; else the text of it."""
    if isinstance(value, torch.Tensor):
        return ("tensor", tensors.name_of(value.dtype), list(value.shape), list(value.stride()))
    if isinstance(value, (tuple, list)):
        return [argument_data(item) for item in value]
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)
