"""What a worker that measures is asked, and what it answers: times of both memory formats in turn, and where they go.

`worker/README.md` has an example of each. Standard library only, Python 3.8 on.
"""

from __future__ import annotations

from typing import Dict, List, Literal, TypedDict, Union

from .call_protocol import ProblemReply
from .model_protocol import CalibrationData, ModelFields, SkippedReply
from .operator_protocol import CallFields
from .protocol import Operation

CostKind = Literal["kernel", "reorder", "copy", "overhead"]
"""``reorder`` is oneDNN's, to a layout of its own and back; ``copy`` is ATen's, from one memory format to another;
``overhead`` is Python, and autograd's bookkeeping, between operators; ``kernel`` is all other work of an operator."""

RoundSeconds = Dict[str, List[float]]
"""Seconds that one step took, by memory format (``nchw``, ``nhwc``), a number for each round: all formats were measured
in each, one after the other."""


class MeasurementFields(TypedDict):
    """For about how many seconds something is to be measured, and with how many threads; None: as PyTorch chooses."""

    seconds: float
    intraop_threads: int | None


class CostData(TypedDict):
    """Seconds that one operator took in one step, in all calls that one module made of it by itself, or their reorders.

    `module` is the path of the module, empty for the model itself and what is outside it (loss, optimiser).
    """

    module: str
    class_name: str
    operator: str
    kind: CostKind
    seconds: float


class TimeRequest(CallFields, MeasurementFields):
    """Measure a call with its layouts as drawn, as ``nhwc``, and with all of it contiguous, as ``nchw``.

    `backward`: with its backward.
    """

    op: Literal["time"]
    backward: bool


class TimesReply(TypedDict):
    """The times, and with how many threads.

    `processor_share` is the share of the time in which the calling thread had a processor: less than 1 where others
    wanted it too.
    """

    status: Literal["ok"]
    threads: int
    rounds: RoundSeconds
    processor_share: float


class ModelTimeRequest(ModelFields, MeasurementFields):
    """Measure a step of a model with nothing converted and with all of it; `state` None: it is not calibrated.

    `profiled`: find out where the time goes too.
    """

    op: Literal["model-time"]
    state: CalibrationData | None
    profiled: bool


class ModelTimesReply(TimesReply):
    """The times of a step, and by format what one step costs."""

    costs: Dict[str, List[CostData]]


TimeReply = Union[TimesReply, ProblemReply]
ModelTimeReply = Union[ModelTimesReply, SkippedReply, ProblemReply]

TIMING_OPERATIONS: Dict[str, Operation] = {
    "time": Operation(TimeRequest, TimeReply),
    "model-time": Operation(ModelTimeRequest, ModelTimeReply),
}
"""What a worker that measures can be asked."""
