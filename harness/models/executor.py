"""Models in an executor: the same workers, requests of another kind."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, cast

from harness.errors import UserError
from harness.execution import Executor, HostLost, Reply, Request, WorkerLost
from harness.models.examples import model_arguments, model_shapes
from harness.models.model import (
    BASELINE,
    InputSpec,
    Model,
    ModelExample,
    ModelObservation,
    ModelReference,
    Problem,
    Skipped,
)
from harness.models.progress import Announce, announce_nothing
from harness.models.replies import lost_observations, model_observations, model_reference
from harness.models.weights_folder import WeightsFolder
from harness.portable.call_protocol import ArgumentData, InputData, ModelInputsReply, ModelInputsRequest
from harness.portable.model_protocol import (
    CalibrationData,
    ModelCheckReply,
    ModelCheckRequest,
    ModelFields,
    ModelReferReply,
    ModelReferRequest,
    ModelRunReply,
    ModelRunRequest,
)

LIMIT: Final = 120.0
"""Seconds one request may take in a cell, at least: a training step of a large model under load, twice or more."""

REFERENCE_LIMIT_FACTOR: Final = 4
"""The reference may take this many times as long: float64, one thread, five runs."""


@dataclass(frozen=True)
class ModelResult:
    """One example everywhere. `skipped` says, by the cell's name, why nothing was run there; `problem`: see Problem."""

    example: ModelExample
    reference: ModelReference
    observations: tuple[ModelObservation, ...]
    skipped: Mapping[str, Skipped] = field(default_factory=dict)
    problem: Problem | None = None


class ModelExecutor:
    """Runs models in an executor that is open. `limit` is in seconds for each request to a cell."""

    def __init__(self, executor: Executor, limit: float = LIMIT) -> None:
        self._executor = executor
        self._limit = max(limit, LIMIT)
        self._references: dict[str, ModelReference] = {}
        self._preloaded: dict[str, bool] = {}
        self._calibrations: dict[str, CalibrationData | None] = {}
        self._weights = WeightsFolder()
        self.announce: Announce = announce_nothing

    @property
    def incidents(self) -> Sequence[str]:
        """What happened to workers so far, in operators' runs too; it grows."""
        return self._executor.incidents

    def close(self) -> None:
        """Remove the files of weights."""
        self._weights.close()

    def note_incident(self, message: str) -> None:
        """Add one."""
        self._executor.note_incident(message)

    def check(self, model: Model) -> tuple[str, str]:
        """What of the packages it requires is missing here, and what keeps its factory from being called.

        At most one of the two says anything.
        """
        missing, problem = self._check_factory(model, preloaded=False)
        if problem and self._executor.preloads:
            missing, problem = self._check_factory(model, preloaded=True)
            self._preloaded[model.factory] = not problem
        return missing, problem

    def _check_factory(self, model: Model, *, preloaded: bool) -> tuple[str, str]:
        request: ModelCheckRequest = {"op": "model-check", "factory": model.factory, "requires": model.requires}
        try:
            answer = self._executor.ask_reference(request, about=model.factory, limit=self._limit, preloaded=preloaded)
        except WorkerLost as lost:
            return "", f"importing {model.factory} ended the worker: {lost.message}"
        reply = cast("ModelCheckReply", answer)
        if reply["status"] == "ok":
            return "", ""
        return (reply["message"], "") if reply["status"] == "missing" else ("", reply["message"])

    def load_inputs(self, path: Path) -> ArgumentData:
        """What ``torch.save`` has put into a file. Raises UserError for a file that has nothing of use."""
        request: ModelInputsRequest = {"op": "model-inputs", "path": str(path.absolute())}
        try:
            answer = self._executor.ask_reference(request, about=str(path), limit=self._limit, preloaded=False)
        except WorkerLost as lost:
            raise UserError(f"{path}: reading it ended the worker: {lost.message}") from None
        reply = cast("ModelInputsReply", answer)
        if reply["status"] == "problem":
            raise UserError(f"{path}: {reply['message']}")
        return reply["content"]

    def reference(self, model: Model, example: ModelExample) -> ModelReference:
        """The float64 answer. That of the last example is kept: items that differ in the runner share it."""
        fields = self.fields(model, example)
        key = _reference_key(fields)
        if key not in self._references:
            self._references.clear()
            self._references[key] = self._ask_for_reference(model, example, fields)
            self._calibrations[key] = self._references[key].state
        return self._references[key]

    def calibration(self, model: Model, example: ModelExample) -> CalibrationData | None:
        """What the reference changed in the model, of every example that has been run; None where there is none."""
        return self._calibrations.get(_reference_key(self.fields(model, example)))

    def _ask_for_reference(self, model: Model, example: ModelExample, fields: ModelFields) -> ModelReference:
        self.announce(f"{example.way}: in float64, with its roundings perturbed")
        request: ModelReferRequest = {**fields, "op": "model-refer", "threads": 1}
        try:
            answer = self._executor.ask_reference(
                request,
                about=example.to_json(),
                limit=self._limit * REFERENCE_LIMIT_FACTOR,
                preloaded=self._needs_preload(model),
            )
        except WorkerLost as lost:
            return ModelReference(lost.how, problem=Problem(f"the reference {lost.how}: {lost.message}"))
        return model_reference(cast("ModelReferReply", answer))

    def run(
        self,
        model: Model,
        example: ModelExample,
        *,
        cells: Collection[str] | None = None,
        isolated: bool = False,
    ) -> ModelResult:
        """The reference, and every conversion in each cell. `isolated`: in workers that ran nothing yet.

        `cells` None: all that were asked for by name, else the representative ones.
        """
        reference = self.reference(model, example)
        if reference.problem is not None or reference.state is None:
            return ModelResult(example, reference, (), problem=reference.problem)
        names = self._executor.representative_cells if cells is None else self._executor.cell_names(cells)
        self.announce(f"{example.way}: at {' and '.join(names)}{', alone in fresh workers' if isolated else ''}")
        runs = (BASELINE, *model.conversions)
        fields = self.fields(model, example)
        request: ModelRunRequest = {**fields, "op": "model-run", "state": reference.state, "runs": runs}
        if isolated:
            preloaded = self._needs_preload(model)
            replies = self._executor.ask_forks(
                names, request, about=example.to_json(), limit=self._limit, preloaded=preloaded
            )
        else:
            replies = self._executor.ask_cells(names, request, about=example.to_json(), limit=self._limit)
        lost_runs = {
            cell: self._observe_one_by_one(model, example, request, cell, answer)
            for cell, answer in replies.items()
            if isinstance(answer, WorkerLost) and not isinstance(answer, HostLost)
        }
        return model_result(example, reference, replies, lost_runs)

    def _observe_one_by_one(
        self, model: Model, example: ModelExample, request: ModelRunRequest, cell: str, lost: WorkerLost
    ) -> list[ModelObservation]:
        """Each run in a worker of its own, where one of them has ended a worker: the others may be right.

        All of them count as lost where none is so by itself.
        """
        observations: list[ModelObservation] = []
        is_lost = False
        for conversion in request["runs"]:
            alone: ModelRunRequest = {**request, "runs": (conversion,)}
            preloaded = self._needs_preload(model)
            about, limit = example.to_json(), self._limit
            answer = self._executor.ask_forks([cell], alone, about=about, limit=limit, preloaded=preloaded)[cell]
            if isinstance(answer, HostLost):
                continue
            if isinstance(answer, WorkerLost):
                is_lost = True
                observations += lost_observations(cell, answer, (conversion,))
            elif (reply := cast("ModelRunReply", answer))["status"] == "ok":
                observations += model_observations(cell, reply["runs"])
        return observations if is_lost else lost_observations(cell, lost, request["runs"])

    def ask_reference(self, model: Model, request: Request, about: str) -> Reply:
        """The reply of the worker in which the model's reference runs. Raises WorkerLost."""
        return self._executor.ask_reference(
            request, about=about, limit=self._limit, preloaded=self._needs_preload(model)
        )

    def ask_cell(self, cell: str, request: Request, about: str) -> Reply:
        """The reply of the worker of a cell. Raises WorkerLost."""
        self.announce(f"looking for the module to blame at {cell}")
        return self._executor.ask_cell(cell, request, about=about, limit=self._limit)

    def _needs_preload(self, model: Model) -> bool:
        """Whether the factory exists only with the preload files."""
        return self._preloaded.get(model.factory, False)

    def fields(self, model: Model, example: ModelExample) -> ModelFields:
        """What every request about an example says of it."""
        shapes = model_shapes(model, example)
        return {
            "factory": model.factory,
            "arguments": model_arguments(model, example),
            "inputs": [
                input_data(spec, shape, position)
                for position, (spec, shape) in enumerate(zip(model.inputs, shapes, strict=True))
            ],
            "constants": [{"place": constant.place, "value": constant.value} for constant in model.constants],
            "weights_file": self._weights.file_of(model) if model.weights == "keep" else "",
            "step": example.step,
            "runner": example.runner,
            "precision": example.precision,
            "conversions": model.conversions,
            "frozen": model.frozen,
            "needs_frozen": model.needs_frozen,
            "watch": model.watch,
            "seeded": model.seeded,
            "seed": example.seed,
            "threads": example.threads,
        }


def _reference_key(fields: ModelFields) -> str:
    """What the reference of an example depends on."""
    return repr([(name, value) for name, value in fields.items() if name not in ("runner", "threads", "conversions")])


def input_data(spec: InputSpec, shape: tuple[int, ...], position: int) -> InputData:
    """An input as a request has it; `position` is its own where its place in the call is not declared."""
    return {
        "name": spec.name,
        "place": spec.place or (position,),
        "shape": shape,
        "dtype": spec.dtype,
        "channels_last": spec.channels_last,
        "most": spec.most,
        "data": None if spec.data is None else (spec.data.dtype.str, [*spec.data.shape], spec.data.tobytes()),
    }


def model_result(
    example: ModelExample,
    reference: ModelReference,
    replies: Mapping[str, Reply | WorkerLost],
    lost_runs: Mapping[str, Sequence[ModelObservation]],
) -> ModelResult:
    """What came of an example, from the replies of the cells by name, and what was seen where a worker was lost."""
    observations: list[ModelObservation] = []
    skipped: dict[str, Skipped] = {}
    problem: Problem | None = None
    for cell, answer in replies.items():
        if isinstance(answer, HostLost):
            skipped[cell] = Skipped(answer.message)
            continue
        if isinstance(answer, WorkerLost):
            observations += lost_runs[cell]
            continue
        reply = cast("ModelRunReply", answer)
        if reply["status"] == "ok":
            observations += model_observations(cell, reply["runs"])
        elif reply["status"] == "skipped":
            skipped[cell] = Skipped(reply["message"])
        elif problem is None:
            problem = Problem(reply["message"])
    return ModelResult(example, reference, tuple(observations), skipped, problem)
