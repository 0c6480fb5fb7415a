"""The float64 answer of a model, and how far each of its tensors may move by the rounding of the precision tested.

A model has no a-priori bound that is of any use, so its sensitivity is measured: the float64 model runs several
times more, with every module's output, and the gradient that arrives there, moved by what a kernel may round. Each
element moves by the same size and a random sign. The second run has the opposite signs of the first: what sits at an
edge (a ReLU's zero, the second largest element of a window) goes over it in one of the two.
"""

from __future__ import annotations

import contextlib
import math
from dataclasses import replace
from typing import Callable, ContextManager, Dict, Iterable, Iterator, Mapping

import torch

from ...portable.model_protocol import ModelReferReply, ReferenceReply
from ...portable.tensor_name import TensorKind, kind_of
from .. import messages, tensors
from ..operators import observe
from ..reference import graph
from . import builder, data_dependent_ops, input_hints, promote_float64, random_calls, step
from .argument_data import array_data
from .calibration import calibrate
from .call_arguments import call_arguments
from .model_request import Calibration, ModelRequest
from .problems import ModelProblem
from .rounding_hooks import GradientFloors, ModuleNoise, RoundingHooks, perturbations, root_mean_square

REPEAT_SEED = 0x5EED
"""Added to the seed of the second run that shows whether a model draws random numbers."""

Tensors = Dict[str, torch.Tensor]


def refer_model(request: ModelRequest) -> ModelReferReply:
    """The reference of a request as plain data, or the sentence that says why the model cannot be judged."""
    with graph.stock():
        try:
            return _reference(replace(request, runner="eager"))
        except ModelProblem as error:
            return {"status": "problem", "message": str(error)}
        except BaseException as error:
            return {"status": "problem", "message": _problem_sentence(request, error)}


def _reference(request: ModelRequest) -> ReferenceReply:
    calibration = _calibrate(request)
    request = replace(request, calibration=calibration)
    _check_frozen(request)
    floors = GradientFloors(request.precision)
    with data_dependent_ops.DataDependentOps() as ops:
        values = copies(_run(request, floors))
    _refuse_random(request, values)
    noises = perturbations(request.precision, floors.recorder.sizes, selects=ops.selects)
    sensitivity = measure(floors, noises, values, lambda noise: _run(request, noise))
    if step.LOSS in values:
        means = [
            _mean_sensitivity(value, sensitivity[name], floors.unit)
            for name, value in values.items()
            if kind_of(name) is TensorKind.OUTPUT
        ]
        sensitivity[step.LOSS] = max([sensitivity[step.LOSS], *means])
    return {
        "status": "ok",
        "state": calibration.to_data(),
        "values": {name: array_data(value) for name, value in values.items()},
        "sensitivity": sensitivity,
    }


def _calibrate(request: ModelRequest) -> Calibration:
    if request.weights_file:
        builder.build_model(request)  # which writes them
        return Calibration({}, {})
    model = builder.build_reference(request)
    step.set_mode(model, replace(request, step="eval"))
    with torch.no_grad(), promote_float64.promote_float64():
        return calibrate(model, call_arguments(request, builder.inputs(request, torch.float64)))


def measure(
    floors: GradientFloors,
    noises: Iterable[ModuleNoise],
    values: Mapping[str, torch.Tensor],
    run: Callable[[ModuleNoise], Iterable[step.NamedTensor]],
) -> Dict[str, float]:
    """How far each tensor moves from `values` under any of the noises: its floor at least; infinite without a value."""
    sensitivity = dict(floors.floors)
    for noise in noises:
        for name, tensor in run(noise):
            moved = distance(tensor.detach(), values.get(name)) / noise.scale
            sensitivity[name] = max(sensitivity.get(name, 0.0), moved)
    return sensitivity


def copies(named: Iterable[step.NamedTensor]) -> Tensors:
    """Contiguous copies: what comes after may write into a tensor."""
    return {name: tensor.detach().clone(memory_format=torch.contiguous_format) for name, tensor in named}


def _run(request: ModelRequest, hooks: RoundingHooks | None = None, draw: int = 0) -> Iterator[step.NamedTensor]:
    """Each tensor of a run as it comes; what is not kept needs no memory."""
    model = builder.build_reference(request)
    inputs = builder.inputs(request, torch.float64)
    if hooks is not None:
        hooks.attach(model, inputs)
    steps = step.ModelStep(request, model, inputs, double=True, draw=draw).run()
    yield from steps if hooks is None else _run_under(hooks.sums, steps)
    if hooks is not None:
        hooks.remove()


def _run_under(mode: ContextManager[object], steps: Iterator[step.NamedTensor]) -> Iterator[step.NamedTensor]:
    """What comes of the steps in that mode, which whoever takes it is not in."""
    while True:
        with mode:
            named = next(steps, None)
        if named is None:
            return
        yield named


def _check_frozen(request: ModelRequest) -> None:
    """Raise ModelProblem where a class is to be frozen of which the model has no module."""
    classes = {type(module).__name__ for module in builder.build_model(request).modules()}
    unknown = [name for name in request.frozen if name not in classes]
    if request.needs_frozen and unknown:
        msg = f"it has no module of the class {unknown[0]!r} to freeze; its classes are {', '.join(sorted(classes))}"
        raise ModelProblem(msg)


def _refuse_random(request: ModelRequest, values: Tensors) -> None:
    """Raise ModelProblem where the same input gives another answer after another seed of torch's generator."""
    again = copies(_run(request, draw=0 if request.seeded else REPEAT_SEED))
    differing = [name for name, value in values.items() if not _is_same(value, again.get(name))]
    if differing:
        fact = "two runs with the same input differ ({})".format(", ".join(differing[:3]))
        raise ModelProblem(fact + ": " + _random_remedy(request))


def _random_remedy(request: ModelRequest) -> str:
    """What draws random numbers, on which line, and what to declare."""
    model = builder.build_reference(request)
    run = step.ModelStep(request, model, builder.inputs(request, torch.float64), double=True).run()
    with random_calls.RandomCalls(model) as draws, contextlib.suppress(Exception):
        for _ in run:
            if draws.calls:
                break
    if draws.calls:
        remedy: str = draws.calls[0].remedy
        return remedy
    return "no function of torch was seen to draw random numbers; let the model seed what does: random, NumPy, a clock"


def _is_same(tensor: torch.Tensor, other: torch.Tensor | None) -> bool:
    return other is not None and observe.same(tensors.record(tensor), tensors.record(other))


def distance(moved: torch.Tensor, value: torch.Tensor | None) -> float:
    """The largest difference of two tensors; infinite where they cannot be compared."""
    if value is None or moved.shape != value.shape:
        return math.inf
    if not value.is_floating_point():
        return 0.0 if torch.equal(moved, value) else math.inf
    largest = float((moved - value).abs().max()) if value.numel() else 0.0
    return math.inf if math.isnan(largest) else largest


def _mean_sensitivity(output: torch.Tensor, sensitivity: float, unit: float) -> float:
    """How far the mean of an output may move that moves by `sensitivity`: a single number may have been lucky."""
    if not output.is_floating_point():
        return 0.0
    return (sensitivity + unit * root_mean_square(output)) / math.sqrt(max(output.numel(), 1))


def _problem_sentence(request: ModelRequest, error: BaseException) -> str:
    """Why a model that raised cannot be judged: its inputs, where these explain it, or what it raised."""
    with contextlib.suppress(Exception):
        hint: str = input_hints.input_hint(request, builder.build_model(request))
        if hint:
            return hint
    name, message = messages.failure(error)
    return f"the model raised {name}: {message}"
