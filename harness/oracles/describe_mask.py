"""Where the differing elements lie, in words."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np

from harness.core import PatternKind
from harness.core.observation import Array
from harness.oracles.window import Window
from harness.portable import tensor_name
from harness.portable.tensor_name import TensorKind

BLOCKS: Final = (2, 4, 8, 16, 32, 64)
"""Elements that kernels handle together: a vector's, and oneDNN's blocks of channels."""
LEAST_BLOCK: Final = 4
"""The smallest block of which a rest is told: what follows the last pair is the last one alone."""


class Clause(NamedTuple):
    """A part of the sentence, and the kind of pattern that it states."""

    words: str
    kind: PatternKind


class _Dimension(NamedTuple):
    """What the places along a dimension are called, one and several, the letter of its size, and what they are."""

    noun: str
    plural: str
    letter: str
    kind: PatternKind = PatternKind.BORDER


_SAMPLE: Final = _Dimension("sample", "samples", "N", PatternKind.SAMPLE)
_CHANNEL: Final = _Dimension("channel", "channels", "C", PatternKind.INDICES)
_SLICE: Final = _Dimension("slice", "slices", "D")
_ROW: Final = _Dimension("row", "rows", "H")
_COLUMN: Final = _Dimension("column", "columns", "W")
_POSITION: Final = _Dimension("position", "positions", "L")
_ACTIVATIONS: Final = {
    3: (_SAMPLE, _CHANNEL, _POSITION),
    4: (_SAMPLE, _CHANNEL, _ROW, _COLUMN),
    5: (_SAMPLE, _CHANNEL, _SLICE, _ROW, _COLUMN),
}
_TAPS: Final = {
    rank: tuple(
        _Dimension(f"{each.noun} of the kernel", f"{each.plural} of the kernel", f"k{each.letter}", PatternKind.TAP)
        for each in dimensions[2:]
    )
    for rank, dimensions in _ACTIVATIONS.items()
}


def describe_mask(mask: Array, tensor: str = "output[0]") -> str:
    """Words for the pattern of a boolean mask, dimension by dimension; empty where there is none.

    Dimensions are called sample, channel, row and column in tensors of rank 3 to 5, those of a weight's gradient from
    the third on rows and columns of the kernel, and all others ``index of dim d``.
    """
    if mask.size == 1:
        return ""
    return ", ".join(clause.words for clause in mask_clauses(mask, tensor))


def mask_clauses(mask: Array, tensor: str, window: Window | None = None) -> list[Clause]:
    """What a boolean mask has to be told of, dimension by dimension; none where there is no pattern.

    `window` is that of a call whose outputs are each computed from a window of the input, if it is one.
    """
    if mask.size == 0 or not mask.any():
        return []
    if mask.all():
        return [Clause("everywhere" if mask.size > 1 else "in its only element", PatternKind.EVERYWHERE)]
    dimensions = _dimensions(mask.ndim, tensor)
    indices = [_indices(mask, dim) for dim in range(mask.ndim)]
    clauses = [_describe_indices(each, mask.shape[dim], dimensions[dim]) for dim, each in enumerate(indices)]
    spatial = [dim for dim, dimension in enumerate(dimensions) if dimension.kind is PatternKind.BORDER]
    if not any(clauses[dim] for dim in spatial):
        clauses.append(_describe_edges(mask, [(dim, dimensions[dim]) for dim in spatial], window))
    return [clause for clause in clauses if clause]


def _indices(mask: Array, dim: int) -> list[int]:
    """The indices along one dimension at which anything is set."""
    others = tuple(axis for axis in range(mask.ndim) if axis != dim)
    return [int(index) for index in np.flatnonzero(mask.any(axis=others))]


def _dimensions(rank: int, tensor: str) -> tuple[_Dimension, ...]:
    is_activation = tensor_name.kind_of(tensor) in (TensorKind.OUTPUT, TensorKind.TANGENT)
    if (is_activation or tensor == tensor_name.gradient("input")) and rank in _ACTIVATIONS:
        return _ACTIVATIONS[rank]
    kinds = PatternKind.INDICES
    plain = [_Dimension(f"index of dim {d}", f"indices of dim {d}", f"dim {d}", kinds) for d in range(rank)]
    taps = _TAPS.get(rank, ()) if tensor == tensor_name.gradient("weight") else ()
    return (*plain[: rank - len(taps)], *taps)


def _describe_indices(indices: list[int], size: int, dimension: _Dimension) -> Clause | None:
    """What is special about these indices of a dimension of that size; None where they are all or scattered."""
    if len(indices) == size:
        return None
    has_blocks = dimension.kind is PatternKind.INDICES
    if has_blocks and (clause := _describe_blocks(indices, size, dimension)):
        return clause
    if len(indices) == 1:
        return Clause(_describe_index(indices[0], size, dimension), dimension.kind)
    steps = {after - before for before, after in pairwise(indices)}
    if len(steps) > 1 or (len(indices) == 2 and steps != {1}):
        return None
    stride = "" if steps == {1} else f" in steps of {steps.pop()}"
    is_edge = indices[0] == 0 or indices[-1] == size - 1 or dimension.kind is not PatternKind.BORDER
    kind = dimension.kind if is_edge and not stride else PatternKind.INDICES
    return Clause(f"{dimension.plural} {indices[0]} to {indices[-1]} of {size}{stride}", kind)


def _describe_blocks(indices: list[int], size: int, dimension: _Dimension) -> Clause | None:
    """What the indices have to do with blocks of elements: the rest after them, the full ones, the same of each."""
    first, last = indices[0], indices[-1]
    is_run = last - first + 1 == len(indices)
    rests = [block for block in BLOCKS if block >= LEAST_BLOCK and size % block and block <= size]
    ends = [block for block in rests if is_run and last == size - 1 and first == size - size % block]
    bodies = [block for block in rests if is_run and first == 0 and last == size - size % block - 1]
    name = _name_indices(indices, size, dimension)
    if ends:
        if len(indices) == 1:  # a rest of one is the last one too, and nothing tells the two apart
            name = _describe_index(last, size, dimension)
        return Clause(f"{name}, after the last full block of {_alternatives(ends)}", PatternKind.CHANNEL_BLOCK)
    if bodies:
        return Clause(f"{name}, the full blocks of {_alternatives(bodies)}", PatternKind.CHANNEL_BLOCK)
    for block in BLOCKS:
        residues = sorted({index % block for index in indices})
        every = [index for index in range(size) if index % block in residues]
        if size >= 2 * block and len(residues) < block and every == indices:
            words = f"{dimension.plural} whose index modulo {block} is {_list_numbers(residues)}"
            return Clause(words, PatternKind.CHANNEL_BLOCK)
    return None


def _name_indices(indices: list[int], size: int, dimension: _Dimension) -> str:
    if len(indices) == 1:
        return f"{dimension.noun} {indices[0]} of {size}"
    return f"{dimension.plural} {indices[0]} to {indices[-1]} of {size}"


def _alternatives(numbers: Sequence[int]) -> str:
    """``4``, ``4 or 8``, ``4, 8 or 16``."""
    *others, last = map(str, numbers)
    return f"{', '.join(others)} or {last}" if others else last


def _list_numbers(numbers: Sequence[int]) -> str:
    """``3``, ``4 to 7``, ``1, 3 or 4``."""
    is_run = len(numbers) > 1 and numbers[-1] - numbers[0] + 1 == len(numbers)
    return f"{numbers[0]} to {numbers[-1]}" if is_run else _alternatives(numbers)


def _describe_index(index: int, size: int, dimension: _Dimension) -> str:
    """Name a single index; the ends of an image's sides are where kernels have their special cases."""
    if dimension == _SAMPLE:
        return f"only sample {index}"
    if index == size - 1:
        return f"all in the last {dimension.noun} ({dimension.letter} = {size})"
    return f"only the first {dimension.noun}" if index == 0 else f"only {dimension.noun} {index}"


def _describe_edges(mask: Array, dimensions: list[tuple[int, _Dimension]], window: Window | None) -> Clause | None:
    """Whether all lies where windows reach into the padding, or in first and last rows, columns and slices.

    Not where these are all that there is.
    """
    axes = tuple(dim for dim, _ in dimensions)
    projection = np.asarray(mask.any(axis=tuple(axis for axis in range(mask.ndim) if axis not in axes)))
    reach = window.padding_reach(projection.shape) if window else None
    if reach is not None and not reach.all() and not (projection & ~reach).any():
        return Clause("where the window reaches into the padding", PatternKind.PADDING_REACH)
    sides = {}
    for axis, (_, dimension) in enumerate(dimensions):
        for index, name in ((0, "first"), (projection.shape[axis] - 1, "last")):
            side = np.zeros(projection.shape, dtype=bool)
            side[(slice(None),) * axis + (index,)] = True
            sides[f"the {name} {dimension.noun}"] = side
    names = _fewest_sides(projection, sides)
    if not names:
        return None
    return Clause(f"only in {_alternatives_of_words(names)}", PatternKind.BORDER)


def _fewest_sides(projection: Array, sides: dict[str, Array]) -> list[str]:
    """The names of the fewest sides that cover everything, one left out after the other; none where they cannot."""

    def covers(names: Sequence[str]) -> bool:
        """Whether nothing lies outside these sides, and something could."""
        covered = np.any([sides[name] for name in names], axis=0)
        return not covered.all() and not (projection & ~covered).any()

    names = list(sides)
    if not names or not covers(names):
        return []
    for name in list(names):
        if len(names) > 1 and covers([other for other in names if other != name]):
            names.remove(name)
    return names


def _alternatives_of_words(words: Sequence[str]) -> str:
    *others, last = words
    return f"{', '.join(others)} or {last}" if others else last
