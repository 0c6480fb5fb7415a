"""Modules with state: how one is made, which mode it is in, and which tensors stand for its parameters and buffers."""

from __future__ import annotations

from collections.abc import Mapping

from harness.core import Expression, Module
from harness.suites.arguments import ArgumentReader
from harness.suites.entry import Entry
from harness.suites.mistakes import suggestion
from harness.suites.scope import Scope

_OF_MODULES = ("init", "train", "state")


def build_module(entry: Entry, scope: Scope) -> Module | None:
    """What `module`, `init`, `train` and `state` say; None for a case that calls a function. Mistakes are reported."""
    written = entry.schema
    if entry.is_wrong("call") or entry.is_wrong("module"):
        return None
    if (written.call is None) == (written.module is None):
        problem = "has no call" if written.call is None else "has a call and a module"
        message = f"{entry.key!r} {problem}; write one: call: torch.nn.functional.relu, or module: torch.nn.ReLU"
        if not scope.report.has_wrong_key(entry.location):
            scope.report.add(entry.location, message, key=True)
        return None
    if written.module is None:
        for field in _OF_MODULES:
            if field in written.model_fields_set:
                scope.report.add(entry.at(field), f"{field!r} belongs to a module; {entry.key!r} calls a function")
        return None
    if entry.get("inplace") is not None:
        scope.report.add(entry.at("inplace"), "a module has no in-place form here; give its own argument in init")
    reader = ArgumentReader(scope, ())
    init = {name: reader.read(value, entry.at("init", name)) for name, value in written.init.items()}
    train = written.train
    return Module(init, _mode(train, entry, scope) if isinstance(train, str) else train, _state(entry, scope))


def _mode(text: str, entry: Entry, scope: Scope) -> Expression | bool:
    return scope.parse(text, entry.at("train")) or True


def _state(entry: Entry, scope: Scope) -> Mapping[str, str]:
    """Parameter or buffer → tensor. A list names tensors that are called as what they stand for."""
    written, tensors = entry.schema.state, list(entry.get("tensors"))
    pairs = written.items() if isinstance(written, Mapping) else [(name, name) for name in written]
    for index, (key, tensor) in enumerate(pairs):
        if tensor not in tensors:
            tail = suggestion(tensor, tensors, otherwise="its tensors are")
            at = entry.at("state", key if isinstance(written, Mapping) else index)
            scope.report.add(at, f"{tensor!r} is not a tensor of {entry.key!r}{tail}")
    return dict(pairs)
