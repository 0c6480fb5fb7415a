"""Where the differing elements lie, in words."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from harness.portable import tensor_name
from harness.portable.tensor_name import TensorKind


class _Dimension(NamedTuple):
    """What the places along a dimension are called, one and several of them, and the letter of its size."""

    noun: str
    plural: str
    letter: str


_SAMPLE: Final = _Dimension("sample", "samples", "N")
_CHANNEL: Final = _Dimension("channel", "channels", "C")
_SLICE: Final = _Dimension("slice", "slices", "D")
_ROW: Final = _Dimension("row", "rows", "H")
_COLUMN: Final = _Dimension("column", "columns", "W")
_ACTIVATIONS: Final = {
    3: (_SAMPLE, _CHANNEL, _Dimension("position", "positions", "L")),
    4: (_SAMPLE, _CHANNEL, _ROW, _COLUMN),
    5: (_SAMPLE, _CHANNEL, _SLICE, _ROW, _COLUMN),
}


def describe_mask(mask: npt.NDArray[Any], tensor: str = "output[0]") -> str:
    """Words for the pattern of a boolean mask, dimension by dimension; empty where there is none.

    Dimensions are called sample, channel, row and column in tensors of rank 3 to 5, and ``index of dim d`` in others
    and in the gradients of parameters (``grad:weight``), whose dimensions mean something else.
    """
    if mask.size == 0 or not mask.any():
        return ""
    if mask.all():
        return "everywhere" if mask.size > 1 else ""
    dimensions = _dimensions(mask.ndim, tensor)
    parts = [
        _describe_indices(_indices(mask, dim), mask.shape[dim], dimension) for dim, dimension in enumerate(dimensions)
    ]
    return ", ".join(part for part in parts if part)


def _indices(mask: npt.NDArray[Any], dim: int) -> list[int]:
    """The indices along one dimension at which anything is set."""
    others = tuple(axis for axis in range(mask.ndim) if axis != dim)
    return [int(index) for index in np.flatnonzero(mask.any(axis=others))]


def _dimensions(rank: int, tensor: str) -> tuple[_Dimension, ...]:
    is_activation = tensor_name.kind_of(tensor) is TensorKind.OUTPUT or tensor == tensor_name.gradient("input")
    if is_activation and rank in _ACTIVATIONS:
        return _ACTIVATIONS[rank]
    return tuple(_Dimension(f"index of dim {dim}", f"indices of dim {dim}", f"dim {dim}") for dim in range(rank))


def _describe_indices(indices: list[int], size: int, dimension: _Dimension) -> str:
    """What is special about these indices of a dimension of that size; empty where they are all or scattered."""
    if len(indices) == size:
        return ""
    if len(indices) == 1:
        return _describe_index(indices[0], size, dimension)
    steps = {after - before for before, after in pairwise(indices)}
    if len(steps) > 1 or (len(indices) == 2 and steps != {1}):
        return ""
    stride = "" if steps == {1} else f" in steps of {steps.pop()}"
    return f"{dimension.plural} {indices[0]} to {indices[-1]} of {size}{stride}"


def _describe_index(index: int, size: int, dimension: _Dimension) -> str:
    """Name a single index; the ends of an image's sides are where kernels have their special cases."""
    if dimension == _SAMPLE:
        return f"only sample {index}"
    if index == size - 1:
        last = f"all in the last {dimension.noun} ({dimension.letter} = {size})"
        return f"channel {index} of {size}" if dimension == _CHANNEL else last
    return f"only the first {dimension.noun}" if index == 0 else f"only {dimension.noun} {index}"
