"""One model in one cell: the same step with nothing converted and under each conversion, as plain data."""

from __future__ import annotations

from dataclasses import replace
from typing import Dict, List, Mapping, Sequence

import torch

from ...portable.model_protocol import ConversionFaultData, ModelRunReply, ModuleCallData, RunData
from ...portable.protocol import TensorData
from .. import kernel_trace, messages, tensors
from ..operators import observe
from . import builder, image_format, module_hooks, step, user_conversions
from .call_arguments import call_arguments, call_model
from .layout_trace import LayoutTrace
from .model_request import ModelRequest
from .problems import ModelProblem, Unavailable

BASELINE = "nchw"
"""The run with nothing converted, beside the conversions."""

FULL_CONVERSION = "both"
"""The run with the model and its inputs converted."""

CONVERTS_MODEL = ("both", "model")
CONVERTS_INPUTS = ("both", "input")

NO_BFLOAT16 = "oneDNN has no bfloat16 at this level, and ATen's own kernels sum in bfloat16"
"""Why a model is not run in bfloat16."""

HOOKABLE_RUNNERS = ("eager", "fx")
"""Those that run a model's own modules, or modules of the same paths."""


def run_model(request: ModelRequest, conversions: Sequence[str], log: kernel_trace.Trace) -> ModelRunReply:
    """The runs by conversion, `BASELINE` for none, which goes first.

    Where a tensor has the same bits as in a run of these with nothing converted its bytes are None.
    """
    torch.set_num_threads(request.threads)
    if request.precision == "bfloat16" and not has_bfloat16():
        return {"status": "skipped", "message": NO_BFLOAT16}
    runs: Dict[str, RunData] = {}
    try:
        for conversion in conversions:
            runs[conversion] = _run(request, conversion, log)
            if conversion != BASELINE and BASELINE in runs:
                _drop_repeated_bytes(runs[conversion]["tensors"], runs[BASELINE]["tensors"])
    except ModelProblem as error:
        return {"status": "problem", "message": str(error)}
    except Unavailable as error:
        return {"status": "skipped", "message": str(error)}
    return {"status": "ok", "runs": runs}


def _drop_repeated_bytes(mine: Dict[str, TensorData], baseline: Mapping[str, TensorData]) -> None:
    """Take the bytes out of those tensors that are the same with nothing converted."""
    for name, record in mine.items():
        if observe.same(record, baseline.get(name)):
            mine[name] = (*record[:3], None)


def has_bfloat16() -> bool:
    """Whether oneDNN has kernels in bfloat16 at this level."""
    is_supported = getattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", None)
    return bool(is_supported is not None and torch.backends.mkldnn.is_available() and is_supported())


def _run(request: ModelRequest, conversion: str, log: kernel_trace.Trace) -> RunData:
    model = builder.build_model(request)
    inputs = builder.inputs(request)
    convert(model, inputs, request, conversion)
    can_be_followed = request.runner in HOOKABLE_RUNNERS
    request = replace(request, runner=builder.runner_of(request))
    hooked = request.runner in HOOKABLE_RUNNERS
    watch = module_hooks.ModuleHooks(model, log) if hooked else module_hooks.KernelCounts(log)
    log.text()
    records: Dict[str, TensorData] = {}
    failure: BaseException | None = None
    try:
        with watch:
            for name, tensor in step.ModelStep(request, model, inputs).run():
                records[name] = tensors.record(tensor)
    except (ModelProblem, Unavailable):
        raise
    except BaseException as error:
        failure = error
    trace: LayoutTrace | None = None
    if can_be_followed and conversion == FULL_CONVERSION:
        trace = _follow_images(request, has_raised=failure is not None)
    data = run_data(records, watch.kernels(), failure, watch.calls, trace)
    if conversion == FULL_CONVERSION:
        data["conversion_faults"] = _conversion_faults(request)
    return data


def _conversion_faults(request: ModelRequest) -> List[ConversionFaultData]:
    """What is wrong with the ways to convert it: looked for in one of the ways to run it, as the model is the same."""
    if request.trains or (request.runner, request.precision) != ("eager", "float32"):
        return []
    return user_conversions.conversion_faults(builder.build_model(request))


def _follow_images(request: ModelRequest, *, has_raised: bool) -> LayoutTrace:
    """What becomes of images in another forward pass: one that is followed is not one to be judged.

    Whoever sees that functions are followed may take another way (a fused encoder of transformers does). `has_raised`:
    the run that is judged has raised. Raises ModelProblem where this one alone does, of which not all was seen.
    """
    model = builder.build_model(request)
    inputs = builder.inputs(request)
    convert(model, inputs, request, FULL_CONVERSION)
    step.set_mode(model, request)
    trace = LayoutTrace(model, inputs, [spec.channels_last for spec in request.inputs])
    torch.manual_seed(request.seed)
    try:
        with torch.no_grad(), step.autocast(request), trace.follow():
            trace.note_end(call_model(model, call_arguments(request, inputs)))
    except Exception as error:
        if not has_raised:
            msg = f"the model raised {messages.error_line(error)} where its functions are followed, and not otherwise"
            raise ModelProblem(msg) from None
    return trace


def run_data(
    records: Dict[str, TensorData],
    kernels: Dict[str, int],
    failure: BaseException | None,
    calls: List[ModuleCallData],
    trace: LayoutTrace | None = None,
) -> RunData:
    """One run as plain data; `failure` is the exception that ended it, after the tensors so far."""
    error, message = ("", "") if failure is None else messages.failure(failure)
    return {
        "status": "ok" if failure is None else "raised",
        "tensors": records,
        "modules": calls,
        "image_calls": trace.calls if trace is not None else [],
        "module_layouts": trace.modules.data() if trace is not None else [],
        "conversion_faults": [],
        "kernels": kernels,
        "error": error,
        "message": message,
    }


def convert(model: torch.nn.Module, inputs: List[torch.Tensor], request: ModelRequest, conversion: str) -> None:
    """Put parameters, inputs or both in channels-last, in place, as a user does by ``.to(memory_format=...)``."""
    if conversion in CONVERTS_MODEL:
        image_format.convert_module(model)
    if conversion in CONVERTS_INPUTS:
        for index, spec in enumerate(request.inputs):
            if spec.channels_last:
                inputs[index] = image_format.to_channels_last(inputs[index])
