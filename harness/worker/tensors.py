"""Tensors from numbers, and back to bytes, through NumPy: the kernels under test take no part in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Tuple

import numpy as np
import torch

from ..portable import layouts

if TYPE_CHECKING:
    import numpy.typing as npt

    from ..portable.protocol import TensorData

    Array = npt.NDArray[Any]
else:
    Array = np.ndarray  # an older NumPy has no typing


class PlacedTensor:
    """A tensor laid out in a buffer of its own: `view` is what the operator gets, `base` the whole buffer.

    Between its strided elements the buffer keeps what malloc left there (poison), and `is_touched` sees a write to any
    byte of it. `layout` None is contiguous.
    """

    def __init__(self, values: Array, dtype: torch.dtype, layout: str | None) -> None:
        strides, offset, numel = layouts.placement(layout or "contiguous", values.shape)
        self.layout = layout
        self.base = torch.empty(numel, dtype=dtype)
        if values.size:
            _write(self.base, strides, offset, values)
        self.view = self.base.as_strided(values.shape, strides, offset).detach()
        self._before = _bytes_of(self.base)

    def leaf(self, gradient: bool) -> torch.Tensor:
        """The view, as an autograd leaf where a gradient is wanted."""
        return self.view.requires_grad_() if gradient else self.view

    def is_touched(self) -> bool:
        """Whether any byte of the buffer differs from when it was filled."""
        return _bytes_of(self.base) != self._before

    def is_spilled(self) -> bool:
        """Whether any byte of the buffer beside the tensor's own elements differs from when it was filled."""
        width = self.base.element_size()
        beside = np.ones(self.base.numel(), np.bool_)
        strides, offset = self.view.stride(), self.view.storage_offset()
        if self.view.numel():
            own: Array = np.ndarray(tuple(self.view.shape), np.bool_, beside, offset, strides)
            own[...] = False
        now, before = (np.frombuffer(raw, np.uint8).reshape(-1, width) for raw in (_bytes_of(self.base), self._before))
        return bool((now != before)[beside].any())


def record(tensor: torch.Tensor) -> TensorData:
    """A tensor as plain data: dtype name, shape, strides in elements, and its logical values in C order.

    bfloat16 travels as its 16 bits.
    """
    plain = tensor.detach()
    return (name_of(plain.dtype), list(plain.shape), list(plain.stride()), as_numpy(plain).tobytes())


def as_numpy(tensor: torch.Tensor) -> Array:
    """A NumPy view with the tensor's own strides; bfloat16 as int16, which NumPy has and which has the same bits."""
    plain = tensor.detach().resolve_conj().resolve_neg()
    if plain._is_zerotensor():  # autograd's zero without memory, such as the gradient of torch.sgn
        plain = torch.zeros(plain.shape, dtype=plain.dtype)
    array: Array = (plain.view(torch.int16) if plain.dtype == torch.bfloat16 else plain).numpy()
    return array


def _write(base: torch.Tensor, strides: Tuple[int, ...], offset: int, values: Array) -> None:
    buffer = as_numpy(base)
    width = buffer.itemsize
    target: Array = np.ndarray(
        values.shape, buffer.dtype, buffer, offset * width, tuple(stride * width for stride in strides)
    )
    target[...] = _in_numpy_dtype(values, base.dtype).astype(buffer.dtype, copy=False)


def _in_numpy_dtype(values: Array, dtype: torch.dtype) -> Array:
    """The numbers, which are exact in `dtype`, in the NumPy type that has its bits."""
    if dtype != torch.bfloat16:
        return values
    bits: Array = np.ascontiguousarray(values, np.float32).view(np.uint32) >> np.uint32(16)
    return bits.astype(np.uint16).view(np.int16)


def _bytes_of(base: torch.Tensor) -> bytes:
    return as_numpy(base).tobytes()


def name_of(dtype: torch.dtype) -> str:
    """Torch's name of a dtype, without the prefix."""
    return str(dtype).replace("torch.", "")
