"""A step of a model in both memory formats, measured in turn; and where the time of each goes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import List

import torch

from ...portable.timing_protocol import CostData, ModelTimeReply, ModelTimeRequest
from .. import kernel_trace, messages, pytree, timing_rounds
from . import builder, operator_costs, reorder_costs, run_step, runners, step
from .call_arguments import call_model
from .model_request import ModelRequest, parse_model
from .problems import ModelProblem, Unavailable

NHWC = "nhwc"
"""The name, beside `run_step.BASELINE`, of the step with all of the model converted."""


@dataclass(frozen=True)
class TimeModelRequest:
    """One step of a model to measure; the fields are those of `ModelTimeRequest`."""

    model: ModelRequest
    seconds: float
    intraop_threads: int | None
    profiled: bool


def parse_model_time(request: ModelTimeRequest) -> TimeModelRequest:
    """The request, taken apart."""
    return TimeModelRequest(
        parse_model(request, request["state"]), request["seconds"], request["intraop_threads"], request["profiled"]
    )


class TimedStep:
    """A step that can be taken again and again: the model is built, converted and a program already.

    A training step is zero_grad, forward, loss, backward and SGD with a learning rate of 0, by which the parameters,
    and so the work, stay the same.
    """

    def __init__(self, request: ModelRequest, conversion: str) -> None:
        request = replace(request, runner=builder.runner_of(request))
        self.model = builder.build_model(request)
        self._request = request
        inputs = builder.inputs(request)
        run_step.convert(self.model, inputs, request, conversion)
        step.set_mode(self.model, request)
        torch.manual_seed(request.seed)
        self._step = step.ModelStep(request, self.model, inputs)
        self._arguments = self._step.arguments
        with torch.set_grad_enabled(request.trains):
            self._program = runners.make_program(request, self.model, self._arguments)
        self._optimiser = torch.optim.SGD(self.model.parameters(), lr=0.0) if request.trains else None

    def __call__(self) -> None:
        """Take the step. Raises whatever the model raises."""
        if self._optimiser is None:
            with torch.no_grad():
                self._forward()
        else:
            self._optimiser.zero_grad(set_to_none=True)
            self._step.loss(pytree.named_outputs(self._forward())).backward()
            self._optimiser.step()

    def _forward(self) -> object:
        with step.autocast(self._request):
            return call_model(self._program, self._arguments)


def time_model(request: TimeModelRequest, log: kernel_trace.Trace) -> ModelTimeReply:
    """The times of the step in both formats, and what it costs in each; or why it cannot be measured."""
    if request.model.precision == "bfloat16" and not run_step.has_bfloat16():
        return {"status": "skipped", "message": run_step.NO_BFLOAT16}
    try:
        threads = timing_rounds.set_threads(request.intraop_threads)
        steps = {
            run_step.BASELINE: TimedStep(request.model, run_step.BASELINE),
            NHWC: TimedStep(request.model, run_step.FULL_CONVERSION),
        }
        measured = timing_rounds.time_in_turn(steps, threads, request.seconds)
        profiled = steps.items() if request.profiled else ()
        costs = {name: _cost_data(_costs(each, request.model, log)) for name, each in profiled}
    except Unavailable as error:
        return {"status": "skipped", "message": str(error)}
    except ModelProblem as error:
        return {"status": "problem", "message": str(error)}
    except Exception as error:
        return {"status": "problem", "message": f"it raised {messages.error_line(error)}"}
    finally:
        runners.leave_process_group()
    return {
        "status": "ok",
        "threads": threads,
        "rounds": measured.rounds,
        "processor_share": measured.processor_share,
        "costs": costs,
    }


def _costs(timed: TimedStep, request: ModelRequest, log: kernel_trace.Trace) -> operator_costs.Costs:
    costs = operator_costs.operator_costs(timed, timed.model, casts=request.precision != "float32")
    return reorder_costs.split_off_reorders(costs, reorder_costs.reorder_costs(timed, timed.model, log))


def _cost_data(costs: operator_costs.Costs) -> List[CostData]:
    """The costs as plain data, the largest first."""
    return [
        {
            "module": key.module.path,
            "class_name": key.module.class_name,
            "operator": key.operator,
            "kind": key.kind,
            "seconds": seconds,
        }
        for key, seconds in sorted(costs.items(), key=lambda item: -item[1])
    ]
