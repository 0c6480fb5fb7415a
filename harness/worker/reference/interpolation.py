"""The coefficients of an interpolation that works along one dimension after the other, and what they bound.

The operator is a product of one matrix for each spatial dimension, read off by resampling unit vectors, which any build
computes in float64. Rows add up to one. From the matrices come the three quantities of the rule `resampling`:

- the sum of magnitudes B: coefficients of both signs, as cubic ones are, count by their magnitude;
- the number of roundings n: products that are added up, and those of the coefficients themselves;
- the move s of the result where every coordinate is off by its dimension's size in pixels. The rule scales it down to
  the roundings of a coordinate (`COORDINATE_ROUNDINGS` in harness/oracles/bounds.py).

A kernel computes coordinates in float32 or float64 (aten/src/ATen/native/UpSample.h), so a coefficient w(t) is
off by w'(t) dt whatever its own magnitude: no multiple of B has room for that where w is near zero. A row's
coefficients add up to one for every t, so their slopes add up to zero, and sum w' x = sum w' (x - m) for any m: with m
in the middle of the window's range the result moves by at most dt times half the sum of the slopes' magnitudes times
that range. Nothing moves in a constant image, which is what resampling must leave as it is. Where dt takes the
coordinate into the next cell the window is one pixel wider. Along other dimensions the result is a sum of such results,
whose coefficients have magnitudes that add up to 1 for linear and to at most 1.375 for cubic ones.

At the border several taps of a cubic row meet the same pixel. The matrix has their sum, a kernel adds them one by one:
there a coefficient counts as four taps, with the magnitudes that the row is short of 1.375.
"""

from __future__ import annotations

from typing import Callable, NamedTuple

import numpy as np
import torch

from ..tensors import Array

STEEPEST = 1.5
"""Half the sum of the slopes of a row's coefficients, at most: 1 for linear ones, 1.5 for cubic ones, A = -0.75 and
-0.5 alike, at t = 0. A single slope is at most 1.39. Antialiasing stretches the filter and flattens it."""

OWN = 8
"""Roundings of a cubic coefficient by Horner's rule; a normalised one has those of the sum of its row as well."""

TAPS = 4
"""Taps of a cubic row."""

MAGNITUDES = 1.375
"""What the magnitudes of the coefficients of a cubic row add up to at most: at t = 1/2, for A = -0.75."""

VANISHING = 2.0**-46
"""What cubic coefficients at a pixel leave of zero in float64."""


Resampler = Callable[[Array], Array]
"""The operator as a function of its first tensor."""


class Measure(NamedTuple):
    """Of each element: the sum of magnitudes, the number of terms, and the move where coordinates are off.

    The move is that for coordinates off by a pixel times the size of their dimension.
    """

    bound: Array
    terms: Array
    move: Array


class Matrices:
    """One matrix (outputs by inputs) for each spatial dimension of an operator on tensors of shape (N, C, ...)."""

    def __init__(self, operator: Resampler, sizes: tuple[int, ...]) -> None:
        self.matrices = [_matrix(operator, sizes, dim) for dim in range(len(sizes))]
        self.sizes = sizes
        cubic = _cubic(operator, self.matrices)
        self._magnitudes, self._taps = zip(*(_magnitudes_and_taps(matrix, cubic) for matrix in self.matrices))

    @property
    def nbytes(self) -> int:
        """The bytes of all that is kept of it."""
        return sum(array.nbytes for array in (*self.matrices, *self._magnitudes, *self._taps))

    def output(self, image: Array) -> Measure:
        """What the coefficients bound of the resampled image."""
        bound, largest, smallest = np.abs(image), image, image
        for dim, (matrix, magnitudes) in enumerate(zip(self.matrices, self._magnitudes), 2):
            bound = along(bound, magnitudes, dim)
            windows = _windows(matrix)
            largest = np.stack([_slice(largest, dim, window).max(dim) for window in windows], dim)
            smallest = np.stack([_slice(smallest, dim, window).min(dim) for window in windows], dim)
        return Measure(bound, self._terms(1, bound.shape), self._steepness() * sum(self.sizes) * (largest - smallest))

    def gradient(self, grad_output: Array) -> Measure:
        """The same of the gradient of the image, whose matrices are the transposed ones."""
        bound = np.abs(grad_output)
        moves = [bound] * len(self.sizes)
        for dim, (matrix, magnitudes) in enumerate(zip(self.matrices, self._magnitudes), 2):
            bound = along(bound, magnitudes.T, dim)
            touched = _window_mask(matrix).T
            moves = [
                along(each, touched if index == dim - 2 else magnitudes.T, dim) for index, each in enumerate(moves)
            ]
        move = np.asarray(STEEPEST * sum(size * each for size, each in zip(self.sizes, moves)))
        return Measure(bound, self._terms(0, bound.shape), move)

    def _steepness(self) -> float:
        """The steepest slope of one dimension, with the magnitudes of the coefficients along the others."""
        return STEEPEST * float(np.prod([magnitudes.sum(1).max() for magnitudes in self._magnitudes]))

    def _terms(self, axis: int, shape: tuple[int, ...]) -> Array:
        """The products that are added up along `axis` of the matrices, and the roundings of the coefficients."""
        total: Array = np.ones(shape)
        for dim, taps in enumerate(self._taps, 2):
            count = np.maximum(taps.sum(axis), 1)
            total = total * count.reshape([-1 if each == dim else 1 for each in range(len(shape))])
        return total + sum(OWN + int(taps.sum(1).max()) for taps in self._taps)


def _matrix(operator: Resampler, sizes: tuple[int, ...], dim: int) -> Array:
    """Resample each unit vector along `dim`, constant along the other dimensions, whose rows add up to one."""
    count = sizes[dim]
    unit = np.eye(count).reshape([count, 1] + [count if axis == dim else 1 for axis in range(len(sizes))])
    resampled = operator(np.ascontiguousarray(np.broadcast_to(unit, (count, 1, *sizes))))
    first = tuple(slice(None) if axis == dim else 0 for axis in range(len(sizes)))
    matrix = resampled[(slice(None), 0, *first)].T
    return np.where(np.abs(matrix) < VANISHING, 0.0, matrix)


def _cubic(operator: Resampler, matrices: list[Array]) -> bool:
    """Whether coefficients are negative; those of images so small that all taps may meet show it in larger ones.

    Of two sizes one at least is not resampled at its pixels, where cubic coefficients are those of the identity.
    """
    small = any(matrix.shape[1] < TAPS for matrix in matrices)
    larger = [(size,) * len(matrices) for size in (6, 7)] if small else []
    others = (_matrix(operator, sizes, dim) for sizes in larger for dim in range(len(matrices)))
    return any(bool((matrix < 0).any()) for matrix in (*matrices, *others))


def _magnitudes_and_taps(matrix: Array, cubic: bool) -> tuple[Array, Array]:
    """The magnitudes and the numbers of the taps that the coefficients stand for."""
    magnitudes, taps = np.abs(matrix), (matrix != 0).astype(np.float64)
    if cubic:
        short = np.maximum(MAGNITUDES - magnitudes.sum(1), 0.0)
        for column in {0, matrix.shape[1] - 1}:
            folded = matrix[:, column] != 0
            magnitudes[folded, column] += short[folded]
            taps[folded, column] = TAPS
    return magnitudes, taps


def along(array: Array, matrix: Array, dim: int) -> Array:
    """The array with this matrix applied to one of its dimensions.

    By torch, of which the reference uses one thread: those of NumPy's BLAS wait for each other busily, which costs ten
    times what such a product does.
    """
    first = torch.from_numpy(np.ascontiguousarray(np.moveaxis(array, dim, -1), dtype=np.float64))
    product: Array = torch.matmul(first, torch.from_numpy(np.ascontiguousarray(matrix)).T).numpy()
    return np.moveaxis(product, -1, dim)


def _windows(matrix: Array) -> list[slice]:
    """The inputs of each output and one more on either side, where the coordinate may come to lie."""
    return [slice(max(0, int(used[0]) - 1), int(used[-1]) + 2) for used in map(np.flatnonzero, matrix)]


def _window_mask(matrix: Array) -> Array:
    """One where the coefficient may change with the coordinate."""
    mask = np.zeros(matrix.shape)
    for row, window in zip(mask, _windows(matrix)):
        row[window] = 1.0
    return mask


def _slice(array: Array, dim: int, window: slice) -> Array:
    part: Array = array[(slice(None),) * dim + (window,)]
    return part
