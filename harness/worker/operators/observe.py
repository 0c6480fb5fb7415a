"""One request, two observations: the example's layouts as drawn, and all of it contiguous."""

from __future__ import annotations

import contextlib
from typing import Any, Callable

import torch

from .. import kernel_trace, messages, tensors
from . import invoke, modes

Records = "dict[str, tuple[str, list[int], list[int], bytes]]"
Failure = "tuple[str, str]"


class Run:
    """The tensors of one layout, on which the operator may be called more than once."""

    def __init__(self, request: dict[str, Any], values: dict[str, Any], contiguous: bool) -> None:
        self.request = request
        self.values = values
        self.contiguous = contiguous
        self.tensors = tensors.described(request)
        self.buffers = [one.name for one in self.tensors if one.buffer and one.shape is not None]
        self.placed: dict[str, tensors.Placed] = {}
        self.inputs: dict[str, Any] = {}
        self.grad_outputs: dict[str, tensors.Placed] = {}
        self._reached: list[str] | None = None
        self.path: str = request["path"]
        self.outs: Any = None
        self.moved: dict[str, Any] = {}
        for one in self.tensors:
            self.inputs[one.name] = None
            if one.shape is not None:
                self._place(one)

    def _place(self, one: tensors.Described) -> None:
        placed = tensors.Placed(self.values[one.name], one.dtype, None if self.contiguous else one.layout)
        self.placed[one.name] = placed
        self.inputs[one.name] = placed.leaf(one.differentiated)

    def call(self) -> tuple[dict[str, Any], tuple[str, str] | None]:
        """Forward and backward: records by name, and how it raised, if it did (the records so far are kept)."""
        records: dict[str, Any] = {}
        try:
            with modes.mode(self.path):
                outputs = self._forward()
            for index, output in enumerate(outputs):
                records[f"output[{index}]"] = tensors.record(output)
            for name in self.buffers:
                records["buffer:" + name] = tensors.record(self.inputs[name])
            records.update((name, tensors.record(tangent)) for name, tangent in self.moved.items())
            for name, gradient in self._backward(outputs).items():
                records["grad:" + name] = tensors.record(gradient)
        except BaseException as error:
            return records, failure(error)
        return records, None

    def operators(self) -> list[str]:
        """The ATen operators that the call and its backward reach; what happens around them here is left out."""
        self._reached = []
        with contextlib.suppress(Exception):
            with modes.mode(self.path):
                outputs = self._forward()
            self._backward(outputs)
        found, self._reached = self._reached, None
        return list(dict.fromkeys(found))

    def _watched(self, run: Callable[[], Any]) -> Any:
        """The result of `run`, its operators noted while they are asked for."""
        if self._reached is None:
            return run()
        result: list[Any] = []
        self._reached += kernel_trace.operators(lambda: result.append(run()))
        return result[0]

    def written(self) -> list[str]:
        """The inputs and grad_outputs of which any byte has changed, for a buffer any beside its own elements."""
        placed = list(self.placed.items()) + [("grad_" + name, held) for name, held in self.grad_outputs.items()]
        changed = [name for name, held in placed if (held.spilled() if name in self.buffers else held.touched())]
        return changed + (self.outs.spilled() if self.outs else [])

    def strides(self) -> dict[str, list[int]]:
        """The strides each input, and each grad_output that was used, really had, in elements."""
        given = {name: list(tensor.stride()) for name, tensor in self.inputs.items() if tensor is not None}
        given.update(("grad_" + name, list(held.view.stride())) for name, held in self.grad_outputs.items())
        given.update(
            (f"out[{index}]", list(view.stride())) for index, view in enumerate(self.outs.views if self.outs else [])
        )
        return given

    def _forward(self) -> list[Any]:
        for one in self.tensors:
            if one.name in self.buffers:  # an earlier call may have written it
                self._place(one)
        if not self.request["inplace"]:
            return self._called()
        target = self._target(self.tensors[0])
        given = {**self.inputs, self.tensors[0].name: target}
        self._watched(lambda: invoke.invoke(self.request, given))
        return [target]

    def _called(self) -> list[Any]:
        """The outputs of the call that is not in place, along its path."""
        found: list[Any]
        if self.path == "vmap":
            found = self._watched(lambda: modes.batched(self.request, self.inputs))
        elif self.path == "jvp":
            along = modes.tangents(self.request, layouts=not self.contiguous)
            found, self.moved = self._watched(lambda: modes.forward_mode(self.request, self.inputs, along))
        else:
            found = tensors.flatten(self._watched(lambda: invoke.invoke(self.request, self.inputs)))
        if self.path == "out":
            outs = self.outs = modes.Outs(found, None if self.contiguous else self.request["grad_output"])
            found = self._watched(lambda: modes.into(self.request, self.inputs, outs))
        return found

    def _target(self, one: tensors.Described) -> Any:
        """What an in-place call may overwrite: no leaf, the strides of the first input, and its values."""
        target = tensors.Placed(self.values[one.name], one.dtype, None if self.contiguous else one.layout).view
        return target.copy_(self.inputs[one.name])

    def _backward(self, outputs: list[Any]) -> dict[str, Any]:
        if self.path != "plain":  # a view that was made without a graph still says that it requires a gradient
            return {}
        wanted = {name: leaf for name, leaf in self.inputs.items() if leaf is not None and leaf.requires_grad}
        through = [(index, output) for index, output in enumerate(outputs) if output.requires_grad]
        if not wanted or not through:
            return {}
        given = [self.grad_output(index, output) for index, output in through]
        ends = [output for _index, output in through]
        gradients = self._watched(lambda: torch.autograd.grad(ends, list(wanted.values()), given, allow_unused=True))
        return {name: gradient for name, gradient in zip(wanted, gradients) if gradient is not None}

    def grad_output(self, index: int, output: Any) -> Any:
        """The grad_output of that output, in its drawn layout or contiguous; the same every time."""
        name = f"output[{index}]"
        if name not in self.grad_outputs:
            dtype = tensors.name_of(output.dtype)
            values = tensors.grad_output(self.request, index, tuple(output.shape), dtype)
            layout = None if self.contiguous else self.request["grad_output"]
            self.grad_outputs[name] = tensors.Placed(values, dtype, layout)
        return self.grad_outputs[name].view


def observe(request: dict[str, Any], log: kernel_trace.Trace) -> dict[str, Any]:
    """Both observations of a request, as plain data under ``drawn`` and ``contiguous``.

    Where a contiguous tensor has the same bits as the drawn one its bytes are None: sent once.
    """
    torch.set_num_threads(request["threads"])
    values = tensors.numbers(request)
    drawn, drawn_records = _observation(Run(request, values, contiguous=False), log, repeat=True)
    plain, plain_records = _observation(Run(request, values, contiguous=True), log, repeat=False)
    plain["tensors"] = {
        name: (*record[:3], None) if same(record, drawn_records.get(name)) else record
        for name, record in plain_records.items()
    }
    return {"drawn": drawn, "contiguous": plain}


def _observation(run: Run, log: kernel_trace.Trace, repeat: bool) -> tuple[dict[str, Any], dict[str, Any]]:
    log.text()
    records, raised = run.call()
    kernels = log.drain()
    unrepeated = _unrepeated(run, records) if repeat and raised is None else []
    traced = run.operators() if repeat and run.request["trace"] else []
    reply = {
        "status": "raised" if raised else "ok",
        "tensors": records,
        "inputs": run.strides(),
        "written": run.written(),
        "unrepeated": unrepeated,
        "kernels": kernels,
        "operators": traced,
        "error": raised[0] if raised else "",
        "message": raised[1] if raised else "",
    }
    return reply, records


def _unrepeated(run: Run, records: dict[str, Any]) -> list[str]:
    again, _raised = run.call()
    return [name for name, record in records.items() if not same(record, again.get(name))]


def same(one: Any, other: Any) -> bool:
    """Whether two records hold the same bits of the same dtype and shape; strides may differ."""
    return other is not None and (one[0], one[1], one[3]) == (other[0], other[1], other[3])


def failure(error: BaseException) -> tuple[str, str]:
    """An exception's class name and the first line of its message."""
    return type(error).__name__, messages.first_line(error)
