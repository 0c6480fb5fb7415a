"""A call in both memory formats, measured in turn: with its layouts as drawn, and with all of it contiguous."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, List

import torch

from ...portable.timing_protocol import TimeReply, TimeRequest
from .. import messages, pytree, timing_rounds
from ..call import Call, parse_call
from . import invoke, modes
from .run import Run


@dataclass(frozen=True)
class TimeCallRequest:
    """One call to measure; the fields are those of `TimeRequest`."""

    call: Call
    seconds: float
    intraop_threads: int | None
    backward: bool


def parse_time(request: TimeRequest) -> TimeCallRequest:
    """The request, taken apart."""
    return TimeCallRequest(parse_call(request), request["seconds"], request["intraop_threads"], request["backward"])


class TimedCall:
    """A call that can be made again and again on the same tensors, and by the same module; `backward`: with gradients.

    What a call writes into is written again by the next.
    """

    def __init__(self, call: Call, *, contiguous: bool, backward: bool) -> None:
        self._call = call
        self.run = Run(call, contiguous)
        self.function = invoke.bind(call, self.run.inputs)
        self._leaves = list(self.run.leaves.values()) if backward else []
        self._grad_outputs: Dict[int, torch.Tensor] = {}

    def __call__(self) -> None:
        """Make it. Raises whatever it raises."""
        if not self._leaves:
            with torch.no_grad(), modes.mode(self._call.path):
                self.function()
            return
        outputs = pytree.flatten(self.function())
        ends = {index: output for index, output in enumerate(outputs) if output.requires_grad}
        for index, output in ends.items():
            if index not in self._grad_outputs:
                self._grad_outputs[index] = self.run.grad_output(index, output)
        grad_outputs: List[torch.Tensor] = [self._grad_outputs[index] for index in ends]
        torch.autograd.grad(list(ends.values()), self._leaves, grad_outputs, allow_unused=True)


def time_call(request: TimeCallRequest) -> TimeReply:
    """The times of the call, ``nchw`` where all is contiguous; or what it raised."""
    try:
        threads = timing_rounds.set_threads(request.intraop_threads)
        steps = {
            name: TimedCall(request.call, contiguous=is_contiguous, backward=request.backward)
            for name, is_contiguous in (("nchw", True), ("nhwc", False))
        }
        measured = timing_rounds.time_in_turn(steps, threads, request.seconds)
    except Exception as error:
        return {"status": "problem", "message": f"it raised {messages.error_line(error)}"}
    return {
        "status": "ok",
        "threads": threads,
        "rounds": measured.rounds,
        "processor_share": measured.processor_share,
    }
