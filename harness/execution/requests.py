"""From a Case and an Example to the plain dict that a worker gets, and from its reply to nouns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal

import numpy as np

from harness.core import Case, Example, Observation, Reference, TensorArgument, TensorRecord, TorchName, leaves
from harness.core.observation import Array
from harness.generation import arguments, construction, positional, ranges, sampled_examples, shapes, terms

Layout = Literal["drawn", "contiguous"]
LAYOUTS: tuple[Layout, ...] = ("drawn", "contiguous")
ROUNDOFF: Final = {
    "float64": (2.0**-53, 2.0**-53, 0.0),
    "float32": (2.0**-24, 2.0**-24, 0.0),
    "bfloat16": (2.0**-24, 2.0**-8, 2.0**-134),
    "float16": (2.0**-24, 2.0**-11, 2.0**-25),
    "complex128": (2.0**-53, 2.0**-53, 0.0),
}
"""Unit roundoffs of the accumulator (float32 for the half types) and of the dtype, and half its smallest subnormal.

Other dtypes are as float32: complex64 has its parts, and integers are promoted to it.
"""


def observation_request(case: Case, example: Example, *, repeats: int = 1) -> dict[str, Any]:
    """Ask for both observations of an example, its ATen operators untraced."""
    return {**_request(case, example), "op": "observe", "trace": False, "repeats": repeats}


def reference_request(case: Case, example: Example) -> dict[str, Any]:
    """Ask for the reference of an example. Of one that must be refused: whether the call itself is legal."""
    numerics = case.numerics
    if example.dtype in case.unsupported:
        example = example.but(dtype=case.dtypes[0], path="no_grad")
    return {
        **_request(case, example),
        "op": "refer",
        "rules": (numerics.output, numerics.gradient, {name: one.output for name, one in numerics.each.items()}),
        "count": any(one.terms is None for one in (numerics, *numerics.each.values())),
        "roundoff": ROUNDOFF.get(example.dtype, ROUNDOFF["float32"]),
    }


def metadata_request(case: Case, examples: Iterable[Example]) -> dict[str, Any]:
    """Ask for the shapes and strides of what each example returns."""
    return {"op": "metadata", "calls": [_request(case, example) for example in examples]}


def double_backward_request(case: Case, example: Example) -> dict[str, Any]:
    """Ask for the double backward of an example."""
    return {**_request(case, example), "op": "double_backward"}


def check_request(case: Case) -> dict[str, Any]:
    """Ask what keeps a case from being called."""
    passed = (*case.by_position, *case.arguments.values(), *(case.module.init.values() if case.module else ()))
    return {
        "op": "check",
        "call": case.call,
        "inplace": case.inplace,
        "positional": len(case.by_position),
        "arguments": list(case.arguments),
        "out": "out" in case.paths,
        "module": None if case.module is None else _module(case, sampled_examples(case, case.dtypes[0], 1)[0]),
        "torch": [leaf.name for leaf in leaves(passed) if isinstance(leaf, TorchName)],
    }


def _request(case: Case, example: Example) -> dict[str, Any]:
    return {
        "call": case.call,
        "module": _module(case, example),
        "inplace": case.inplace if example.inplace else None,
        "tensors": _tensors(case, example),
        "positional": _plain(positional(case, example)),
        "arguments": {name: _plain(value) for name, value in arguments(case, example).items()},
        "grad_output": _grad_output(example),
        "threads": example.threads,
        "path": _path(case, example),
        "dtype": example.dtype,
        "seed": example.seed,
        "fill": example.fill,
        "terms": int(terms(case, example)),
    }


def _path(case: Case, example: Example) -> str:
    """How the call is run. What must be refused runs forward only: a backward that raises would hide an answer."""
    return "no_grad" if example.dtype in case.unsupported else example.path


def _grad_output(example: Example) -> str:
    """Its layout. What ``out=`` is given has the same, but no two elements at one address."""
    layout = example.layouts.get("grad_output", "contiguous")
    return layout.partition(":")[0] if example.path == "out" and layout.endswith(":expand_n") else layout


def _module(case: Case, example: Example) -> dict[str, Any] | None:
    """How the module is made, and the tensors that stand for its state."""
    if case.module is None:
        return None
    init, train = construction(case, example)
    options = {name: _plain(value) for name, value in init.items()}
    return {"init": options, "train": train, "state": dict(case.module.state)}


def _tensors(case: Case, example: Example) -> list[tuple[Any, ...]]:
    """Each tensor as the worker's `Described` has it, absent ones included; its place is its fill stream."""
    found, between = shapes(case, example), ranges(case, example)
    return [
        (
            spec.name,
            None if spec.name in example.absent else tuple(found[spec.name]),
            spec.dtype or example.dtype,
            example.layouts.get(spec.name, "contiguous"),
            stream,
            spec.grad,
            between.get(spec.name),
            spec.buffer,
            spec.distinct,
        )
        for stream, spec in enumerate(case.tensors)
    ]


def _plain(value: Any) -> Any:
    """An argument that marshal can write: a tensor and a name of torch are mappings, which nothing else there is."""
    if isinstance(value, TensorArgument):
        return {"tensor": value.tensor}
    if isinstance(value, TorchName):
        return {"torch": value.name}
    return tuple(_plain(part) for part in value) if isinstance(value, tuple) else value


def observations(cell: str, reply: Mapping[str, Any]) -> tuple[Observation, Observation]:
    """Both observations in a reply; one that says ``died`` or ``hung`` stands for both layouts."""
    if reply.get("status") in {"died", "hung"}:
        status, signal, message = reply["status"], reply.get("signal", 0), reply.get("message", "")
        drawn, plain = (Observation(cell, layout, status, signal=signal, message=message) for layout in LAYOUTS)
        return drawn, plain
    records = {name: record_of(record) for name, record in reply["drawn"]["tensors"].items()}
    again = {name: record_of(record, records.get(name)) for name, record in reply["contiguous"]["tensors"].items()}
    return (
        _observation(cell, "drawn", reply["drawn"], records),
        _observation(cell, "contiguous", reply["contiguous"], again),
    )


def metadata(cell: str, reply: Mapping[str, Any]) -> list[Observation]:
    """The observations in a reply to `metadata_request`; one that says ``died`` or ``hung`` stands for all."""
    if reply.get("status") in {"died", "hung"}:
        status, signal, message = reply["status"], reply.get("signal", 0), reply.get("message", "")
        return [Observation(cell, "drawn", status, signal=signal, message=message)]
    return [_metadata(cell, returned) for returned in reply["metadata"]]


def _metadata(cell: str, reply: Mapping[str, Any]) -> Observation:
    """Its tensors have no values."""
    nothing = np.empty(0)
    tensors = {
        name: TensorRecord(dtype, tuple(shape), tuple(strides), nothing)
        for name, (dtype, shape, strides) in reply["tensors"].items()
    }
    inputs = {name: tuple(strides) for name, strides in reply["inputs"].items()}
    error, message = reply["error"], reply["message"]
    return Observation(cell, "drawn", reply["status"], tensors, inputs, error=error, message=message)


def _observation(
    cell: str, layout: Layout, reply: Mapping[str, Any], tensors: Mapping[str, TensorRecord]
) -> Observation:
    return Observation(
        cell=cell,
        layout=layout,
        status=reply["status"],
        tensors=tensors,
        inputs={name: tuple(strides) for name, strides in reply["inputs"].items()},
        written=tuple(reply["written"]),
        unrepeated=tuple(reply["unrepeated"]),
        kernels=dict(reply["kernels"]),
        operators=tuple(reply["operators"]),
        error=reply["error"],
        message=reply["message"],
    )


def record_of(record: Any, shared: TensorRecord | None = None) -> TensorRecord:
    """A record as NumPy has it; without bytes of its own the values are those of `shared`."""
    dtype, shape, strides, raw = record
    if raw is None and shared is not None:
        return TensorRecord(dtype, tuple(shape), tuple(strides), shared.values)
    return TensorRecord(dtype, tuple(shape), tuple(strides), _values(dtype, raw).reshape(shape))


def _values(dtype: str, raw: bytes) -> Array:
    if dtype != "bfloat16":
        return np.frombuffer(raw, np.dtype(dtype))
    return (np.frombuffer(raw, np.uint16).astype(np.uint32) << 16).view(np.float32)


def reference(case: Case, example: Example, reply: Mapping[str, Any]) -> Reference:
    """The reference in a reply. Declared `terms` are the same number for every element that has a bound."""
    if reply["status"] in {"died", "hung"}:
        return Reference(reply["status"], message=reply["message"])
    bound = _arrays(reply["bound"])
    counts = _arrays(reply["terms"])
    for name, array in bound.items():
        if (declared := case.numerics.of(name).terms) is not None:
            counts[name] = np.full(array.shape, float(declared.evaluate(example.sizes)))
    return Reference(
        status=reply["status"],
        values=_arrays(reply["values"]),
        bound=bound,
        terms=counts,
        scaled=_arrays(reply["scaled"]),
        inner_sensitivity=_arrays(reply["spread"]),
        storage_sensitivity=_arrays(reply["stored"]),
        inputs=_arrays(reply["inputs"]),
        grad_outputs=_arrays(reply["grad_outputs"]),
        dtypes=dict(reply["dtypes"]),
        error=reply["error"],
        message=reply["message"],
    )


def _arrays(named: Mapping[str, Any]) -> dict[str, Array]:
    return {name: np.frombuffer(raw, dtype).reshape(shape) for name, (dtype, shape, raw) in named.items()}
