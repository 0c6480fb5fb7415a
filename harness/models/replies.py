"""What workers answer about models, read into references and observations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from harness.core import TensorRecord
from harness.core.observation import Array
from harness.execution import WorkerLost, record_of
from harness.models.image_call import image_calls
from harness.models.model import ModelObservation, ModelReference, ModuleRecord, Problem
from harness.portable.model_protocol import FeedReply, ModelReferReply, ModuleCallData, RunData
from harness.portable.protocol import ArrayData


def model_reference(reply: ModelReferReply) -> ModelReference:
    """The reference of a model, or why there is none."""
    if reply["status"] == "problem":
        return ModelReference("raised", problem=Problem(reply["message"]))
    return ModelReference("ok", _arrays(reply["values"]), reply["sensitivity"], reply["state"])


def module_reference(reply: FeedReply) -> ModelReference:
    """The reference of a module by itself; its parameters are those of the model."""
    return ModelReference("ok", _arrays(reply["values"]), reply["sensitivity"])


def _arrays(data: Mapping[str, ArrayData]) -> dict[str, Array]:
    return {name: np.frombuffer(raw, dtype).reshape(shape) for name, (dtype, shape, raw) in data.items()}


def lost_observations(cell: str, lost: WorkerLost, conversions: Sequence[str]) -> list[ModelObservation]:
    """What stands for the observations of a worker that died or hung: every conversion did."""
    return [
        ModelObservation(cell, conversion, lost.how, signal=lost.signal, message=lost.message)
        for conversion in conversions
    ]


def model_observations(cell: str, runs: Mapping[str, RunData]) -> list[ModelObservation]:
    """The observations of the runs, which go by conversion; the first of them has the bytes of every tensor."""
    unconverted: dict[str, TensorRecord] = {}
    observations = []
    for conversion, run in runs.items():
        tensors = {name: record_of(record, unconverted.get(name)) for name, record in run["tensors"].items()}
        unconverted = unconverted or tensors
        modules = tuple(map(_module_record, run["modules"]))
        observations.append(
            ModelObservation(
                cell,
                conversion,
                run["status"],
                tensors,
                modules,
                image_calls(run["image_calls"]),
                tuple(run["module_layouts"]),
                tuple(run["conversion_faults"]),
                run["kernels"],
                run["error"],
                run["message"],
            )
        )
    return observations


def _module_record(call: ModuleCallData) -> ModuleRecord:
    return ModuleRecord(
        path=call["path"],
        class_name=call["class_name"],
        input_formats=tuple(call["input_formats"]),
        input_dtypes=tuple(call["input_dtypes"]),
        reorders=call["reorders"],
    )
