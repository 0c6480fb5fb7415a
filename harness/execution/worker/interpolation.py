"""The coefficients of an interpolation that works along one dimension after the other, and what they bound.

The operator is a product of one matrix for each spatial dimension, read off by resampling unit vectors, which any build
computes in float64. Rows add up to one. From the matrices come the three quantities of the rule `resampling`:

- the sum of magnitudes B: coefficients of both signs, as cubic ones are, count by their magnitude;
- the number of roundings n: products that are added up, and those of the coefficients themselves;
- the move s of the result where every coordinate is off by its dimension's size in pixels. The rule scales it down to
  the roundings of a coordinate (`COORDINATE` in harness/oracles/bounds.py).

A kernel computes coordinates in float32 or float64 (aten/src/ATen/native/UpSample.h), so a coefficient w(t) is
off by w'(t) dt whatever its own magnitude: no multiple of B has room for that where w is near zero. A row's
coefficients add up to one for every t, so their slopes add up to zero, and sum w' x = sum w' (x - m) for any m: with m
in the middle of the window's range the result moves by at most dt times half the sum of the slopes' magnitudes times
that range. Nothing moves in a constant image, which is what resampling must leave as it is. Where dt takes the
coordinate into the next cell the window is one pixel wider. Along other dimensions the result is a sum of such results,
whose coefficients have magnitudes that add up to 1 for linear and to at most 1.375 for cubic ones.
"""

from __future__ import annotations

from typing import Any, Callable

import numpy as np

STEEPEST = 1.5
"""Half the sum of the slopes of a row's coefficients, at most: 1 for linear ones, 1.5 for cubic ones, A = -0.75 and
-0.5 alike, at t = 0. A single slope is at most 1.39. Antialiasing stretches the filter and flattens it."""

OWN = 8
"""Roundings of a cubic coefficient by Horner's rule; a normalised one has those of the sum of its row as well."""

VANISHING = 2.0**-46
"""What cubic coefficients at a pixel leave of zero in float64."""


class Matrices:
    """One matrix (outputs by inputs) for each spatial dimension of an operator on tensors of shape (N, C, ...)."""

    def __init__(self, operator: Callable[[Any], Any], sizes: tuple[int, ...]) -> None:
        self.matrices = [_matrix(operator, sizes, dim) for dim in range(len(sizes))]
        self.sizes = sizes

    def output(self, image: Any) -> tuple[Any, Any, Any]:
        """Sum of magnitudes, number of terms, and the move for coordinates off by a pixel times the size."""
        bound, largest, smallest = np.abs(image), image, image
        for dim, matrix in enumerate(self.matrices, 2):
            bound = along(bound, np.abs(matrix), dim)
            windows = _windows(matrix)
            largest = np.stack([_slice(largest, dim, window).max(dim) for window in windows], dim)
            smallest = np.stack([_slice(smallest, dim, window).min(dim) for window in windows], dim)
        return bound, self._terms(1, bound.shape), self._steep() * sum(self.sizes) * (largest - smallest)

    def gradient(self, cotangent: Any) -> tuple[Any, Any, Any]:
        """The same of the gradient of the input, whose matrices are the transposed ones."""
        bound = np.abs(cotangent)
        moved = [bound] * len(self.sizes)
        for dim, matrix in enumerate(self.matrices, 2):
            bound = along(bound, np.abs(matrix).T, dim)
            touched = _touched(matrix).T
            moved = [
                along(each, touched if index == dim - 2 else np.abs(matrix).T, dim) for index, each in enumerate(moved)
            ]
        return bound, self._terms(0, bound.shape), STEEPEST * sum(size * each for size, each in zip(self.sizes, moved))

    def _steep(self) -> float:
        """The steepest slope of one dimension, with the magnitudes of the coefficients along the others."""
        return STEEPEST * float(np.prod([np.abs(matrix).sum(1).max() for matrix in self.matrices]))

    def _terms(self, axis: int, shape: tuple[int, ...]) -> Any:
        """The products that are added up along `axis` of the matrices, and the roundings of the coefficients."""
        total = np.ones(shape)
        for dim, matrix in enumerate(self.matrices, 2):
            count = np.maximum(np.count_nonzero(matrix, axis=axis), 1)
            total = total * count.reshape([-1 if each == dim else 1 for each in range(len(shape))])
        return total + sum(OWN + int(np.count_nonzero(matrix, axis=1).max()) for matrix in self.matrices)


def _matrix(operator: Callable[[Any], Any], sizes: tuple[int, ...], dim: int) -> Any:
    """Resample each unit vector along `dim`, constant along the other dimensions, whose rows add up to one."""
    count = sizes[dim]
    unit = np.eye(count).reshape([count, 1] + [count if axis == dim else 1 for axis in range(len(sizes))])
    found = operator(np.ascontiguousarray(np.broadcast_to(unit, (count, 1, *sizes))))
    first = tuple(slice(None) if axis == dim else 0 for axis in range(len(sizes)))
    matrix = found[(slice(None), 0, *first)].T
    return np.where(np.abs(matrix) < VANISHING, 0.0, matrix)


def along(array: Any, matrix: Any, dim: int) -> Any:
    """The array with this matrix applied to one of its dimensions."""
    return np.moveaxis(np.tensordot(array, matrix, axes=(dim, 1)), -1, dim)


def _windows(matrix: Any) -> list[slice]:
    """The inputs of each output and one more on either side, where the coordinate may come to lie."""
    return [slice(max(0, int(used[0]) - 1), int(used[-1]) + 2) for used in map(np.flatnonzero, matrix)]


def _touched(matrix: Any) -> Any:
    """One where the coefficient may change with the coordinate."""
    touched = np.zeros(matrix.shape)
    for row, window in zip(touched, _windows(matrix)):
        row[window] = 1.0
    return touched


def _slice(array: Any, dim: int, window: slice) -> Any:
    return array[(slice(None),) * dim + (window,)]
