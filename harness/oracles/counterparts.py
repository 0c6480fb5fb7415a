"""Whether FakeTensorMode says how a tensor is laid out, and whether compiled code lays it out as the call itself does.

Compilers and exporters plan with the one before anything runs, and who reads the result may rely on the other.
"""

from __future__ import annotations

from collections.abc import Iterator

from harness.core import Example, Observation, TensorRecord
from harness.core.finding import Oracle
from harness.core.observation import TensorLayout
from harness.portable import tensor_name
from harness.portable.memory_format import strides_agree


def counterpart_faults(example: Example, observation: Observation) -> Iterator[tuple[Oracle, str, str]]:
    """Yield (oracle, tensor, message) for each tensor of which the two do not say the same.

    Strides count over the dimensions larger than 1, and not at all of a tensor without elements.
    """
    for name, other in observation.counterparts.items():
        record = observation.tensors.get(name)
        for oracle, theirs, own in () if record is None else _differences(other, record):
            if example.path == "meta":
                words = f"{theirs} under FakeTensorMode where the call gives {own}"
            else:
                words = f"{own} compiled where the call gives {theirs}"
            yield oracle, tensor_name.counterpart(example.path, name), f"{name} has {oracle} {words}"


def _differences(other: TensorLayout, record: TensorRecord) -> Iterator[tuple[Oracle, object, object]]:
    """In what the two differ, with what the counterpart and the record have of it."""
    if other.dtype != record.dtype:
        yield "dtype", other.dtype, record.dtype
    if other.shape != record.shape:
        yield "shape", other.shape, record.shape
    elif 0 not in other.shape and not strides_agree(other.shape, other.strides, record.strides):
        yield "strides", other.strides, record.strides
