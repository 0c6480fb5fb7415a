"""From a resolved example to the request that a worker gets."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import Any, Final

from harness.core import Case, Example, TensorArgument, TorchName, leaves
from harness.core.case import RARE_PATHS
from harness.execution.cell_settings import AS_USUAL, CellSettings
from harness.generation import (
    ResolvedExample,
    ResolvedModule,
    ResolvedTensor,
    resolve_example,
    resolve_module,
    sampled_examples,
)
from harness.portable import dtypes
from harness.portable.operator_protocol import (
    PATTERNS,
    CallFields,
    CheckRequest,
    DoubleBackwardRequest,
    MetadataRequest,
    ModuleData,
    ObserveRequest,
    OperandData,
    ReferRequest,
    RoundoffData,
    WireArgument,
)
from harness.portable.timing_protocol import TimeRequest

_SAME_NUMBERS: Final = {"meta": "no_grad", "compile": "no_grad", "cached": "no_grad", "per_sample": "plain"}
"""Paths whose numbers are those of another."""

COMPILING_TIME: Final = 120.0
"""CPU seconds beyond the limit of an example that is compiled: inductor's import, and the C++ compiler's."""


def cpu_limit(example: Example, limit: float) -> float:
    """The CPU seconds that an example may take where others may take `limit`."""
    return limit + (COMPILING_TIME if example.path in RARE_PATHS else 0.0)


def observation_request(
    resolved: ResolvedExample,
    *,
    repeats: int = 1,
    trace: bool = False,
    after: Iterable[ResolvedExample] = (),
    settings: CellSettings = AS_USUAL,
) -> ObserveRequest:
    """Ask for both observations of an example, after these; `trace`: its ATen operators too."""
    return {
        **_call(resolved),
        "op": "observe",
        "trace": trace,
        "repeats": repeats,
        "after": [observation_request(each) for each in after],
        "onednn": settings.onednn,
        "poisoned": settings.poisoned,
    }


def without_gradients(resolved: ResolvedExample, names: Collection[str]) -> ResolvedExample:
    """The example, of whose call the gradients of these tensors are not asked for."""
    tensors = (replace(tensor, gradient=tensor.gradient and tensor.name not in names) for tensor in resolved.tensors)
    return replace(resolved, tensors=tuple(tensors))


def reference_request(resolved: ResolvedExample, patterns: int = PATTERNS) -> ReferRequest:
    """Ask for the reference of an example. Of one that must be refused: whether the call itself is legal."""
    case, example = resolved.case, resolved.example
    numerics = case.numerics
    if example.dtype in case.unsupported:
        resolved = resolve_example(case, example.but(dtype=case.dtypes[0], path="no_grad"))
    elif same := _SAME_NUMBERS.get(example.path):
        resolved = replace(resolved, example=example.but(path=same))
    return {
        **_call(resolved),
        "op": "refer",
        "call": case.reference or case.call,
        "rules": {
            "output": numerics.output,
            "gradient": numerics.gradient,
            "each": {name: single.output for name, single in numerics.each.items()},
        },
        "count": any(single.terms is None for single in (numerics, *numerics.each.values())),
        "roundoff": roundoff(resolved.example.dtype),
        "patterns": patterns,
    }


def metadata_request(resolved: Iterable[ResolvedExample]) -> MetadataRequest:
    """Ask for the shapes and strides of what each example returns."""
    return {"op": "metadata", "calls": [_call(each) for each in resolved]}


def time_request(resolved: ResolvedExample, *, seconds: float, threads: int | None, backward: bool) -> TimeRequest:
    """Ask a worker that measures how long the call of an example takes as drawn, and with all of it contiguous."""
    return {**_call(resolved), "op": "time", "seconds": seconds, "intraop_threads": threads, "backward": backward}


def double_backward_request(resolved: ResolvedExample) -> DoubleBackwardRequest:
    """Ask for the double backward of an example."""
    return {**_call(resolved), "op": "double_backward"}


def reference_check_request(case: Case) -> CheckRequest:
    """Ask what keeps the reference of a case from being called: it takes the same arguments, in its plain form."""
    if case.reference is None:
        return check_request(case)
    return check_request(replace(case, call=case.reference, inplace=None, paths=()))


def check_request(case: Case) -> CheckRequest:
    """Ask what keeps a case from being called."""
    passed = (*case.by_position, *case.arguments.values(), *(case.module.init.values() if case.module else ()))
    module = resolve_module(case, sampled_examples(case, case.dtypes[0], 1)[0]) if case.module else None
    return {
        "op": "check",
        "call": case.call,
        "inplace": case.inplace,
        "positional": len(case.by_position),
        "arguments": list(case.arguments),
        "out": "out" in case.paths,
        "module": _module(module),
        "torch": [leaf.name for leaf in leaves(passed) if isinstance(leaf, TorchName)],
    }


def roundoff(dtype: str) -> RoundoffData:
    """The roundings of an example in that dtype.

    A complex dtype has those of its parts. An integer one has those of float32, to which it is promoted.
    """
    storage = dtypes.part_of(dtype)
    storage = storage if storage in dtypes.FLOATING else "float32"
    accumulator = dtypes.accumulator_of(storage)
    return {
        "accumulator": dtypes.finfo(accumulator).unit_roundoff,
        "storage": dtypes.finfo(storage).unit_roundoff,
        "tiny": 0.0 if accumulator == storage else dtypes.finfo(storage).underflow_error,
    }


def _call(resolved: ResolvedExample) -> CallFields:
    case, example = resolved.case, resolved.example
    return {
        "call": case.call,
        "module": _module(resolved.module),
        "inplace": case.inplace if example.inplace else None,
        "tensors": [_operand(tensor) for tensor in resolved.tensors],
        "positional": tuple(map(wire_argument, resolved.positional)),
        "arguments": {name: wire_argument(value) for name, value in resolved.arguments.items()},
        "grad_output": _grad_output_layout(example),
        "threads": example.threads,
        "path": _path(case, example),
        "setting": example.setting,
        "dtype": example.dtype,
        "seed": example.seed,
        "fill": example.fill,
        "terms": resolved.terms,
    }


def _path(case: Case, example: Example) -> str:
    """How the call is run. What must be refused runs forward only: a backward that raises would hide an answer."""
    return "no_grad" if example.dtype in case.unsupported else example.path


def _grad_output_layout(example: Example) -> str:
    """What ``out=`` is given has the same, but no two elements at one address."""
    layout = example.layouts.get("grad_output", "contiguous")
    return layout.partition(":")[0] if example.path == "out" and layout.endswith(":expand_n") else layout


def _module(module: ResolvedModule | None) -> ModuleData | None:
    if module is None:
        return None
    init = {name: wire_argument(value) for name, value in module.init.items()}
    return {"init": init, "train": module.train, "state": dict(module.state)}


def _operand(tensor: ResolvedTensor) -> OperandData:
    return {
        "name": tensor.name,
        "shape": tensor.shape,
        "dtype": tensor.dtype,
        "layout": tensor.layout,
        "stream": tensor.stream,
        "gradient": tensor.gradient,
        "between": tensor.between,
        "buffer": tensor.buffer,
        "distinct": tensor.distinct,
    }


def wire_argument(value: Any) -> WireArgument:
    """An argument that marshal can write: a tensor and a name of torch are mappings, which nothing else there is."""
    if isinstance(value, TensorArgument):
        return {"tensor": value.tensor}
    if isinstance(value, TorchName):
        return {"torch": value.name}
    argument: WireArgument = tuple(map(wire_argument, value)) if isinstance(value, tuple) else value
    return argument
