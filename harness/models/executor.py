"""Models in the executor: the same workers, requests of another kind."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from harness.core import TensorRecord
from harness.execution import Executor, PendingRequest, Reply, Supervisor, record_of
from harness.execution import levels as rules
from harness.models.examples import model_arguments, model_shapes
from harness.models.model import (
    BASELINE,
    Model,
    ModelExample,
    ModelObservation,
    ModelReference,
    ModuleRecord,
    Problem,
    Skipped,
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
    """Runs models in a executor that is open. `limit` is in seconds for each request to a cell."""

    def __init__(self, executor: Executor, limit: float = LIMIT) -> None:
        self.executor = executor
        self.limit = max(limit, LIMIT)
        self._references: dict[str, ModelReference] = {}
        self._preloaded: dict[str, bool] = {}

    def check(self, model: Model) -> tuple[str, str]:
        """What of the packages it requires is missing here, and what keeps its factory from being called.

        At most one of the two says anything.
        """
        reply = self._asked(model, preloaded=False)
        if reply["problem"] and self.executor.preloads:
            reply = self._asked(model, preloaded=True)
            self._preloaded[model.factory] = not reply["problem"]
        return reply["missing"], reply["problem"]

    def _asked(self, model: Model, *, preloaded: bool) -> Reply:
        request = {"op": "model-check", "factory": model.factory, "requires": model.requires}
        supervisor = self.executor.pool.reference(preloaded=preloaded)
        reply = supervisor.collect(supervisor.send(PendingRequest(request, model.factory, self.limit)))
        if reply.get("status") in {"died", "hung"}:
            return {"missing": "", "problem": f"importing {model.factory} ended the worker: {reply['message']}"}
        return reply

    def reference(self, model: Model, example: ModelExample) -> ModelReference:
        """The float64 answer. That of the last example is kept: items that differ in the runner share it."""
        asked = self.request(model, example)
        key = repr([(name, value) for name, value in asked.items() if name not in ("runner", "threads", "conversions")])
        if key not in self._references:
            self._references.clear()
            request = {**asked, "op": "model-refer", "threads": 1}
            supervisor = self.reference_supervisor(model)
            pending = PendingRequest(request, example.to_json(), self.limit * REFERENCE_LIMIT_FACTOR)
            self._references[key] = reference_of(supervisor.collect(supervisor.send(pending)))
        return self._references[key]

    def run(
        self,
        model: Model,
        example: ModelExample,
        *,
        cells: Collection[str] | None = None,
        isolated: bool = False,
    ) -> ModelResult:
        """The reference, and every conversion in each cell (None: all). `isolated`: in workers that ran nothing yet."""
        reference = self.reference(model, example)
        names = [cell.name for cell in self.executor.cells if cells is None or cell.name in cells]
        if reference.problem is not None or reference.status != "ok":
            return ModelResult(example, reference, (), problem=reference.problem)
        request = {**self.request(model, example), "op": "model", "state": reference.state}
        pending_requests = self._sent(model, request, example.to_json(), names, isolated=isolated)
        observations: list[ModelObservation] = []
        skipped: dict[str, Skipped] = {}
        problem: Problem | None = None
        for name, (supervisor, pending) in pending_requests.items():
            reply = supervisor.collect(pending)
            if "skip" in reply:
                skipped[name] = Skipped(reply["skip"])
            elif "problem" in reply and problem is None:
                problem = Problem(reply["problem"])
            observations += observations_of(name, reply, (BASELINE, *model.conversions))
        return ModelResult(example, reference, tuple(observations), skipped, problem)

    def _sent(
        self, model: Model, request: dict[str, Any], about: str, names: Sequence[str], *, isolated: bool
    ) -> dict[str, tuple[Supervisor, PendingRequest]]:
        if isolated:
            supervisors = self.executor.pool.fork_per_request(
                names, preloaded=self._preloaded.get(model.factory, False)
            )
            request = {**request, "limit": self.limit}
        else:
            supervisors = {name: self.executor.pool.cell(name) for name in names}
        return {
            name: (
                supervisors[name],
                supervisors[name].send(PendingRequest(request, about, self.limit + 10.0 * isolated)),
            )
            for name in names
        }

    def request(self, model: Model, example: ModelExample) -> dict[str, Any]:
        """What every request about an example says of it."""
        shapes = model_shapes(model, example)
        return {
            "factory": model.factory,
            "arguments": model_arguments(model, example),
            "inputs": [
                (spec.name, shape, spec.dtype, spec.channels_last, spec.most)
                for spec, shape in zip(model.inputs, shapes, strict=True)
            ],
            "step": example.step,
            "runner": example.runner,
            "precision": example.precision,
            "conversions": model.conversions,
            "frozen": model.frozen,
            "watch": model.watch,
            "seeded": model.seeded,
            "seed": example.seed,
            "threads": example.threads,
        }

    def reference_supervisor(self, model: Model) -> Supervisor:
        """Where the model's reference runs: with the preload files only where its factory needs them."""
        return self.executor.pool.reference(preloaded=self._preloaded.get(model.factory, False))


def model_cells(executor: Executor) -> list[str]:
    """The cells that models run in: all that were asked for by name, else the representative ones."""
    if executor.asked:
        return [cell.name for cell in executor.cells]
    return rules.representatives([cell.level for cell in executor.cells], executor.levels)


def reference_of(reply: Reply) -> ModelReference:
    """The reference in a reply."""
    if reply.get("status") in {"died", "hung"}:
        return ModelReference(reply["status"], problem=Problem(f"the reference {reply['status']}: {reply['message']}"))
    if "problem" in reply:
        return ModelReference("raised", problem=Problem(reply["problem"]))
    values = {name: np.frombuffer(raw, dtype).reshape(shape) for name, (dtype, shape, raw) in reply["values"].items()}
    return ModelReference("ok", values, reply["spread"], reply.get("state"))


def observations_of(cell: str, reply: Reply, conversions: Sequence[str]) -> list[ModelObservation]:
    """The observations in a reply, by conversion; one that says ``died`` or ``hung`` stands for all of them."""
    if reply.get("status") in {"died", "hung"}:
        ended = {"signal": reply.get("signal", 0), "message": reply.get("message", "")}
        return [ModelObservation(cell, conversion, reply["status"], **ended) for conversion in conversions]
    plain: dict[str, TensorRecord] = {}
    found = []
    for conversion, run in reply.get("runs", {}).items():
        tensors = {name: record_of(record, plain.get(name)) for name, record in run["tensors"].items()}
        plain = plain or tensors
        modules = tuple(
            ModuleRecord(path, kind, tuple(given), tuple(returned), alias, parent, reorders, tuple(dtypes), turned)
            for path, kind, given, returned, alias, parent, reorders, dtypes, turned in run["modules"]
        )
        found.append(
            ModelObservation(
                cell, conversion, run["status"], tensors, modules, run["kernels"], run["error"], run["message"]
            )
        )
    return found
