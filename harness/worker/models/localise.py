"""One module at a time, fed with what reached it in float64: a fault shows where it is made, and nowhere after."""

from __future__ import annotations

import copy
import inspect
from typing import Any, Iterator

import numpy as np
import torch

from .. import kernel_trace, pytree, tensors
from ..operators import observe
from ..reference import float64
from . import builder, data_dependent_ops, function_calls, promote_float64, run_step, sensitivity

_HELD: dict[str, Any] = {}
"""The calls of the last model that was fed, in the reference's worker."""

Tree = Any
"""Arguments as plain data: a tensor is ("tensor", dtype, shape, bytes), a container ("list" or "dict", items)."""


class Feed:
    """Hooks that keep, for each module call of the first forward pass, what came in and the gradient that came back."""

    def __init__(self, model: Any) -> None:
        self.calls: list[dict[str, Any]] = []
        self._open: list[dict[str, Any]] = []
        self._done = False
        # PyTorch before 2.0 does not show hooks the keyword arguments
        named = "with_kwargs" in inspect.signature(model.register_forward_pre_hook).parameters
        options = {"with_kwargs": True} if named else {}
        for path, module in model.named_modules():
            module.register_forward_pre_hook(self._enterer(path), **options)
            module.register_forward_hook(self._leave)

    def _enterer(self, path: str) -> Any:
        def enter(module: Any, given: Any, named: Any = None) -> None:
            """Keep copies of the arguments; whoever is still in its forward is a parent."""
            if self._open:
                self._open[-1]["parent"] = True
            kept = _mapped([tuple(given), dict(named or {})], lambda one: one.detach().clone())
            call = {"path": path, "kind": type(module).__name__, "parent": False, "given": kept, "gradients": {}}
            self._open.append(call)

        return enter

    def _leave(self, module: Any, given: Any, output: Any) -> None:
        del module, given
        call = self._open.pop()
        if self._done:
            return
        self.calls.append(call)
        self._done = not self._open
        for name, tensor in _tensors(output).items():
            if tensor.requires_grad:
                tensor.register_hook(_keeper(call["gradients"], name))


def _keeper(gradients: dict[str, Any], name: str) -> Any:
    def keep(gradient: Any) -> None:
        """Keep a contiguous copy: what comes after may write into it."""
        gradients[name] = gradient.detach().clone(memory_format=torch.contiguous_format)

    return keep


def _tensors(output: Any) -> dict[str, Any]:
    try:
        return pytree.named(output)
    except pytree.NotTensors:
        return {}


def calls(request: dict[str, Any]) -> dict[str, Any]:
    """Run the float64 model once and keep what every module got; path, class and parenthood of each call."""
    release()
    request = {**request, "runner": "eager"}
    with float64.stock():
        model = builder.built(request, request["state"]).double()
        feed = Feed(model)
        given = builder.inputs(request, double=True)
        for _ in run_step.Stepper(request, model, given, double=True).run():
            pass
        _HELD.update(calls=feed.calls, model=builder.built(request, request["state"]).double())
    return {"calls": [(call["path"], call["kind"], call["parent"]) for call in feed.calls]}


def release() -> dict[str, Any]:
    """Let go of what is held."""
    _HELD.clear()
    return {}


def fed(request: dict[str, Any]) -> dict[str, Any]:
    """One call again in float64, on its inputs and gradients rounded to float32; those, the values and the spread.

    ``problem`` where the module cannot be called alone: it was given what is no plain data.
    """
    call = _HELD["calls"][request["call"]]
    rounded = _mapped(call["given"], lambda one: one.float() if one.is_floating_point() else one)
    gradients = {name: gradient.float() for name, gradient in call["gradients"].items()}
    terms = sensitivity.Terms(request["precision"])
    try:
        with float64.stock():
            with data_dependent_ops.DataDependentOps() as choices:
                values = _alone(request, call, rounded, gradients, terms)
            spread = dict(terms.floors)
            for noise in sensitivity.perturbations(request["precision"], selecting=choices.seen):
                for name, moved in _alone(request, call, rounded, gradients, noise).items():
                    sensitivity.widen(spread, name, sensitivity.distance(moved, values.get(name)) / noise.scale)
    except Exception as error:
        return {"problem": ": ".join(observe.failure(error))}
    return {
        "given": packed(rounded),
        "gradients": {name: packed(gradient) for name, gradient in gradients.items()},
        "values": {name: sensitivity.plain(value) for name, value in values.items()},
        "spread": spread,
    }


def _alone(request: dict[str, Any], call: dict[str, Any], given: Any, gradients: dict[str, Any], hooks: Any) -> Any:
    module = copy.deepcopy(dict(_HELD["model"].named_modules())[call["path"]])
    widened = _mapped(given, lambda one: one.double() if one.is_floating_point() else one.clone())
    hooks.attach(module, [one for _name, one in _leaves(widened)])
    wide = {name: gradient.double() for name, gradient in gradients.items()}
    with promote_float64.wide():
        found = {
            name: tensor.detach().clone(memory_format=torch.contiguous_format)
            for name, tensor in _stepped(request, module, widened, wide)
        }
    hooks.finish()
    return found


def _stepped(request: dict[str, Any], module: Any, given: Any, gradients: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Outputs, and in a training step the gradients of inputs and of the module's parameters, and its buffers."""
    run_step.mode(module, request)
    torch.manual_seed(request["seed"] & 0x7FFFFFFF)
    training = request["step"] == "train"
    sources = {"grad_" + name: one for name, one in _leaves(given) if one.is_floating_point()} if training else {}
    for one in sources.values():
        one.requires_grad_()
    # a clone is no leaf: a module that works in place may write to it, as it may to its predecessor's output
    passed, named = _mapped(given, lambda one: one.clone() if one.requires_grad else one)
    with torch.set_grad_enabled(training):
        outputs = _tensors(module(*passed, **named))
    yield from outputs.items()
    if not training:
        return
    yield from (("buffer:" + name, one) for name, one in module.named_buffers() if one.is_floating_point())
    sources.update(("grad:" + name, one) for name, one in module.named_parameters() if one.requires_grad)
    through = [name for name in outputs if name in gradients and outputs[name].requires_grad]
    if not through or not sources:
        return
    grad_outputs = [
        torch.empty_like(outputs[name].detach()).copy_(gradients[name].to(outputs[name].dtype)) for name in through
    ]
    found = torch.autograd.grad(
        [outputs[name] for name in through], list(sources.values()), grad_outputs, allow_unused=True
    )
    yield from [(name, gradient) for name, gradient in zip(sources, found) if gradient is not None]


def alone(request: dict[str, Any], log: kernel_trace.Trace) -> dict[str, Any]:
    """The same call in a cell, unconverted and under each conversion, as plain data; and the functions it called."""
    torch.set_num_threads(request["threads"])
    whole = builder.built(request, request["state"])
    runs: dict[str, Any] = {}
    called: list[Any] = []
    for conversion in ("nchw", *request["conversions"]):
        module = copy.deepcopy(dict(whole.named_modules())[request["path"]])
        given = _placed(request, module, conversion)
        records: dict[str, Any] = {}
        raised = ("", "")
        log.text()
        with function_calls.calls_of(module, called if conversion == request["conversions"][-1] else []):
            try:
                gradients = {name: unpacked(tree) for name, tree in request["gradients"].items()}
                with run_step.autocast(request):
                    for name, tensor in _stepped(request, module, given, gradients):
                        records[name] = tensors.record(tensor)
            except BaseException as error:
                raised = observe.failure(error)
        runs[conversion] = {
            "status": "raised" if raised[0] else "ok",
            "tensors": records,
            "modules": [],
            "kernels": log.drain(),
            "error": raised[0],
            "message": raised[1],
        }
    return {"runs": runs, "called": called}


def _placed(request: dict[str, Any], module: Any, conversion: str) -> Any:
    """Parameters and inputs as they are in the converted model: the format, or its loss, and the dtype."""
    if conversion in ("both", "model"):
        for tensor in [*module.parameters(), *module.buffers()]:
            tensor.data = run_step.channels_last(tensor.data)
    images = iter(request["images"].get(conversion, ()))

    def place(one: Any) -> Any:
        """An image in the format and dtype it had there; any other tensor as it is."""
        if one.dim() not in (4, 5):
            return one
        form, dtype = next(images, ("nchw" if conversion == "nchw" else "nhwc", ""))
        cast = one.to(getattr(torch, dtype)) if dtype and one.is_floating_point() else one
        return run_step.channels_last(cast) if form in ("nhwc", "either") and conversion != "nchw" else cast

    return _mapped(unpacked(request["given"]), place)


def packed(part: Any) -> Tree:
    """Arguments as plain data. What is no tensor, container, number or text travels as None."""
    if isinstance(part, torch.Tensor):
        array = np.ascontiguousarray(part.detach().numpy())
        return ("tensor", array.dtype.str, list(part.shape), array.tobytes())
    if isinstance(part, (tuple, list)):
        return ("list", [packed(one) for one in part])
    if isinstance(part, dict):
        return ("dict", [(str(key), packed(one)) for key, one in part.items()])
    return ("value", part if isinstance(part, (bool, int, float, str)) else None)


def unpacked(tree: Tree) -> Any:
    """The arguments that `packed` was given; tuples come back as lists."""
    if tree[0] == "tensor":
        array = np.frombuffer(tree[3], np.dtype(tree[1])).reshape(tree[2])
        return torch.from_numpy(array.copy())
    if tree[0] == "list":
        return [unpacked(one) for one in tree[1]]
    return {key: unpacked(one) for key, one in tree[1]} if tree[0] == "dict" else tree[1]


def _mapped(part: Any, change: Any) -> Any:
    if isinstance(part, torch.Tensor):
        return change(part)
    if isinstance(part, dict):
        return {key: _mapped(one, change) for key, one in part.items()}
    return [_mapped(one, change) for one in part] if isinstance(part, (tuple, list)) else part


def _leaves(part: Any, name: str = "input") -> Iterator[tuple[str, Any]]:
    if isinstance(part, torch.Tensor):
        yield name, part
    elif isinstance(part, dict):
        for key, one in part.items():
            yield from _leaves(one, f"{name}[{key!r}]")
    elif isinstance(part, (tuple, list)):
        for index, one in enumerate(part):
            yield from _leaves(one, f"{name}[{index}]")
