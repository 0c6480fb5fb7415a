"""Where the differing elements lie, in words."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt

_ACTIVATIONS: Final = {
    3: (("sample", "N"), ("channel", "C"), ("position", "L")),
    4: (("sample", "N"), ("channel", "C"), ("row", "H"), ("column", "W")),
    5: (("sample", "N"), ("channel", "C"), ("slice", "D"), ("row", "H"), ("column", "W")),
}


def where(mask: npt.NDArray[Any], tensor: str = "output[0]") -> str:
    """Words for the pattern of a boolean mask, dimension by dimension; empty where there is none.

    Dimensions are called sample, channel, row and column in tensors of rank 3 to 5, and ``index of dim d`` in others
    and in the gradients of parameters (``grad:weight``), whose dimensions mean something else.
    """
    if mask.size == 0 or not mask.any():
        return ""
    if mask.all():
        return "everywhere" if mask.size > 1 else ""
    named = [_words(_indices(mask, dim), mask.shape[dim], *_named(mask.ndim, dim, tensor)) for dim in range(mask.ndim)]
    return ", ".join(words for words in named if words)


def _indices(mask: npt.NDArray[Any], dim: int) -> list[int]:
    others = tuple(axis for axis in range(mask.ndim) if axis != dim)
    return [int(index) for index in np.flatnonzero(mask.any(axis=others))]


def _named(rank: int, dim: int, tensor: str) -> tuple[str, str]:
    image = tensor.startswith("output") or tensor == "grad:input"
    return _ACTIVATIONS[rank][dim] if image and rank in _ACTIVATIONS else (f"index of dim {dim}", f"dim {dim}")


def _words(found: list[int], size: int, noun: str, letter: str) -> str:
    """Say what is special about the indices `found` of a dimension of that size; empty where all or scattered."""
    if len(found) == size:
        return ""
    if len(found) == 1:
        return _one(found[0], size, noun, letter)
    steps = {after - before for before, after in pairwise(found)}
    if len(steps) > 1 or (len(found) == 2 and steps != {1}):
        return ""
    plural = noun.replace("index", "indices") if noun.startswith("index") else f"{noun}s"
    stride = "" if steps == {1} else f" in steps of {steps.pop()}"
    return f"{plural} {found[0]} to {found[-1]} of {size}{stride}"


def _one(index: int, size: int, noun: str, letter: str) -> str:
    """Name a single index; the ends of an image's sides are where kernels have their special cases."""
    if noun == "sample":
        return f"only sample {index}"
    if index == size - 1:
        return f"channel {index} of {size}" if noun == "channel" else f"all in the last {noun} ({letter} = {size})"
    return f"only the first {noun}" if index == 0 else f"only {noun} {index}"
