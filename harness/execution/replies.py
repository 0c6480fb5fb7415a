"""From a worker's reply to Observations and References."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from harness.core import Case, Example, Observation, Reference, TensorRecord
from harness.core.observation import Array, ObservedLayout, TensorLayout
from harness.portable.operator_protocol import CallMetadata, MetadataReply, ObservationData, ObserveReply, ReferReply
from harness.portable.protocol import ArrayData, TensorData, TensorLayoutData


def observations(cell: str, reply: ObserveReply) -> tuple[Observation, Observation]:
    """Both observations in a reply: ``drawn``, ``contiguous``."""
    drawn, contiguous = reply["drawn"], reply["contiguous"]
    records = {name: record_of(record) for name, record in drawn["tensors"].items()}
    others = {name: record_of(record, records.get(name)) for name, record in contiguous["tensors"].items()}
    return _observation(cell, "drawn", drawn, records), _observation(cell, "contiguous", contiguous, others)


def metadata(cell: str, reply: MetadataReply) -> list[Observation]:
    """The observations in a reply, one for each example; their tensors have no values."""
    return [_metadata(cell, call) for call in reply["metadata"]]


def _metadata(cell: str, call: CallMetadata) -> Observation:
    nothing = np.empty(0)
    return Observation(
        cell=cell,
        layout="drawn",
        status=call["status"],
        tensors={
            name: TensorRecord(dtype, tuple(shape), tuple(strides), nothing)
            for name, (dtype, shape, strides) in call["tensors"].items()
        },
        inputs={name: tuple(strides) for name, strides in call["inputs"].items()},
        error=call["error"],
        message=call["message"],
    )


def _observation(
    cell: str, layout: ObservedLayout, data: ObservationData, tensors: Mapping[str, TensorRecord]
) -> Observation:
    return Observation(
        cell=cell,
        layout=layout,
        status=data["status"],
        tensors=tensors,
        inputs={name: tuple(strides) for name, strides in data["inputs"].items()},
        written=tuple(data["written"]),
        unrepeated=tuple(data["unrepeated"]),
        kernels=dict(data["kernels"]),
        primitives=tuple(data["primitives"]),
        operators=tuple(data["operators"]),
        arguments=data["arguments"],
        inner_arguments=data["inner_arguments"],
        foreign=tuple(data["foreign"]),
        counterparts={name: _layout_of(layout) for name, layout in data["counterparts"].items()},
        phase=data["phase"],
        error=data["error"],
        message=data["message"],
    )


def _layout_of(data: TensorLayoutData) -> TensorLayout:
    dtype, shape, strides = data
    return TensorLayout(dtype, tuple(shape), tuple(strides))


def record_of(data: TensorData, shared: TensorRecord | None = None) -> TensorRecord:
    """A tensor as NumPy has it; without bytes of its own the values are those of `shared`.

    Raises ValueError where it has none and there is no `shared`.
    """
    dtype, shape, strides, raw = data
    if raw is not None:
        values = _values(dtype, raw).reshape(shape)
    elif shared is not None:
        values = shared.values
    else:
        raise ValueError("a tensor without bytes, and none that has them")
    return TensorRecord(dtype, tuple(shape), tuple(strides), values)


def _values(dtype: str, raw: bytes) -> Array:
    if dtype != "bfloat16":
        return np.frombuffer(raw, np.dtype(dtype))
    return (np.frombuffer(raw, np.uint16).astype(np.uint32) << 16).view(np.float32)


def reference(case: Case, example: Example, reply: ReferReply, *, is_independent: bool) -> Reference:
    """The reference in a reply. Declared `terms` are the same number for every element that has a bound.

    `is_independent`: by its name it is another callable than the one that is judged; it still may call that one.
    """
    bound, terms = _arrays(reply["bound"]), _arrays(reply["terms"])
    for name, array in bound.items():
        if (declared := case.numerics.of(name).terms) is not None:
            terms[name] = np.full(array.shape, float(declared.evaluate(example.sizes)))
    return Reference(
        status=reply["status"],
        values=_arrays(reply["values"]),
        bound=bound,
        terms=terms,
        scaled=_arrays(reply["scaled"]),
        inner_sensitivity=_arrays(reply["inner_sensitivity"]),
        storage_sensitivity=_arrays(reply["storage_sensitivity"]),
        inputs=_arrays(reply["inputs"]),
        grad_outputs=_arrays(reply["grad_outputs"]),
        dtypes=dict(reply["dtypes"]),
        is_independent=is_independent and not reply["foreign"],
        error=reply["error"],
        message=reply["message"],
    )


def _arrays(data: Mapping[str, ArrayData]) -> dict[str, Array]:
    return {name: np.frombuffer(raw, dtype).reshape(shape) for name, (dtype, shape, raw) in data.items()}
