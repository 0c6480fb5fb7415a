"""The numbers of a call: those of its tensors, of what backward is given, and of tangents; the same in every worker."""

from __future__ import annotations

import functools

import numpy as np

from ..portable import dtypes, fills, layouts
from .call import Call, Operand
from .tensors import Array

GRAD_OUTPUT_STREAM = 1000
"""Output i takes its grad_output from this fill stream plus i; no case has as many tensors."""

TANGENT_STREAM = 2000
"""Tensor i takes its tangent from this fill stream plus i, above those of grad_outputs."""


class CallValues:
    """The numbers of a call, each tensor's made once: every run of it, whatever its layouts, takes the same.

    Nobody writes them; a tensor is placed as a copy.
    """

    def __init__(self, call: Call) -> None:
        self._call = call
        self.inputs = input_values(call)
        self._grad_outputs: dict[tuple[int, tuple[int, ...], str], Array] = {}

    def grad_output(self, index: int, shape: tuple[int, ...], dtype: str) -> Array:
        """The logical values of the grad_output of output `index`, whose dtype is given."""
        key = (index, shape, dtype)
        if key not in self._grad_outputs:
            self._grad_outputs[key] = grad_output_values(self._call, index, shape, dtype)
        return self._grad_outputs[key]


def input_values(call: Call) -> dict[str, Array]:
    """The logical values of each present tensor, by name: float64 or complex128, C order.

    Where the layout has stride 0 the elements share memory; then all of them take the value of the first, in every
    cell and layout alike, so that the logical tensor is the same everywhere.
    """
    return {operand.name: _input_values(call, operand, shape) for operand, shape in call.present}


def _input_values(call: Call, operand: Operand, shape: tuple[int, ...]) -> Array:
    # what autocast to bfloat16 cuts off would be no fault, so that dtype has all of the numbers
    dtype = "bfloat16" if call.path == "autocast" and operand.dtype == "float32" else operand.dtype
    drawn = _values(call.fill, dtype, shape, call.seed, operand.stream, call.terms, operand.between, operand.distinct)
    return _with_shared_elements(drawn, operand.layout)


def grad_output_values(call: Call, index: int, shape: tuple[int, ...], dtype: str) -> Array:
    """The logical values of the grad_output of output `index`, whose dtype is given.

    They are representable in the example's dtype, or in the output's where that has not all of its numbers.
    """
    return _companion_values(
        call, shape, _common_dtype(call.dtype, dtype), call.grad_output, GRAD_OUTPUT_STREAM + index
    )


def tangent_values(call: Call, operand: Operand, shape: tuple[int, ...]) -> Array:
    """The logical values of a tensor's tangent."""
    return _companion_values(call, shape, operand.dtype, operand.layout, TANGENT_STREAM + operand.stream)


def _companion_values(call: Call, shape: tuple[int, ...], dtype: str, layout: str, stream: int) -> Array:
    """The numbers of what goes with the inputs, which are `reals` where those are special.

    Infinities that meet in a sum of grad_outputs would say nothing about a format.
    """
    fill = "reals" if call.fill == "special" else call.fill
    return _with_shared_elements(_values(fill, dtype, shape, call.seed, stream, call.terms), layout)


def _common_dtype(example: str, output: str) -> str:
    """The example's dtype where the output's has all of its numbers, else the output's."""
    floating = dtypes.FLOATING
    if example not in floating or output not in floating or output == "float16":
        return output
    return example if floating[output].precision >= floating[example].precision else output


def _with_shared_elements(values: Array, layout: str) -> Array:
    """The same in a tensor of that layout, some of whose elements may be one."""
    strides, _offset, _numel = layouts.placement(layout, values.shape)
    first = tuple(
        slice(0, 1) if stride == 0 and size > 1 else slice(None) for stride, size in zip(strides, values.shape)
    )
    return np.broadcast_to(values[first], values.shape)


_values = functools.lru_cache(maxsize=16)(fills.values)
"""The fills of the last few tensors: each run of an example asks for the same again, and nobody writes to them."""
