"""Single modules of a model, fed with what reached them in the reference: a fault apart from its consequences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from harness.execution import Reply, WorkerLost
from harness.models.executor import ModelExecutor, lost_observations, observations_of, reference_of
from harness.models.function_call import FunctionCall, read_function_call
from harness.models.model import BASELINE, Model, ModelExample, ModelObservation, ModelReference

Images = Mapping[str, Sequence[tuple[str, str]]]
"""By conversion: format and dtype of each image that a module was given in the whole model."""


@dataclass(frozen=True)
class ReferenceCall:
    """One call of a module in the reference: its number, in the order in which calls end, and whether it called any."""

    number: int
    path: str
    class_name: str
    is_parent: bool


@dataclass(frozen=True)
class IsolatedModule:
    """A module on the reference's own input: in float64, in a cell unconverted and converted, and what it called there.

    A module that ended the cell's worker has `observations` that say so, and called nothing.
    """

    reference: ModelReference
    observations: tuple[ModelObservation, ...]
    calls: tuple[FunctionCall, ...] = ()


@dataclass(frozen=True)
class NotIsolated:
    """A module call that cannot be run by itself; `reason` is a sentence."""

    reason: str


class ModuleIsolation:
    """One example's model, whose module calls the reference's worker keeps while the context lasts.

    Where that worker is lost, or another has taken its place, the calls that it kept are lost with it: that is an
    incident, and no module is isolated any more.
    """

    def __init__(self, model_executor: ModelExecutor, model: Model, example: ModelExample) -> None:
        self._model_executor = model_executor
        self._model = model
        self._about = example.to_json()
        reference = model_executor.reference(model, example)
        self._request = {**model_executor.request(model, example), "state": reference.state}
        self._lost: NotIsolated | None = None
        self.calls: tuple[ReferenceCall, ...] = ()

    @property
    def loss_of_calls(self) -> NotIsolated | None:
        """Why no module can be run by itself any more; None while the calls are there."""
        return self._lost

    def __enter__(self) -> Self:
        reply = self._ask_reference({"op": "model-record-calls", "threads": 1})
        if not isinstance(reply, NotIsolated):
            self.calls = tuple(
                ReferenceCall(number, call["path"], call["class_name"], call["is_parent"])
                for number, call in enumerate(reply["calls"])
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ask_reference({"op": "model-release"})

    def isolate(
        self, call: ReferenceCall, cell: str, conversions: Sequence[str], images: Images
    ) -> IsolatedModule | NotIsolated:
        """Run one call by itself. What had lost its format before it in the whole model is not given it back."""
        fed = self._ask_reference({"op": "model-feed", "call": call.number, "threads": 1})
        if isinstance(fed, NotIsolated):
            return fed
        reference = reference_of(fed)
        if reference.problem is not None:
            return NotIsolated(reference.problem.sentence)
        request = {
            **self._request,
            "op": "model-isolate",
            "path": call.path,
            "call_arguments": fed["call_arguments"],
            "gradients": fed["gradients"],
            "conversions": tuple(conversions),
            "images": {conversion: list(formats) for conversion, formats in images.items()},
        }
        try:
            reply = self._model_executor.ask_cell(cell, request, f"model-isolate of {self._about}")
        except WorkerLost as lost:
            return IsolatedModule(reference, tuple(lost_observations(cell, lost, (BASELINE, *conversions))))
        calls = tuple(map(read_function_call, reply["calls"]))
        return IsolatedModule(reference, tuple(observations_of(cell, reply)), calls)

    def _ask_reference(self, fields: Mapping[str, object]) -> Reply | NotIsolated:
        """The reply of the reference's worker, unless the module calls are lost: before, or by this very request."""
        if self._lost is not None:
            return self._lost
        request = {**self._request, **fields}
        try:
            reply = self._model_executor.ask_reference(self._model, request, f"{fields['op']} of {self._about}")
        except WorkerLost as lost:
            return self._note_lost(f"{lost.how}: {lost.message}")
        return self._note_lost(reply["message"]) if reply["status"] == "lost" else reply

    def _note_lost(self, why: str) -> NotIsolated:
        self._lost = NotIsolated(f"the reference's worker no longer has the module calls ({why})")
        self._model_executor.note_incident(f"modules of {self._about} cannot be run by themselves: {self._lost.reason}")
        return self._lost
