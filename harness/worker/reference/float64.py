"""The float64 answer on contiguous copies, and the magnitudes and counts of the a-priori bounds."""

from __future__ import annotations

import contextlib
import functools
from typing import Any, Callable, Iterator

import numpy as np
import torch

from .. import tensors
from ..operators import invoke, modes, observe, output_dtypes
from . import attention, interpolation, monte_carlo, uint8_interpolation

Change = Callable[[Any], Any]

BYTES = "uint8"

SCALE = 2.0**-700
"""What operands are multiplied by so that a sum of products of up to three float64 numbers cannot overflow."""


def refer(request: dict[str, Any]) -> dict[str, Any]:
    """The reference of a request as plain data; arrays are (dtype, shape, bytes).

    `rules` of the request are the rules of outputs, of gradients, and of single tensors by name; `count` is whether
    the numbers of terms are to be found by running with ones; `roundoff` the unit roundoffs of the accumulator and of
    the dtype, and half the dtype's smallest subnormal.
    """
    values = tensors.numbers(request)
    reply: dict[str, Any] = {
        "status": "ok",
        "values": {},
        "bound": {},
        "terms": {},
        "scaled": {},
        "spread": {},
        "stored": {},
        "inputs": {name: _plain(np.ascontiguousarray(value)) for name, value in values.items()},
        "grad_outputs": {},
        "dtypes": {},
        "error": "",
        "message": "",
    }
    with stock():
        try:
            _compute(request, values, reply)
        except BaseException as error:
            reply["status"] = "raised"
            reply["error"], reply["message"] = observe.failure(error)
    return reply


@contextlib.contextmanager
def stock() -> Iterator[None]:
    """Switch oneDNN off and use one thread; both as before when it ends."""
    enabled, threads = torch._C._get_mkldnn_enabled(), torch.get_num_threads()
    torch._C._set_mkldnn_enabled(False)  # noqa: FBT003 - it takes no keyword
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch._C._set_mkldnn_enabled(enabled)
        torch.set_num_threads(threads)


@contextlib.contextmanager
def wide() -> Iterator[None]:
    """Let what an operator makes of integers alone (a quotient, a root) be float64 too; as before when it ends."""
    usual = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(usual)


class Graph:
    """The operator once, in float64, on inputs that `change` has been applied to; backward as often as wanted.

    `due` are the dtypes of the outputs in the example's own dtypes, as far as they are known.
    """

    def __init__(self, request: dict[str, Any], values: dict[str, Any], change: Change) -> None:
        self.request = request
        self.due: dict[str, str] = {}
        self.inputs: dict[str, Any] = {}
        self.buffers: dict[str, Any] = {}
        for one in tensors.described(request):
            self.inputs[one.name] = None if one.shape is None else _leaf(values[one.name], one, change)
            if one.buffer and one.shape is not None:
                self.buffers["buffer:" + one.name] = self.inputs[one.name]
        self.moved: dict[str, Any] = {}
        with wide():
            if request["path"] == "jvp":
                self.outputs, self.moved = modes.forward_mode(request, self.inputs, self._along(change), plain=True)
            else:
                self.outputs = tensors.flatten(invoke.invoke(request, self.inputs, plain=True))

    def _along(self, change: Change) -> dict[str, Any]:
        """The tangents that `change` has been applied to, contiguous and in float64 or complex128."""
        return {
            one.name: _leaf(modes.tangent(self.request, one), one, change).detach()
            for one in tensors.described(self.request)
            if one.shape is not None and one.differentiated
        }

    def gradients(self, change: Change) -> dict[str, Any]:
        """The gradients for grad_outputs that `change` has been applied to, by ``grad:name``; unused ones left out."""
        wanted = {name: leaf for name, leaf in self.inputs.items() if leaf is not None and leaf.requires_grad}
        through = {index: output for index, output in enumerate(self.outputs) if output.requires_grad}
        if not wanted or not through or self.request["path"] != "plain":
            return {}
        grad_outputs = [
            torch.from_numpy(np.asarray(change(self.grad_output(index)))).to(self.outputs[index].dtype)
            for index in through
        ]
        with wide():
            found = torch.autograd.grad(
                list(through.values()), list(wanted.values()), grad_outputs, allow_unused=True, retain_graph=True
            )
        return {"grad:" + name: gradient for name, gradient in zip(wanted, found) if gradient is not None}

    def grad_output(self, index: int) -> Any:
        """A fresh contiguous copy of the grad_output of that output."""
        dtype = self.due.get(f"output[{index}]", self.request["dtype"])
        values = tensors.grad_output(self.request, index, tuple(self.outputs[index].shape), dtype)
        return np.array(values, order="C")  # else an expanded grad_output would come out permuted

    def named(self) -> dict[str, Any]:
        """The outputs by ``output[i]``, then the buffers as the operator has left them."""
        return {
            **{f"output[{index}]": output for index, output in enumerate(self.outputs)},
            **self.buffers,
            **self.moved,
        }


def _compute(request: dict[str, Any], values: dict[str, Any], reply: dict[str, Any]) -> None:
    main = Graph(_unquantised(request), values, np.array)
    reply["dtypes"] = main.due = output_dtypes.of_outputs(request, values, main.outputs)
    # before backward: an operator may hand back its own input or a buffer that backward reuses
    reply["values"] = {name: _number(output) for name, output in main.named().items()}
    reply["values"].update((name, _number(gradient)) for name, gradient in main.gradients(np.array).items())
    reply["grad_outputs"] = {
        f"output[{index}]": _plain(main.grad_output(index))
        for index, output in enumerate(main.outputs)
        if output.requires_grad and request["path"] == "plain"
    }
    _measure(request, values, reply["bound"], main, np.abs)
    if request["count"]:
        _measure(request, values, reply["terms"], main, np.ones_like)
    if "resampling" in _rules(request):
        _interpolate(request, values, reply, main)
    if request["dtype"] == "float64" and request["fill"] == "special":
        _measure(request, values, reply["scaled"], main, _scale)
    if "normwise" in _rules(request):
        _perturb(request, values, reply)


def _measure(
    request: dict[str, Any], values: dict[str, Any], into: dict[str, Any], main: Graph, change: Change
) -> None:
    """The bound (`change` is abs), the number of terms (ones) or the scaled size of what has a bound.

    `multilinear` changes inputs and grad_output alike. `selection` keeps the inputs, for others would select other
    elements, and changes grad_output only.
    """
    rules = _rules(request)
    if "multilinear" in rules:
        changed = Graph(request, values, change)
        changed.due = main.due
        found = {**changed.named(), **changed.gradients(change)}
        into.update(
            (name, _magnitude(tensor))
            for name, tensor in found.items()
            if _rule(request, name) == "multilinear" and _floats(tensor)
        )
    if "selection" in rules:
        ones = change is np.ones_like
        found = {name: torch.ones_like(tensor) if ones else tensor for name, tensor in main.named().items()}
        found.update(main.gradients(change))
        into.update(
            (name, _magnitude(tensor))
            for name, tensor in found.items()
            if _rule(request, name) == "selection" and _floats(tensor)
        )


def _interpolate(request: dict[str, Any], values: dict[str, Any], reply: dict[str, Any], main: Graph) -> None:
    """What the coefficients bound, for the output and for the gradient of the first tensor, which is resampled."""
    first = tensors.described(request)[0]
    matrices = interpolation.Matrices(resampler(request), tuple(first.shape[2:]))
    found = {"output[0]": matrices.output(values[first.name])}
    if first.differentiated:
        found["grad:" + first.name] = matrices.gradient(main.grad_output(0))
    if first.dtype == BYTES:
        value, off = uint8_interpolation.passed(matrices.matrices, values[first.name])
        _bound, terms, moved = found["output[0]"]
        found["output[0]"] = (off, terms, moved)
        reply["values"]["output[0]"] = _plain(np.ascontiguousarray(value))
    for tensor, measured in found.items():
        if _rule(request, tensor) == "resampling":
            for into, array in zip(("bound", "terms", "spread"), measured):
                reply[into][tensor] = _plain(np.ascontiguousarray(array, dtype=np.float64))


def _unquantised(request: dict[str, Any]) -> dict[str, Any]:
    """The request with a float64 image where bytes are resampled: the stock kernel for bytes would be its own judge."""
    if "resampling" not in _rules(request):
        return request
    image, *others = tensors.described(request)
    if image.dtype != BYTES:
        return request
    return {**request, "tensors": [image._replace(dtype="float64", gradient=False), *others]}


def resampler(request: dict[str, Any]) -> Callable[[Any], Any]:
    """The operator as a function of its first tensor, on arrays of one channel.

    It gets two of them, channels-last: antialiasing contiguous images to one column is wrong in PyTorch 2.15.
    """
    name = tensors.described(request)[0].name

    def resampled(image: Any) -> Any:
        """The first output, for this array in place of the first tensor."""
        pair = torch.from_numpy(np.repeat(image, 2, axis=1))
        last = torch.channels_last if image.ndim == 4 else torch.channels_last_3d
        found = invoke.invoke(request, {name: pair.contiguous(memory_format=last)}, plain=True)
        return tensors.as_numpy(tensors.flatten(found)[0])[:, :1]

    return resampled


def _scale(array: Any) -> Any:
    return array * SCALE


def _perturb(request: dict[str, Any], values: dict[str, Any], reply: dict[str, Any]) -> None:
    """How far roundings inside operators, and of what is stored between them, move what `normwise` judges.

    In a dtype that is its own accumulator the two are one. Where attention picks its kernel by the format of what it is
    given, the larger move counts.
    """

    def run(kernel: attention.Attention, mode: Any) -> dict[str, Any]:
        """The tensors that are judged so, from a graph of its own under these modes."""
        with kernel, mode:
            graph = Graph(request, values, np.array)
            found = {**graph.named(), **graph.gradients(np.array)}
        return {name: tensors.as_numpy(mode.unrounded(tensor)) for name, tensor in found.items() if name in judged}

    judged = {
        name: np.frombuffer(raw, dtype).reshape(shape)
        for name, (dtype, shape, raw) in reply["values"].items()
        if _rule(request, name) == "normwise" and np.dtype(dtype).kind == "f"
    }
    inner, stored, tiny = request["roundoff"]
    sources = {"spread": (inner, inner, 0.0), **({"stored": (0.0, stored, tiny)} if stored > inner else {})}
    for into, steps in sources.items():
        kernel = attention.Attention()
        moved = monte_carlo.spread(functools.partial(run, kernel), judged, *steps)
        if kernel.apart:
            fused = monte_carlo.spread(functools.partial(run, attention.Attention(fused=True)), judged, *steps)
            moved = {name: np.maximum(far, fused[name]) for name, far in moved.items()}
        reply[into].update((name, _plain(array)) for name, array in moved.items())


def _rules(request: dict[str, Any]) -> set[str]:
    output, gradient, single = request["rules"]
    return {output, gradient, *single.values()}


def _rule(request: dict[str, Any], name: str) -> str:
    """The rule of the tensor of that name."""
    output, gradient, single = request["rules"]
    found: str = single.get(name, gradient if name.startswith("grad:") else output)
    return found


def _leaf(values: Any, one: tensors.Described, change: Change) -> Any:
    """A contiguous copy, float64 or complex128 for such a dtype; indices and the like stay what they are.

    Magnitudes are those of the finite numbers: what an infinity does to a sum depends on no order of summation.
    """
    if not tensors.differentiable(one.dtype):
        return torch.from_numpy(np.array(values)).to(getattr(torch, one.dtype))
    if change is np.abs:
        values = np.where(np.isfinite(values), values, 0.0)
    changed = np.array(change(values), order="C").astype(values.dtype, copy=False)  # a magnitude of a complex is real
    return torch.from_numpy(changed).requires_grad_(one.gradient)


def _floats(tensor: Any) -> bool:
    return bool(tensor.dtype.is_floating_point or tensor.dtype.is_complex)


def _number(tensor: Any) -> tuple[str, list[int], bytes]:
    return _plain(tensors.as_numpy(tensor.double() if tensor.dtype.is_floating_point else tensor))


def _magnitude(tensor: Any) -> tuple[str, list[int], bytes]:
    array = tensors.as_numpy(tensor if tensor.dtype.is_complex else tensor.double())
    return _plain(np.abs(array).astype(np.float64, copy=False))


def _plain(array: Any) -> tuple[str, list[int], bytes]:
    return (array.dtype.str, list(array.shape), array.tobytes())
