"""One call of what a request names: a function, or a module with its state put in."""

from __future__ import annotations

from typing import Any, Callable, Iterator

from .. import messages
from . import lookup


def form(request: dict[str, Any], plain: bool = False) -> tuple[Callable[..., Any], dict[str, Any]]:
    """The callable of a request, and the keyword that makes it in place; `plain` leaves its in-place form aside."""
    inplace = None if plain else request["inplace"]
    if inplace and "." in inplace:
        return lookup.resolve(inplace), {}
    return lookup.resolve(request["call"]), {inplace: True} if inplace else {}


def invoke(request: dict[str, Any], inputs: dict[str, Any], plain: bool = False, **more: Any) -> Any:
    """What the callable returns for these tensors by name (None: absent), and `more` keywords.

    Raises what it raises, and Unresolved.
    """
    given = tuple(passed(value, inputs) for value in request["positional"])
    named = {name: passed(value, inputs) for name, value in request["arguments"].items()}
    if request["module"] is None:
        function, keywords = form(request, plain)
        return function(*given, **keywords, **named, **more)
    module = made(request)
    held = {name: inputs[tensor] for name, tensor in request["module"]["state"].items()}
    unowned = [name for name in floating_state(module) if name not in held]
    if unowned:
        msg = f"{request['call']} has {unowned[0]!r}, for which no tensor of the case stands"
        raise lookup.Unresolved(msg)
    for name, tensor in held.items():
        put(module, name, tensor)
    return module(*given, **named)


def passed(value: Any, inputs: dict[str, Any]) -> Any:
    """An argument of a request with the tensors, and what torch's names stand for, in their places."""
    if isinstance(value, dict):
        return inputs[value["tensor"]] if "tensor" in value else lookup.named(value["torch"])
    return tuple(passed(part, inputs) for part in value) if isinstance(value, tuple) else value


def made(request: dict[str, Any]) -> Any:
    """A new module: what it counts (`num_batches_tracked`) starts again with every call."""
    options = {name: passed(value, {}) for name, value in request["module"]["init"].items()}
    return lookup.resolve(request["call"])(**options).train(request["module"]["train"])


def floating_state(module: Any) -> list[str]:
    """The names of the module's parameters, and of its buffers that are not integers."""
    found = [name for name, _ in module.named_parameters()]
    return found + [name for name, buffer in module.named_buffers() if buffer.is_floating_point()]


def put(module: Any, name: str, tensor: Any) -> None:
    """Let the tensor stand for a parameter or buffer; an absent one (None) the module does not have.

    The module is new, and nothing need be put back. A parameter that is no `Parameter` is found all the same.
    """
    path, _dot, leaf = name.rpartition(".")
    owner = module.get_submodule(path)
    table = owner._parameters if leaf in owner._parameters else owner._buffers
    table[leaf] = tensor


def problems(request: dict[str, Any]) -> list[str]:
    """What keeps a case from being called.

    The request has `call`, `inplace`, `positional` (how many arguments), `arguments` (their names), `out` (whether it
    is passed too), `torch` (the names that are looked up there) and `module`, made with the sizes of some example.
    """
    unnamed = [problem for problem in map(lookup.unnamed, request["torch"]) if problem]
    if unnamed or request["module"] is None:
        return lookup.problems(request) + unnamed
    return _of_module(request)


def _of_module(request: dict[str, Any]) -> list[str]:
    dotted, options = request["call"], request["module"]
    found = lookup.asked(dotted, 0, options["init"])
    if found:
        return found
    try:
        module = made(request)
    except Exception as error:
        return [f"{dotted} cannot be made: {messages.told(error)}"]
    found = lookup.complaints(dotted, module.forward, request["positional"], list(request["arguments"]))
    known = [name for name, _ in _slots(module)]
    found += [
        f"{dotted} has no parameter or buffer {name!r}; it has {', '.join(known) or 'none'}"
        for name in options["state"]
        if name not in known
    ]
    return found + [
        f"{dotted} has {name!r}, for which no tensor of the case stands; add it to state:"
        for name in floating_state(module)
        if name not in options["state"]
    ]


def _slots(module: Any) -> Iterator[tuple[str, Any]]:
    """The parameters and buffers, and those that the module could have and has not (None)."""
    for path, part in module.named_modules():
        for table in (part._parameters, part._buffers):
            for name, tensor in table.items():
                yield (f"{path}.{name}" if path else name), tensor
