"""What keeps a case from being called, in sentences that name the part at fault."""

from __future__ import annotations

from typing import Iterator

import torch

from .. import messages
from ..call import Check, ModuleConstruction
from . import invoke, lookup, signatures


def problems(check: Check) -> list[str]:
    """A sentence for each thing that is wrong with the call, with how torch's names are spelt last."""
    unknown = [problem for problem in map(lookup.torch_attribute_problem, check.torch) if problem]
    if unknown or check.module is None:
        return _function_problems(check) + unknown
    return _module_problems(check, check.module)


def _function_problems(check: Check) -> list[str]:
    """The function itself must take ``out=`` where the case says so; its in-place form need not."""
    inplace = check.inplace or ""
    form = inplace if "." not in inplace else ""
    keywords = [*check.arguments, *(["out"] if check.out else []), *filter(None, [form])]
    sentences = signatures.call_problems(check.call, check.positional, keywords)
    if "." in inplace:
        sentences += signatures.call_problems(inplace, check.positional, check.arguments)
    return sentences


def _module_problems(check: Check, module: ModuleConstruction) -> list[str]:
    dotted = check.call
    sentences = signatures.call_problems(dotted, 0, list(module.init))
    if sentences:
        return sentences
    try:
        instance = invoke.make_module(dotted, module)
    except Exception as error:
        return [f"{dotted} cannot be made: {messages.error_line(error)}"]
    return [
        *signatures.argument_problems(dotted, instance.forward, check.positional, check.arguments),
        *_state_problems(dotted, instance, module),
    ]


def _state_problems(dotted: str, instance: torch.nn.Module, module: ModuleConstruction) -> list[str]:
    slots = [name for name, _ in _slots(instance)]
    sentences = [
        f"{dotted} has no parameter or buffer {name!r}; it has {', '.join(slots) or 'none'}"
        for name in module.state
        if name not in slots
    ]
    return sentences + [
        f"{dotted} has {name!r}, for which no tensor of the case stands; add it to state:"
        for name in invoke.floating_state(instance)
        if name not in module.state
    ]


def _slots(module: torch.nn.Module) -> Iterator[tuple[str, torch.Tensor | None]]:
    """The parameters and buffers, and those that the module could have and has not (None)."""
    for path, part in module.named_modules():
        for table in (part._parameters, part._buffers):
            for name, tensor in table.items():
                yield (f"{path}.{name}" if path else name), tensor
