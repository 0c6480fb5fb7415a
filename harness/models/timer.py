"""Measures models in a worker that does nothing else, with the parameters of the run that was judged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, cast

from harness.execution import Executor, WorkerLost
from harness.models.executor import ModelExecutor
from harness.models.model import Model, ModelExample, Problem
from harness.models.timing import ModelTiming, format_times, step_profile
from harness.portable.timing_protocol import ModelTimeReply, ModelTimeRequest

SECONDS: Final = 8.0
"""How long both formats of one step are measured; longer where a few rounds of it take longer."""

LIMIT: Final = 1200.0
"""Seconds of CPU time that one measurement may take, of all threads together."""


@dataclass(frozen=True)
class ModelTimer:
    """Measures in an executor that is open. `threads` None: as many as PyTorch takes; `seconds` as `SECONDS` says.

    `profiles`: find out where the time goes too.
    """

    executor: Executor
    model_executor: ModelExecutor
    threads: int | None = None
    seconds: float = SECONDS
    profiles: bool = True

    def measure(self, model: Model, example: ModelExample, cell: str) -> ModelTiming | Problem:
        """The times of an example of a model at the level of a cell, or why there are none.

        It has the calibration that its reference has made, if that was run. Raises UserError in a run in this process.
        """
        profiled = ", and profiled" if self.profiles else ""
        stage = (
            f"{model.name}, {example.way}: measured in both formats at {cell} for {self.seconds:g} s or more{profiled}"
        )
        self.model_executor.announce(stage)
        request: ModelTimeRequest = {
            **self.model_executor.fields(model, example),
            "op": "model-time",
            "state": self.model_executor.calibration(model, example),
            "seconds": self.seconds,
            "intraop_threads": self.threads,
            "profiled": self.profiles,
        }
        try:
            answer = self.executor.ask_cell(cell, request, about=example.to_json(), limit=LIMIT, measures=True)
        except WorkerLost as lost:
            return Problem(f"the worker that measured {lost.how}: {lost.message}")
        reply = cast("ModelTimeReply", answer)
        if reply["status"] != "ok":
            return Problem(reply["message"])
        return ModelTiming(
            item=str(example.way),
            level=cell,
            times=format_times(reply["rounds"], reply["threads"], reply["processor_share"]),
            nchw=step_profile(reply["costs"].get("nchw", ())),
            nhwc=step_profile(reply["costs"].get("nhwc", ())),
        )
