"""The float64 answer on contiguous copies, and the magnitudes and counts of the a-priori bounds."""

from __future__ import annotations

import contextlib
import functools
from dataclasses import replace
from typing import Callable, Dict, Mapping, Tuple

import numpy as np
import torch

from ...portable import tensor_name
from ...portable.operator_protocol import ReferReply
from ...portable.protocol import ArrayData
from .. import fill_values, messages, pytree, tensors
from ..call import Call, Refer
from ..operators import foreign, invoke, output_dtypes
from ..tensors import Array
from . import attention_kernel, interpolation, monte_carlo, uint8_interpolation
from .graph import Change, Graph, stock

BYTES = "uint8"

MOST_MATRICES = 1 << 25
"""Bytes of the matrices of interpolation that are kept; those of an ordinary example have some thousand."""

_MATRICES: Dict[Tuple[object, ...], interpolation.Matrices] = {}

DERIVING = ("plain", "jvp", "double_backward")
"""The paths that derive what a call returns."""

SCALE = 2.0**-700
"""What operands are multiplied by so that a sum of products of up to three float64 numbers cannot overflow."""

Values = Mapping[str, Array]


def refer(request: Refer) -> ReferReply:
    """The reference of a call; of one that raises, what it raised, what went in, and what only its gradients lack."""
    values = fill_values.input_values(request.call)
    reply = _empty_reply(values)
    with stock():
        try:
            _compute(request, values, reply)
        except BaseException as error:
            reply = _forward_reply(request, values)
            reply["status"] = "raised"
            reply["error"], reply["message"] = messages.failure(error)
    return reply


def _forward_reply(request: Refer, values: Values) -> ReferReply:
    """The reference of the same call without gradients and tangents; an empty one where that raises as well."""
    reply = _empty_reply(values)
    if request.call.path not in DERIVING:
        return reply
    try:
        _compute(replace(request, call=replace(request.call, path="no_grad")), values, reply)
    except Exception:
        return _empty_reply(values)
    return reply


def _empty_reply(values: Values) -> ReferReply:
    return {
        "status": "ok",
        "values": {},
        "bound": {},
        "terms": {},
        "scaled": {},
        "inner_sensitivity": {},
        "storage_sensitivity": {},
        "inputs": {name: _array_data(np.ascontiguousarray(array)) for name, array in values.items()},
        "grad_outputs": {},
        "dtypes": {},
        "foreign": [],
        "error": "",
        "message": "",
    }


def _compute(request: Refer, values: Values, reply: ReferReply) -> None:
    call = request.call
    foreign_operators = foreign.ForeignOperators()
    with foreign_operators if foreign.is_foreign_name(call.call) else contextlib.nullcontext():
        main = _compute_values(request, values, reply)
    reply["foreign"] = sorted(foreign_operators.names)
    reply["grad_outputs"] = {tensor_name.output(index): _array_data(main.grad_output(index)) for index in main.ends}
    reply["bound"] = _measure(request, values, main, np.abs)
    if request.counts_terms:
        reply["terms"] = _measure(request, values, main, np.ones_like)
    if "resampling" in request.rules:
        _interpolate(request, values, reply, main)
    if call.dtype == "float64" and call.fill == "special":
        reply["scaled"] = _measure(request, values, main, _scale)
    if "normwise" in request.rules:
        _perturb(request, values, reply)


def _compute_values(request: Refer, values: Values, reply: ReferReply) -> Graph:
    """The call and its gradients, with the numbers in `reply`."""
    main = Graph(_without_bytes(request), values, np.array)
    reply["dtypes"] = main.due_dtypes = output_dtypes.due_dtypes(request.call, values, main.outputs)
    # before backward: an operator may hand back its own input or a buffer that backward reuses
    reply["values"] = {name: _value_data(tensor) for name, tensor in main.tensors().items()}
    reply["values"].update((name, _value_data(gradient)) for name, gradient in main.gradients(np.array).items())
    return main


def _measure(request: Refer, values: Values, main: Graph, change: Change) -> dict[str, ArrayData]:
    """The bound (`change` is abs), the number of terms (ones) or the scaled size of what has a bound.

    `multilinear` changes inputs and grad_output alike. `selection` keeps the inputs, for others would select other
    elements, and changes grad_output only.
    """
    sizes: dict[str, ArrayData] = {}
    if "multilinear" in request.rules:
        changed = Graph(request.call, values, change)
        changed.due_dtypes = main.due_dtypes
        measured = {**changed.tensors(), **changed.gradients(change)}
        sizes.update(_magnitudes(request, "multilinear", measured))
    if "selection" in request.rules:
        ones = change is np.ones_like
        measured = {name: torch.ones_like(tensor) if ones else tensor for name, tensor in main.tensors().items()}
        measured.update(main.gradients(change))
        sizes.update(_magnitudes(request, "selection", measured))
    return sizes


def _magnitudes(request: Refer, rule: str, measured: Mapping[str, torch.Tensor]) -> dict[str, ArrayData]:
    """The magnitudes of those that are judged by that rule and are no integers."""
    return {
        name: _magnitude_data(tensor)
        for name, tensor in measured.items()
        if request.rules.rule(name) == rule and (tensor.dtype.is_floating_point or tensor.dtype.is_complex)
    }


def _interpolate(request: Refer, values: Values, reply: ReferReply, main: Graph) -> None:
    """What the coefficients bound, for the output and for the gradient of the first tensor, which is resampled."""
    first, shape = request.call.present[0]
    matrices = _matrices(request.call, shape[2:])
    measures = {tensor_name.FIRST_OUTPUT: matrices.output(values[first.name])}
    if first.is_differentiated:
        measures[tensor_name.gradient(first.name)] = matrices.gradient(main.grad_output(0))
    if first.dtype == BYTES:
        value, off = uint8_interpolation.two_passes(matrices.matrices, values[first.name])
        measures[tensor_name.FIRST_OUTPUT] = measures[tensor_name.FIRST_OUTPUT]._replace(bound=off)
        reply["values"][tensor_name.FIRST_OUTPUT] = _array_data(np.ascontiguousarray(value))
    for tensor, measure in measures.items():
        if request.rules.rule(tensor) == "resampling":
            reply["bound"][tensor] = _float64_data(measure.bound)
            reply["terms"][tensor] = _float64_data(measure.terms)
            reply["inner_sensitivity"][tensor] = _float64_data(measure.move)


def _matrices(call: Call, sizes: tuple[int, ...]) -> interpolation.Matrices:
    """Those of a call on images of these sizes, as they were read off at its first example of them.

    Nothing but its arguments and the sizes goes into those of a function: the same corners come again in every dtype,
    layout and fill.
    """
    if call.module is not None:
        return interpolation.Matrices(resampler(call), sizes)
    key = (call.call, call.operands[0].name, call.positional, tuple(sorted(call.arguments.items())), sizes)
    if key not in _MATRICES:
        _MATRICES[key] = interpolation.Matrices(resampler(call), sizes)
        while sum(kept.nbytes for kept in _MATRICES.values()) > MOST_MATRICES and len(_MATRICES) > 1:
            del _MATRICES[next(iter(_MATRICES))]
    return _MATRICES[key]


def _without_bytes(request: Refer) -> Call:
    """The call with a float64 image where bytes are resampled: the stock kernel for bytes would be its own judge."""
    call = request.call
    if "resampling" not in request.rules or call.operands[0].dtype != BYTES:
        return call
    return call.with_first_operand(dtype="float64", gradient=False)


def resampler(call: Call) -> Callable[[Array], Array]:
    """The operator as a function of its first tensor, on arrays of one channel.

    It gets two of them, channels-last: antialiasing contiguous images to one column is wrong in PyTorch 2.15.
    """

    def resample(image: Array) -> Array:
        """The first output, for this array in place of the first tensor."""
        pair = torch.from_numpy(np.repeat(image, 2, axis=1))
        last = torch.channels_last if image.ndim == 4 else torch.channels_last_3d
        inputs = {call.operands[0].name: pair.contiguous(memory_format=last)}
        return tensors.as_numpy(pytree.flatten(invoke.invoke(call, inputs, plain=True))[0])[:, :1]

    return resample


def _scale(array: Array) -> Array:
    scaled: Array = array * SCALE
    return scaled


def _perturb(request: Refer, values: Values, reply: ReferReply) -> None:
    """How far roundings inside operators, and of what is stored between them, move what `normwise` judges.

    In a dtype that is its own accumulator the two are one.
    """
    judged = {
        name: np.frombuffer(raw, dtype).reshape(shape)
        for name, (dtype, shape, raw) in reply["values"].items()
        if request.rules.rule(name) == "normwise" and np.dtype(dtype).kind == "f"
    }
    roundoff = request.roundoff
    inner = monte_carlo.Steps(roundoff.accumulator, roundoff.accumulator, 0.0)
    reply["inner_sensitivity"].update(_largest_moves(request, values, judged, inner))
    if roundoff.storage > roundoff.accumulator:
        storage = monte_carlo.Steps(0.0, roundoff.storage, roundoff.tiny)
        reply["storage_sensitivity"].update(_largest_moves(request, values, judged, storage))


def _largest_moves(request: Refer, values: Values, judged: Values, steps: monte_carlo.Steps) -> dict[str, ArrayData]:
    """How far these roundings move each tensor that is judged so.

    Where attention picks its kernel by the format of what it is given, the larger move of the two counts.
    """

    def run(kernel: attention_kernel.AttentionKernel, noise: monte_carlo.RoundingNoise) -> dict[str, Array]:
        """Those tensors from a graph of its own under these modes."""
        with kernel, noise:
            graph = Graph(request.call, values, np.array, noise.repeat)
            moved = {**graph.tensors(), **graph.gradients(np.array)}
        return {
            name: tensors.as_numpy(noise.before_rounding(tensor)) for name, tensor in moved.items() if name in judged
        }

    def largest_moves(kernel: attention_kernel.AttentionKernel) -> dict[str, Array]:
        """How far they move with this kernel, trials at once where all that is called is torch's and torchvision's."""
        is_batchable = request.call.path != "jvp" and not foreign.is_foreign_name(request.call.call)
        trial = functools.partial(run, kernel)
        return monte_carlo.largest_moves(
            trial, judged, steps, request.patterns, run_batch=trial if is_batchable else None
        )

    kernel = attention_kernel.AttentionKernel()
    moves = largest_moves(kernel)
    if kernel.was_unfused:
        others = largest_moves(attention_kernel.AttentionKernel(fused=True))
        moves = {name: np.maximum(move, others[name]) for name, move in moves.items()}
    return {name: _array_data(array) for name, array in moves.items()}


def _value_data(tensor: torch.Tensor) -> ArrayData:
    return _array_data(tensors.as_numpy(tensor.double() if tensor.dtype.is_floating_point else tensor))


def _magnitude_data(tensor: torch.Tensor) -> ArrayData:
    return _float64_data(np.abs(tensors.as_numpy(tensor if tensor.dtype.is_complex else tensor.double())))


def _float64_data(array: Array) -> ArrayData:
    return _array_data(np.asarray(array, dtype=np.float64))


def _array_data(array: Array) -> ArrayData:
    return (array.dtype.str, list(array.shape), array.tobytes())
