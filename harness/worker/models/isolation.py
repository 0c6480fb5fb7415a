"""One module at a time, on what reached it in float64: a fault shows where it is made, and nowhere after."""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from typing import Dict, Iterator, List, Mapping

import torch

from ...portable.model_protocol import (
    FunctionCallData,
    IsolatedReply,
    ModelFeedReply,
    RecordedCallsReply,
    ReleasedReply,
    RunData,
)
from ...portable.protocol import TensorData
from ...portable.tensor_name import TensorKind
from .. import kernel_trace, messages, pytree, tensors
from ..reference import graph
from . import argument_data, builder, data_dependent_ops, image_format, promote_float64, run_step, sensitivity, step
from .argument_data import Arguments
from .call_recorder import CallRecorder, RecordedCall, map_arguments, outputs_or_none
from .function_calls import record_function_calls
from .model_request import FeedRequest, IsolateRequest, ModelRequest
from .rounding_hooks import GradientFloors, RoundingHooks, perturbations
from .seeded_draws import draws_of

Gradients = Mapping[str, torch.Tensor]


@dataclass(frozen=True)
class _Recording:
    """The float64 model of a request, and the calls of its modules."""

    key: str
    model: torch.nn.Module
    calls: List[RecordedCall]


_LAST: List[_Recording] = []
"""The recording that this process has, or nothing; it lasts from ``model-record-calls`` to ``model-release``."""


def record_calls(request: ModelRequest) -> RecordedCallsReply:
    """Run the float64 model once and keep what every module got."""
    release_calls()
    request = replace(request, runner="eager")
    with graph.stock():
        model = builder.build_reference(request)
        recorder = CallRecorder(model)
        for _ in step.ModelStep(request, model, builder.inputs(request, torch.float64), double=True).run():
            pass
        _LAST.append(_Recording(request.parameters_key, builder.build_reference(request), recorder.calls))
    return {"status": "ok", "calls": [call.to_data() for call in recorder.calls]}


def release_calls() -> ReleasedReply:
    """Forget the recorded calls."""
    _LAST.clear()
    return {"status": "ok"}


def feed_call(request: FeedRequest) -> ModelFeedReply:
    """One call again in float64, on its arguments and gradients rounded to float32.

    A problem where the module cannot be called alone: it was given what is no plain data.
    """
    recording = _LAST[0] if _LAST else None
    if recording is None or recording.key != request.model.parameters_key:
        return {"status": "lost", "message": "they were recorded in another process, or have been released"}
    call = recording.calls[request.call]
    arguments = map_arguments(call.arguments, _rounded_to_float32)
    gradients = {name: gradient.float() for name, gradient in call.gradients.items()}
    module = dict(recording.model.named_modules())[call.path]

    def run(hooks: RoundingHooks) -> Dict[str, torch.Tensor]:
        return _run_float64(request.model, module, arguments, gradients, hooks)

    floors = GradientFloors(request.model.precision)
    try:
        with graph.stock():
            with data_dependent_ops.DataDependentOps() as ops:
                values = run(floors)
            noises = perturbations(request.model.precision, floors.recorder.sizes, selects=ops.selects)
            moved = sensitivity.measure(floors, noises, values, lambda noise: run(noise).items())
    except Exception as error:
        return {"status": "problem", "message": ": ".join(messages.failure(error))}
    return {
        "status": "ok",
        "call_arguments": argument_data.pack_arguments(arguments),
        "gradients": {name: argument_data.array_data(gradient) for name, gradient in gradients.items()},
        "values": {name: argument_data.array_data(value) for name, value in values.items()},
        "sensitivity": moved,
    }


def _rounded_to_float32(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.float() if tensor.is_floating_point() else tensor


def _run_float64(
    request: ModelRequest,
    original: torch.nn.Module,
    arguments: Arguments,
    gradients: Gradients,
    hooks: RoundingHooks,
) -> Dict[str, torch.Tensor]:
    """The tensors of a copy of the module in float64, with these hooks on it."""
    module = copy.deepcopy(original)
    double = map_arguments(arguments, lambda tensor: tensor.double() if tensor.is_floating_point() else tensor.clone())
    hooks.attach(module, pytree.flatten(double))
    double_gradients = {name: gradient.double() for name, gradient in gradients.items()}
    with hooks.sums, promote_float64.promote_float64():
        values = sensitivity.copies(_run_module(request, module, double, double_gradients))
    hooks.remove()
    return values


def _run_module(
    request: ModelRequest, module: torch.nn.Module, arguments: Arguments, gradients: Gradients
) -> Iterator[step.NamedTensor]:
    """Outputs, and in a training step the gradients of inputs and of the module's parameters, and its buffers."""
    step.set_mode(module, request)
    torch.manual_seed(request.seed & 0x7FFFFFFF)
    sources: Dict[str, torch.Tensor] = {}
    if request.trains:
        inputs = pytree.named_tensors(arguments, TensorKind.INPUT_GRADIENT.value)
        sources = {name: tensor.requires_grad_() for name, tensor in inputs if tensor.is_floating_point()}
    # a clone is no leaf: a module that works in place may write to it, as it may to its predecessor's output
    positional, named = map_arguments(arguments, lambda tensor: tensor.clone() if tensor.requires_grad else tensor)
    with torch.set_grad_enabled(request.trains), draws_of(request):
        outputs = outputs_or_none(module(*positional, **named))
    yield from outputs.items()
    if not request.trains:
        return
    yield from step.floating_buffers(module)
    sources.update(step.gradient_leaves(dict(module.named_parameters())))
    yield from _gradients(outputs, sources, gradients)


def _gradients(outputs: Gradients, sources: Gradients, gradients: Gradients) -> Iterator[step.NamedTensor]:
    """The gradients of the sources, where those of the outputs are as given, in the strides of the outputs."""
    names = [name for name in outputs if name in gradients and outputs[name].requires_grad]
    if not names or not sources:
        return
    grad_outputs = [
        torch.empty_like(outputs[name].detach()).copy_(gradients[name].to(outputs[name].dtype)) for name in names
    ]
    ends = [outputs[name] for name in names]
    results = torch.autograd.grad(ends, list(sources.values()), grad_outputs, allow_unused=True)
    yield from ((name, gradient) for name, gradient in zip(sources, results) if gradient is not None)


def isolate_call(request: IsolateRequest, log: kernel_trace.Trace) -> IsolatedReply:
    """The same call in a cell, unconverted and under each conversion; and the functions it called under the last."""
    conversions = request.model.conversions
    torch.set_num_threads(request.model.threads)
    modules = dict(builder.build_model(request.model).named_modules())
    runs: Dict[str, RunData] = {}
    calls: List[FunctionCallData] = []
    for conversion in (run_step.BASELINE, *conversions):
        module = copy.deepcopy(modules[request.path])
        runs[conversion] = _run_converted(
            request, module, conversion, log, calls if conversion == conversions[-1] else []
        )
    return {"status": "ok", "runs": runs, "calls": calls}


def _run_converted(
    request: IsolateRequest,
    module: torch.nn.Module,
    conversion: str,
    log: kernel_trace.Trace,
    calls: List[FunctionCallData],
) -> RunData:
    arguments = _converted_arguments(request, module, conversion)
    records: Dict[str, TensorData] = {}
    failure: BaseException | None = None
    log.text()
    with record_function_calls(module, calls):
        try:
            gradients = {name: argument_data.tensor_of(data) for name, data in request.gradients.items()}
            with step.autocast(request.model):
                for name, tensor in _run_module(request.model, module, arguments, gradients):
                    records[name] = tensors.record(tensor)
        except BaseException as error:
            failure = error
    return run_step.run_data(records, log.drain(), failure, [])


def _converted_arguments(request: IsolateRequest, module: torch.nn.Module, conversion: str) -> Arguments:
    """The arguments as they are in the converted model, whose module this makes of `module` too.

    Each image has the format, or its loss, and the dtype that it had there; any other tensor is as it is.
    """
    if conversion in run_step.CONVERTS_MODEL:
        image_format.convert_module(module)
    is_baseline = conversion == run_step.BASELINE
    images = iter(request.images.get(conversion, ()))

    def convert(tensor: torch.Tensor) -> torch.Tensor:
        if tensor.dim() not in (4, 5):
            return tensor
        form, dtype = next(images, ("nchw" if is_baseline else "nhwc", ""))
        cast = tensor.to(getattr(torch, dtype)) if dtype and tensor.is_floating_point() else tensor
        return image_format.to_channels_last(cast) if form in ("nhwc", "either") and not is_baseline else cast

    return map_arguments(argument_data.unpack_arguments(request.call_arguments), convert)
