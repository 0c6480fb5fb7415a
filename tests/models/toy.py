"""A model executor without processes: what each run of a model returned is written down."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

import numpy as np

from harness.core import Size, TensorRecord
from harness.execution import WorkerLost
from harness.models.executor import ModelResult
from harness.models.image_call import ImageCall, LayoutLoss
from harness.models.model import (
    Model,
    ModelExample,
    ModelObservation,
    ModelReference,
    Problem,
    Skipped,
)
from harness.portable.model_protocol import CalibrationData
from tests.models.calls import image_call

CELL = "avx2"
VALUE = np.array([1.0, -2.0, 4.0])
MODEL = Model("suites/models/toy.yaml::toy", "toy", "toy", 1, "toy.make", (Size("S", "choice", (1, 2)),), ())
NO_CALIBRATION: CalibrationData = {"powers": {}, "statistics": {}}
KEPT = image_call("act")
LOST = image_call("act", loses=LayoutLoss.GIVES, gave="nchw")


def run(conversion: str, error: float = 0.0, call: ImageCall = KEPT, **fields: Any) -> ModelObservation:
    """One run in the cell, whose first element is off by `error`."""
    array = (VALUE + np.array([error, 0.0, 0.0])).astype(np.float32)
    tensors = {"output[0]": TensorRecord("float32", array.shape, (1,), array)}
    return ModelObservation(CELL, conversion, fields.pop("status", "ok"), tensors, image_calls=(call,), **fields)


@dataclass
class ToyModelExecutor:
    """Returns the runs that `runs` gives for an example, or `skipped`, or `problem`; the reference's worker is lost.

    `alone` gives the runs in workers that ran nothing before (None: the same).
    """

    runs: Callable[[ModelExample], Sequence[ModelObservation]]
    alone: Callable[[ModelExample], Sequence[ModelObservation]] | None = None
    skipped: Mapping[str, Skipped] = field(default_factory=dict)
    problem: Problem | None = None
    sensitivity: float = 1e-6
    incidents: list[str] = field(default_factory=list)

    def run(
        self, model: Model, example: ModelExample, *, cells: Collection[str] | None = None, isolated: bool = False
    ) -> ModelResult:
        """The result of one example."""
        del cells
        reference = self.reference(model, example)
        runs = self.alone if isolated and self.alone is not None else self.runs
        return ModelResult(example, reference, tuple(runs(example)), self.skipped, self.problem)

    def reference(self, model: Model, example: ModelExample) -> ModelReference:
        """The float64 answer, and how far it moves."""
        del model, example
        return ModelReference("ok", {"output[0]": VALUE}, {"output[0]": self.sensitivity}, NO_CALIBRATION)

    def fields(self, model: Model, example: ModelExample) -> dict[str, Any]:
        """Nothing that anybody reads."""
        del model, example
        return {}

    def ask_reference(self, model: Model, request: Mapping[str, object], about: str) -> NoReturn:
        """The worker with the reference is gone."""
        del model, request, about
        raise WorkerLost("died", 9, "killed by SIGKILL")

    def note_incident(self, message: str) -> None:
        """Keep it."""
        self.incidents.append(message)
