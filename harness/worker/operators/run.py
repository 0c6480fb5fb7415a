"""A call on tensors of one layout, forward and backward, as often as wanted; and what became of their memory."""

from __future__ import annotations

import contextlib
from typing import Callable, Dict, NamedTuple, TypeVar

import torch

from ...portable import tensor_name
from ...portable.operator_protocol import CallPhase
from ...portable.protocol import TensorData
from .. import fill_values, kernel_trace, messages, pytree, tensors
from ..call import Call, Operand
from . import compiled, invoke, layouts, modes, second_order, transforms

T = TypeVar("T")

REWRITTEN = ("vmap", *transforms.MAPPED, "per_sample", "jvp")
"""Paths on which operators get what PyTorch hands them, and not what the call was given."""

Records = Dict[str, TensorData]
"""Tensors that came back, by name."""


class Raised(NamedTuple):
    """What a call raised: what it was doing, the class of the error, and the first line of its message."""

    phase: CallPhase
    error: str
    message: str


class Run:
    """The tensors of one layout, the drawn one or `contiguous`, on which the call may be made more than once.

    `values` are those of another run of the same call.
    """

    def __init__(self, call: Call, contiguous: bool, values: fill_values.CallValues | None = None) -> None:
        self._call = call
        self._contiguous = contiguous
        self._values = values or fill_values.CallValues(call)
        self.inputs: dict[str, torch.Tensor | None] = dict.fromkeys(operand.name for operand in call.operands)
        self.buffers = [operand.name for operand, _shape in call.present if operand.buffer]
        self._placed: dict[str, tensors.PlacedTensor] = {}
        self._grad_outputs: dict[str, tensors.PlacedTensor] = {}
        self._out: modes.OutMemory | None = None
        self._derivatives: dict[str, torch.Tensor] = {}
        self._traces: list[kernel_trace.OperatorTrace] | None = None
        for operand, _shape in call.present:
            self._place(operand)

    @property
    def leaves(self) -> dict[str, torch.Tensor]:
        """The inputs that are differentiated, by name."""
        return {name: leaf for name, leaf in self.inputs.items() if leaf is not None and leaf.requires_grad}

    def _place(self, operand: Operand) -> None:
        placed = self._fresh(operand)
        self._placed[operand.name] = placed
        self.inputs[operand.name] = placed.leaf(operand.is_differentiated)

    def _fresh(self, operand: Operand) -> tensors.PlacedTensor:
        layout = None if self._contiguous else operand.layout
        return tensors.PlacedTensor(self._values.inputs[operand.name], operand.torch_dtype, layout)

    def call(self) -> tuple[Records, Raised | None]:
        """Forward and backward: records by name of all that was computed, and what it raised, if it did."""
        records: Records = {}
        phase: CallPhase = "forward"
        try:
            with modes.mode(self._call.path):
                outputs = self._forward()
            records.update(self._forward_records(outputs))
            phase = "backward"
            for name, gradient in self._backward(outputs).items():
                records[name] = tensors.record(gradient)
        except BaseException as error:
            return self._records_without_jvp(records, Raised(phase, *messages.failure(error)))
        return records, None

    def _records_without_jvp(self, records: Records, raised: Raised) -> tuple[Records, Raised]:
        """What it raised; where only the dual numbers make it raise, with what the call without them returns."""
        if self._call.path != "jvp":
            return records, raised
        try:
            self._renew_buffers()
            with modes.mode(self._call.path):
                outputs = invoke.output_tensors(self._call, self.inputs)
            return self._forward_records(outputs), raised._replace(phase="jvp")
        except Exception:
            return records, raised

    def _forward_records(self, outputs: list[torch.Tensor]) -> Records:
        """The outputs, what is left in the buffers, and what the path derives: tangents, or gradients."""
        records = {tensor_name.output(index): tensors.record(output) for index, output in enumerate(outputs)}
        records.update((tensor_name.buffer(name), tensors.record(self.inputs[name])) for name in self.buffers)
        records.update((name, tensors.record(tensor)) for name, tensor in self._derivatives.items())
        return records

    def separate_gradients(self) -> Records:
        """The gradients that can be had one by one, each of a call in which no other is asked for.

        For where all at once raise. Those that raise by themselves are left out.
        """
        records: Records = {}
        for name in self.leaves:
            alone, _raised = Run(self._call.with_gradients((name,)), self._contiguous, self._values).call()
            if (gradient := tensor_name.gradient(name)) in alone:
                records[gradient] = alone[gradient]
        return records

    def counterparts(self) -> tuple[layouts.Layouts, Raised | None]:
        """How the outputs are laid out on a way beside the call's own, where its path has one, and what that raised.

        That is under FakeTensorMode or, where the call is compiled, by the call itself.
        """
        path = self._call.path
        lay_out = {"meta": layouts.fake_layouts, "compile": layouts.forward_layouts}.get(path)
        if lay_out is None:
            return {}, None
        try:
            self._renew_buffers()
            with modes.mode(path):
                return lay_out(self._call, self.inputs), None
        except Exception as error:
            return {}, Raised("meta" if path == "meta" else "forward", *messages.failure(error))

    def operators(self) -> kernel_trace.OperatorTrace:
        """The ATen operators that the call and its backward reach; what happens around them here is left out.

        Of those that PyTorch rewrites without arguments: what they get there is its affair.
        """
        traces = self._traces = []
        with contextlib.suppress(Exception):
            with modes.mode(self._call.path):
                outputs = self._forward()
            self._backward(outputs)
        self._traces = None
        return kernel_trace.merge_traces(traces, arguments=self._call.path not in REWRITTEN)

    def _trace(self, work: Callable[[], T]) -> T:
        """The result of `work`, its operators noted while they are asked for."""
        if self._traces is None:
            return work()
        results: list[T] = []
        self._traces.append(kernel_trace.trace_operators(lambda: results.append(work())))
        return results[0]

    def written_names(self) -> list[str]:
        """The inputs and grad_outputs of which any byte has changed, for a buffer any beside its own elements."""
        changed = [
            name
            for name, placed in {**self._placed, **self._grad_outputs}.items()
            if (placed.is_spilled() if name in self.buffers else placed.is_touched())
        ]
        return changed + (self._out.spilled_names() if self._out else [])

    def strides(self) -> dict[str, list[int]]:
        """The strides each input, and each grad_output that was used, really had, in elements."""
        strides = {name: list(tensor.stride()) for name, tensor in self.inputs.items() if tensor is not None}
        strides.update((name, list(placed.view.stride())) for name, placed in self._grad_outputs.items())
        views = self._out.views if self._out else []
        strides.update((tensor_name.out(index), list(view.stride())) for index, view in enumerate(views))
        return strides

    def _forward(self) -> list[torch.Tensor]:
        self._renew_buffers()
        if not self._call.inplace:
            return self._outputs()
        first = self._call.operands[0]
        target = self._overwritable(first)
        self._trace(lambda: invoke.invoke(self._call, {**self.inputs, first.name: target}))
        return [target]

    def _renew_buffers(self) -> None:
        for operand, _shape in self._call.present:
            if operand.buffer:  # an earlier call may have written it
                self._place(operand)

    def _outputs(self) -> list[torch.Tensor]:
        """The outputs of the call that is not in place, along its path."""
        call, inputs = self._call, self.inputs
        if call.path == "vmap":
            return self._trace(lambda: modes.call_batched(call, inputs))
        if call.path in transforms.MAPPED:
            return self._trace(lambda: transforms.call_mapped(call, inputs, self._placed))
        if call.path == "per_sample":
            outputs, self._derivatives = self._trace(
                lambda: transforms.call_per_sample(call, inputs, self._placed, self._placed_grad_output)
            )
            return outputs
        if call.path in compiled.PATHS and self._traces is None:  # compiled code has no operators to be traced
            return compiled.call_compiled(call, inputs)
        if call.path == "jvp":
            along = modes.tangents(call, layouts=not self._contiguous)
            outputs, self._derivatives = self._trace(lambda: modes.call_forward_mode(call, inputs, along))
            return outputs
        outputs = pytree.flatten(self._trace(lambda: invoke.invoke(call, inputs)))
        if call.path == "out":
            memory = self._out = modes.OutMemory(outputs, None if self._contiguous else call.grad_output)
            outputs = self._trace(lambda: modes.call_into(call, inputs, memory))
        return outputs

    def _overwritable(self, operand: Operand) -> torch.Tensor:
        """What an in-place call may overwrite: no leaf, the strides of the first input, and its values."""
        return self._fresh(operand).view.copy_(self.inputs[operand.name])

    def _backward(self, outputs: list[torch.Tensor]) -> dict[str, torch.Tensor]:
        if not self._call.has_gradients:  # a view that was made without a graph still says that it requires a gradient
            return {}
        leaves = self.leaves
        ends = {index: output for index, output in enumerate(outputs) if output.requires_grad}
        if not leaves or not ends:
            return {}
        grad_outputs = {index: self.grad_output(index, output) for index, output in ends.items()}
        if self._call.path == second_order.PATH:
            directions = second_order.place_directions(self._call, self._contiguous)
            return self._trace(lambda: second_order.derive_twice(ends, leaves, grad_outputs, directions))
        gradients = self._trace(
            lambda: torch.autograd.grad(
                list(ends.values()), list(leaves.values()), list(grad_outputs.values()), allow_unused=True
            )
        )
        named = zip(map(tensor_name.gradient, leaves), gradients)
        return {name: gradient for name, gradient in named if gradient is not None}

    def grad_output(self, index: int, output: torch.Tensor) -> torch.Tensor:
        """The grad_output of that output, in its drawn layout or contiguous; the same every time."""
        return self._placed_grad_output(index, output).view

    def _placed_grad_output(self, index: int, output: torch.Tensor) -> tensors.PlacedTensor:
        name = tensor_name.grad_output(index)
        if name not in self._grad_outputs:
            dtype = tensors.name_of(output.dtype)
            values = self._values.grad_output(index, tuple(output.shape), dtype)
            layout = None if self._contiguous else self._call.grad_output
            self._grad_outputs[name] = tensors.PlacedTensor(values, output.dtype, layout)
        return self._grad_outputs[name]

    def output_ends(self, inputs: invoke.Inputs) -> dict[int, torch.Tensor]:
        """The outputs that depend on a leaf, by number, for these inputs; what the call writes is fresh every time."""
        fresh = {
            name: tensor.detach().clone()
            for name, tensor in inputs.items()
            if name in self.buffers and tensor is not None
        }
        outputs = invoke.output_tensors(self._call, {**inputs, **fresh})
        return {index: output for index, output in enumerate(outputs) if output.requires_grad}
