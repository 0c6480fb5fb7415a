"""Single modules of a model, fed with what reached them in the reference: a fault apart from its consequences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self, cast

from harness.execution import HostLost, Reply, Request, WorkerLost
from harness.models.executor import ModelExecutor
from harness.models.function_call import FunctionCall, read_function_call
from harness.models.model import BASELINE, Model, ModelExample, ModelObservation, ModelReference
from harness.models.replies import lost_observations, model_observations, module_reference
from harness.portable.model_protocol import (
    FeedReply,
    IsolatedReply,
    ModelFeedReply,
    ModelFeedRequest,
    ModelIsolateRequest,
    ModelRecordCallsRequest,
    ModelReleaseRequest,
    RecordedCallsReply,
)

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

    A module that ended the cell's worker has `observations` that say so, and the `calls` of its forward where that
    returns.
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
        state = model_executor.reference(model, example).state
        if state is None:
            raise ValueError(f"{model.id} has no reference for {self._about}, and without it no modules to isolate")
        self._state = state
        self._fields = model_executor.fields(model, example)
        self._lost: NotIsolated | None = None
        self.calls: tuple[ReferenceCall, ...] = ()

    @property
    def loss_of_calls(self) -> NotIsolated | None:
        """Why no module can be run by itself any more; None while the calls are there."""
        return self._lost

    def __enter__(self) -> Self:
        request: ModelRecordCallsRequest = {
            **self._fields,
            "op": "model-record-calls",
            "state": self._state,
            "threads": 1,
        }
        answer = self._ask_reference(request)
        if not isinstance(answer, NotIsolated):
            reply = cast("RecordedCallsReply", answer)
            self.calls = tuple(
                ReferenceCall(number, call["path"], call["class_name"], call["is_parent"])
                for number, call in enumerate(reply["calls"])
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        request: ModelReleaseRequest = {"op": "model-release"}
        self._ask_reference(request)

    def isolate(
        self, call: ReferenceCall, cell: str, conversions: Sequence[str], images: Images
    ) -> IsolatedModule | NotIsolated:
        """Run one call by itself. What had lost its format before it in the whole model is not given it back."""
        feed = self._feed_call(call)
        if isinstance(feed, NotIsolated):
            return feed
        reference = module_reference(feed)
        request: ModelIsolateRequest = {
            **self._fields,
            "op": "model-isolate",
            "state": self._state,
            "path": call.path,
            "call_arguments": feed["call_arguments"],
            "gradients": feed["gradients"],
            "conversions": tuple(conversions),
            "images": {conversion: list(formats) for conversion, formats in images.items()},
        }
        try:
            answer = self._model_executor.ask_cell(cell, request, f"model-isolate of {self._about}")
        except HostLost as lost:
            return NotIsolated(lost.message)
        except WorkerLost as lost:
            observations = tuple(lost_observations(cell, lost, (BASELINE, *conversions)))
            return IsolatedModule(reference, observations, self._calls_of_forward(cell, request))
        reply = cast("IsolatedReply", answer)
        calls = tuple(map(read_function_call, reply["calls"]))
        return IsolatedModule(reference, tuple(model_observations(cell, reply["runs"])), calls)

    def _calls_of_forward(self, cell: str, request: ModelIsolateRequest) -> tuple[FunctionCall, ...]:
        """What a module calls whose isolation ended the worker; nothing where the forward alone ends it too."""
        without_backward: ModelIsolateRequest = {**request, "gradients": {}}
        try:
            answer = self._model_executor.ask_cell(cell, without_backward, f"the forward alone of {self._about}")
        except (HostLost, WorkerLost):
            return ()
        return tuple(map(read_function_call, cast("IsolatedReply", answer)["calls"]))

    def _feed_call(self, call: ReferenceCall) -> FeedReply | NotIsolated:
        """The reference of one call, and what it was called with."""
        request: ModelFeedRequest = {**self._fields, "op": "model-feed", "call": call.number, "threads": 1}
        answer = self._ask_reference(request)
        if isinstance(answer, NotIsolated):
            return answer
        reply = cast("ModelFeedReply", answer)
        if reply["status"] == "ok":
            return reply
        return self._note_lost(reply["message"]) if reply["status"] == "lost" else NotIsolated(reply["message"])

    def _ask_reference(self, request: Request) -> Reply | NotIsolated:
        """The reply of the reference's worker, unless the module calls are lost: before, or by this very request."""
        if self._lost is not None:
            return self._lost
        try:
            return self._model_executor.ask_reference(self._model, request, f"{request['op']} of {self._about}")
        except WorkerLost as lost:
            return self._note_lost(f"{lost.how}: {lost.message}")

    def _note_lost(self, why: str) -> NotIsolated:
        self._lost = NotIsolated(f"the reference's worker no longer has the module calls ({why})")
        self._model_executor.note_incident(f"modules of {self._about} cannot be run by themselves: {self._lost.reason}")
        return self._lost
