"""Tensors from descriptions, and back to bytes, through NumPy: the kernels under test take no part in it."""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import numpy as np
import torch

# generation's two self-contained modules join this package when it is shipped
from ..portable import dtypes, fills, layouts

GRAD_OUTPUT_STREAM = 1000
"""Output i takes its grad_output from this fill stream plus i; no case has as many tensors."""


class Described(NamedTuple):
    """A tensor of a request. `shape` is None where it is absent, `between` where nothing bounds its numbers.

    In `distinct` of its last dimensions no number occurs twice.
    """

    name: str
    shape: Any
    dtype: str
    layout: str
    stream: int
    gradient: bool
    between: Any
    buffer: bool
    distinct: int

    @property
    def differentiated(self) -> bool:
        """Whether its gradient is asked for."""
        return self.gradient and differentiable(self.dtype)


def described(request: dict[str, Any]) -> list[Described]:
    """The tensors of a request, absent ones included."""
    return [Described(*item) for item in request["tensors"]]


class Placed:
    """A tensor laid out in a buffer of its own: `view` is what the operator gets, `base` the whole buffer.

    Between its strided elements the buffer keeps what malloc left there (poison), and `touched` sees a write to any
    byte of it.
    """

    def __init__(self, numbers: Any, dtype: str, layout: str | None) -> None:
        shape = tuple(numbers.shape)
        strides, offset, numel = layouts.placement(layout or "contiguous", shape)
        self.base = torch.empty(numel, dtype=getattr(torch, dtype))
        if numbers.size:
            _write(self.base, strides, offset, numbers)
        self.view = self.base.as_strided(shape, strides, offset).detach()
        self._before = _raw(self.base)

    def leaf(self, gradient: bool) -> Any:
        """The view, as an autograd leaf where a gradient is wanted."""
        return self.view.requires_grad_() if gradient else self.view

    def touched(self) -> bool:
        """Whether any byte of the buffer differs from when it was filled."""
        return _raw(self.base) != self._before

    def spilled(self) -> bool:
        """Whether any byte of the buffer beside the tensor's own elements differs from when it was filled."""
        width = self.base.element_size()
        beside = np.ones(self.base.numel(), np.bool_)
        strides, offset = self.view.stride(), self.view.storage_offset()
        if self.view.numel():
            own: Any = np.ndarray(tuple(self.view.shape), np.bool_, beside, offset, strides)
            own[...] = False
        now, before = (np.frombuffer(raw, np.uint8).reshape(-1, width) for raw in (_raw(self.base), self._before))
        return bool((now != before)[beside].any())


def differentiable(dtype: str) -> bool:
    """Whether torch's dtype of this name is a floating or a complex one."""
    found = getattr(torch, dtype)
    return bool(found.is_floating_point or found.is_complex)


def numbers(request: dict[str, Any]) -> dict[str, Any]:
    """The logical values of each present tensor: float64 or complex128, C order.

    Where the layout has stride 0 the elements share memory; then all of them take the value of the first, in every
    cell and layout alike, so that the logical tensor is the same everywhere.
    """
    return {
        one.name: filled(
            request, tuple(one.shape), held(request, one), one.layout, one.stream, (one.between, one.distinct)
        )
        for one in described(request)
        if one.shape is not None
    }


def held(request: dict[str, Any], one: Described) -> str:
    """The dtype that has all numbers of the tensor: under autocast to bfloat16 what that cuts off would be no fault."""
    return "bfloat16" if request["path"] == "autocast" and one.dtype == "float32" else one.dtype


def grad_output(request: dict[str, Any], index: int, shape: tuple[int, ...], dtype: str) -> Any:
    """The logical values of the grad_output of output `index`, whose dtype is given.

    They are representable in the example's dtype, or in the output's where that has not all of its numbers. The
    `special` fill is for inputs: infinities that meet in a sum of grad_outputs would say nothing about a format.
    """
    held = _common(request["dtype"], dtype)
    return filled(finite(request), shape, held, request["grad_output"], GRAD_OUTPUT_STREAM + index)


def finite(request: dict[str, Any]) -> dict[str, Any]:
    """The request for what goes with the inputs, a grad_output or a tangent: numbers, where those are special."""
    return {**request, "fill": "reals"} if request["fill"] == "special" else request


def _common(example: str, output: str) -> str:
    """The example's dtype where the output's has all of its numbers, else the output's."""
    floating = dtypes.FLOATING
    if example not in floating or output not in floating or output == "float16":
        return output
    return example if floating[output].precision >= floating[example].precision else output


def filled(  # noqa: PLR0913, PLR0917 - what a fill depends on
    request: dict[str, Any],
    shape: tuple[int, ...],
    dtype: str,
    layout: str,
    stream: int,
    limits: tuple[Any, int] = (None, 0),
) -> Any:
    """The numbers of one tensor, as `numbers` has them; `limits` are its range and its distinct dimensions."""
    drawn = _drawn(request["fill"], dtype, shape, request["seed"], stream, request["terms"], *limits)
    strides, _offset, _numel = layouts.placement(layout, shape)
    shared = tuple(slice(0, 1) if stride == 0 and size > 1 else slice(None) for stride, size in zip(strides, shape))
    return np.broadcast_to(drawn[shared], shape)


_drawn = functools.lru_cache(maxsize=16)(fills.values)
"""The fills of the last few tensors: each run of an example asks for the same again, and nobody writes to them."""


def record(tensor: Any) -> tuple[str, list[int], list[int], bytes]:
    """A tensor as plain data: dtype name, shape, strides in elements, and its logical values in C order.

    bfloat16 travels as its 16 bits.
    """
    plain = tensor.detach()
    return (name_of(plain.dtype), list(plain.shape), list(plain.stride()), as_numpy(plain).tobytes())


def as_numpy(tensor: Any) -> Any:
    """A NumPy view with the tensor's own strides; bfloat16 as int16, which NumPy has and which has the same bits."""
    plain = tensor.detach().resolve_conj().resolve_neg()
    if plain._is_zerotensor():  # autograd's zero without memory, such as the gradient of torch.sgn
        plain = torch.zeros(plain.shape, dtype=plain.dtype)
    return plain.view(torch.int16).numpy() if plain.dtype == torch.bfloat16 else plain.numpy()


def flatten(result: Any) -> list[Any]:
    """The tensors of a result, in order, out of tuples, lists and mappings; what is no tensor is left out."""
    if isinstance(result, torch.Tensor):
        return [result]
    if isinstance(result, dict):
        result = list(result.values())
    if isinstance(result, (tuple, list)):
        return [tensor for item in result for tensor in flatten(item)]
    return []


def _write(base: Any, strides: tuple[int, ...], offset: int, numbers: Any) -> None:
    buffer = as_numpy(base)
    width = buffer.itemsize
    target: Any = np.ndarray(
        numbers.shape, buffer.dtype, buffer, offset * width, tuple(stride * width for stride in strides)
    )
    target[...] = _rounded(numbers, base.dtype).astype(buffer.dtype, copy=False)


def _rounded(numbers: Any, dtype: Any) -> Any:
    """The numbers, which are exact in `dtype`, in the NumPy type that has its bits."""
    if dtype != torch.bfloat16:
        return numbers
    return (np.ascontiguousarray(numbers, np.float32).view(np.uint32) >> np.uint32(16)).astype(np.uint16).view(np.int16)


def _raw(base: Any) -> bytes:
    raw: bytes = as_numpy(base).tobytes()
    return raw


def name_of(dtype: Any) -> str:
    """Torch's name of a dtype, without the prefix."""
    return str(dtype).replace("torch.", "")
