"""The call of a script, as an expression on the tensors of the mapping `t`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from harness.core import Case, TensorArgument, TorchName
from harness.generation import ResolvedExample


def call_parts(case: Case, resolved: ResolvedExample, function: str, more: Iterable[str] = ()) -> tuple[str, list[str]]:
    """What is called and its arguments, `more` behind them; of a module the call puts its state in first."""
    present = {tensor.name for tensor in resolved.tensors if tensor.shape is not None}
    passed = [_argument_text(value, present) for value in resolved.positional]
    keywords = _keyword_texts(resolved.arguments, present)
    if resolved.module is None:
        return function, [*passed, *keywords, *more]
    init = ", ".join(_keyword_texts(resolved.module.init, present))
    states = [f'"{name}": t["{tensor}"]' for name, tensor in resolved.module.state.items() if tensor in present]
    module = "module" if absent_state(resolved) else f"{case.call}({init}).train({resolved.module.train})"
    named = [f'"{name}": {_argument_text(value, present)}' for name, value in resolved.arguments.items()]
    options = [f"{{{', '.join(named)}}}"] if named else []
    passed_text = f"({', '.join(passed)}{',' if len(passed) == 1 else ''})"
    return "torch.func.functional_call", [module, f"{{{', '.join(states)}}}", passed_text, *options]


def absent_state(resolved: ResolvedExample) -> list[str]:
    """The parameters and buffers that the module of this example has not, by their names in it."""
    state = resolved.module.state if resolved.module is not None else {}
    present = {tensor.name for tensor in resolved.tensors if tensor.shape is not None}
    return [name for name, tensor in state.items() if tensor not in present]


def module_text(case: Case, resolved: ResolvedExample) -> str:
    """The statements that make a module without what it has not; empty where it has all, or there is none."""
    absent = absent_state(resolved)
    if resolved.module is None or not absent:
        return ""
    init = ", ".join(_keyword_texts(resolved.module.init, set()))
    targets = " = ".join(f"module.{name}" for name in absent)
    return f"module = {case.call}({init}).train({resolved.module.train})\n    {targets} = None"


def inplace_form(case: Case) -> tuple[str, tuple[str, ...]]:
    """The callable of the in-place form, and the keyword that makes it one."""
    assert case.inplace is not None  # noqa: S101 - no example is in place without
    return (case.inplace, ()) if "." in case.inplace else (case.call, (f"{case.inplace}=True",))


def _keyword_texts(values: Mapping[str, Any], present: set[str]) -> list[str]:
    return [f"{name}={_argument_text(value, present)}" for name, value in values.items()]


def _argument_text(value: Any, present: set[str]) -> str:
    if isinstance(value, TensorArgument):
        return f't["{value.tensor}"]' if value.tensor in present else "None"
    if isinstance(value, TorchName):
        return f"torch.{value.name}"
    if isinstance(value, tuple):
        texts = [_argument_text(part, present) for part in value]
        return f"({', '.join(texts)}{',' if len(texts) == 1 else ''})"
    return json.dumps(value) if isinstance(value, str) else repr(value)
