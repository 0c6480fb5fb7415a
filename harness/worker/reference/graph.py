"""A call once in float64, on contiguous copies of its inputs, and backward from there as often as wanted."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import Callable, Iterator, Mapping

import numpy as np
import torch

from ...portable import dtypes, tensor_name
from .. import fill_values, pytree
from ..call import Argument, Call, Operand, TorchByName
from ..operators import invoke, modes, second_order, switches
from ..tensors import Array

Change = Callable[[Array], Array]
"""What is done to the numbers before they are used: nothing, magnitudes, ones."""

Wrap = Callable[[torch.Tensor], torch.Tensor]
"""What the call gets in place of each of its tensors."""


@contextlib.contextmanager
def stock() -> Iterator[None]:
    """Switch oneDNN off and use one thread; both as before when it ends."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with switches.without_onednn():
            yield
    finally:
        torch.set_num_threads(threads)


@contextlib.contextmanager
def wide() -> Iterator[None]:
    """Let what an operator makes of integers alone (a quotient, a root) be float64 too; as before when it ends."""
    with default_dtype(torch.float64):
        yield


@contextlib.contextmanager
def default_dtype(dtype: torch.dtype) -> Iterator[None]:
    """Let it be what tensors are made in that are given none; as before when it ends."""
    usual = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(usual)


class Graph:
    """The call in float64, on inputs that `change` has been applied to; backward as often as wanted.

    `wrap` is applied to each input as well. `due_dtypes` are those of the outputs in the example's own dtypes, by name,
    as far as they are known.
    """

    def __init__(
        self, call: Call, values: Mapping[str, Array], change: Change, wrap: Wrap = lambda tensor: tensor
    ) -> None:
        self._call = _in_float64(call)
        self.due_dtypes: dict[str, str] = {}
        self.inputs: dict[str, torch.Tensor | None] = dict.fromkeys(operand.name for operand in call.operands)
        self._buffers: dict[str, torch.Tensor] = {}
        for operand, _shape in call.present:
            leaf = self.inputs[operand.name] = wrap(_leaf(values[operand.name], operand, change))
            if operand.buffer:
                self._buffers[tensor_name.buffer(operand.name)] = leaf
        self._tangents: dict[str, torch.Tensor] = {}
        with wide():
            self.outputs = self._forward(change)

    def _forward(self, change: Change) -> list[torch.Tensor]:
        if self._call.path != "jvp":
            return pytree.flatten(invoke.invoke(self._call, self.inputs, plain=True))
        outputs, self._tangents = modes.call_forward_mode(self._call, self.inputs, self._along(change), plain=True)
        return outputs

    def _along(self, change: Change) -> dict[str, torch.Tensor]:
        """Tangents, or directions of a second derivative, that `change` has been applied to."""
        return {
            operand.name: _leaf(fill_values.tangent_values(self._call, operand, shape), operand, change).detach()
            for operand, shape in self._call.present
            if operand.is_differentiated
        }

    def gradients(self, change: Change) -> dict[str, torch.Tensor]:
        """The gradients for grad_outputs that `change` has been applied to, by ``grad:name``; unused ones left out.

        Of a double backward also what it gives, by ``second:name``.
        """
        leaves = {name: leaf for name, leaf in self.inputs.items() if leaf is not None and leaf.requires_grad}
        ends = self.ends
        if not leaves or not ends:
            return {}
        grad_outputs = [
            torch.from_numpy(np.asarray(change(self.grad_output(index)))).to(end.dtype) for index, end in ends.items()
        ]
        with wide():
            if self._call.path == second_order.PATH:
                directions = self._along(change)
                return second_order.derive_twice(ends, leaves, dict(zip(ends, grad_outputs)), directions)
            gradients = torch.autograd.grad(
                list(ends.values()), list(leaves.values()), grad_outputs, allow_unused=True, retain_graph=True
            )
        named = zip(map(tensor_name.gradient, leaves), gradients)
        return {name: gradient for name, gradient in named if gradient is not None}

    @property
    def ends(self) -> dict[int, torch.Tensor]:
        """The outputs from which it goes backward, by number."""
        if not self._call.has_gradients:
            return {}
        return {index: output for index, output in enumerate(self.outputs) if output.requires_grad}

    def grad_output(self, index: int) -> Array:
        """A fresh contiguous copy of the grad_output of that output."""
        dtype = self.due_dtypes.get(tensor_name.output(index), self._call.dtype)
        values = fill_values.grad_output_values(self._call, index, tuple(self.outputs[index].shape), dtype)
        return np.array(values, order="C")  # else an expanded grad_output would come out permuted

    def tensors(self) -> dict[str, torch.Tensor]:
        """The outputs by ``output[i]``, then the buffers as the operator has left them, then tangents."""
        outputs = {tensor_name.output(index): output for index, output in enumerate(self.outputs)}
        return {**outputs, **self._buffers, **self._tangents}


def _in_float64(call: Call) -> Call:
    """The call that asks for no narrower floating dtype than the reference has: an argument may name one."""
    return replace(
        call,
        positional=tuple(_widen(value) for value in call.positional),
        arguments={name: _widen(value) for name, value in call.arguments.items()},
    )


def _widen(value: Argument) -> Argument:
    if isinstance(value, tuple):
        return tuple(_widen(part) for part in value)
    if isinstance(value, TorchByName) and dtypes.is_differentiable(value.name):
        return TorchByName("float64" if value.name in dtypes.FLOATING else "complex128")
    return value


def _leaf(values: Array, operand: Operand, change: Change) -> torch.Tensor:
    """A contiguous copy, float64 or complex128 for such a dtype; indices and the like stay what they are.

    Magnitudes are those of the finite numbers: what an infinity does to a sum depends on no order of summation.
    """
    if not dtypes.is_differentiable(operand.dtype):
        return torch.from_numpy(np.array(values)).to(operand.torch_dtype)
    if change is np.abs:
        values = np.where(np.isfinite(values), values, 0.0)
    changed = np.array(change(values), order="C").astype(values.dtype, copy=False)  # a magnitude of a complex is real
    return torch.from_numpy(changed).requires_grad_(operand.gradient)
