"""Single modules of a model, fed with what reached them in the reference: a fault apart from its consequences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from harness.execution import PendingRequest, Reply, Supervisor
from harness.models.executor import ModelExecutor, observations_of, reference_of
from harness.models.model import BASELINE, Call, Model, ModelExample, ModelObservation, ModelReference

Images = Mapping[str, Sequence[tuple[str, str]]]
"""By conversion: format and dtype of each image that a module was given in the whole model."""


@dataclass(frozen=True)
class ModuleCall:
    """One call of a module in the reference: its number, in the order in which calls end, and whether it called any."""

    number: int
    path: str
    kind: str
    parent: bool


@dataclass(frozen=True)
class IsolatedModule:
    """A module on the reference's own input: in float64, in a cell unconverted and converted, and what it called there.

    `reference.problem` says why it could not be called alone.
    """

    reference: ModelReference
    observations: tuple[ModelObservation, ...] = ()
    called: tuple[Call, ...] = ()


class ModuleIsolation:
    """One example's model, held by the reference's worker while the context lasts."""

    def __init__(self, model_executor: ModelExecutor, model: Model, example: ModelExample) -> None:
        self._model_executor = model_executor
        self._about = example.to_json()
        reference = model_executor.reference(model, example)
        self._request = {**model_executor.request(model, example), "state": reference.state}
        self._supervisor = model_executor.reference_supervisor(model)
        self.calls: tuple[ModuleCall, ...] = ()

    def __enter__(self) -> Self:
        reply = self._ask(self._supervisor, {"op": "model-calls", "threads": 1})
        self.calls = tuple(ModuleCall(number, *call) for number, call in enumerate(reply.get("calls", ())))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ask(self._supervisor, {"op": "model-release"})

    def alone(self, call: ModuleCall, cell: str, conversions: Sequence[str], images: Images) -> IsolatedModule:
        """Run one call by itself. What had lost its format before it in the whole model is not given it back."""
        fed = self._ask(self._supervisor, {"op": "model-fed", "call": call.number, "threads": 1})
        reference = reference_of(fed)
        if reference.problem:
            return IsolatedModule(reference)
        reply = self._ask(
            self._model_executor.executor.pool.cell(cell),
            {
                "op": "model-alone",
                "path": call.path,
                "given": fed["given"],
                "gradients": fed["gradients"],
                "conversions": tuple(conversions),
                "images": {name: list(found) for name, found in images.items()},
            },
        )
        seen = observations_of(cell, reply, (BASELINE, *conversions))
        return IsolatedModule(reference, tuple(seen), tuple(map(_call, reply.get("called", ()))))

    def _ask(self, supervisor: Supervisor, changes: Mapping[str, Any]) -> Reply:
        request = {**self._request, **changes}
        pending = PendingRequest(request, f"{changes['op']} of {self._about}", self._model_executor.limit)
        return supervisor.collect(supervisor.send(pending))


def _call(reply: Sequence[Any]) -> Call:
    function, parameters, given, standard, returned = reply
    named = {name: _frozen(value) for name, value in given}
    return Call(function, tuple(parameters), named, tuple(standard), _frozen(returned))


def _frozen(value: Any) -> Any:
    return tuple(_frozen(item) for item in value) if isinstance(value, list | tuple) else value
