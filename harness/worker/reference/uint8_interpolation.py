"""Interpolation of bytes: two passes in fixed point, and how far their roundings take the result.

ATen resamples a uint8 image along its width and then along its height, each where the size changes, and stores bytes in
between (aten/src/ATen/native/cpu/UpSampleKernel.cpp, "Weights computation for uint8_t and multiplication trick", and
UpSampleKernelAVXAntialias.h for up to four channels; after Pillow). The weights of a dimension are computed in double
and become int16 with as many fraction bits as leave the largest of them below 2^15. A pass adds up in int32, which is
exact, rounds to the nearest integer, and clamps to 0..255. So it adds an error of

    1/2 + 255 2^-(bits + 1) for each weight of the row

to what the pass before it was off by, which it multiplies by the magnitudes of its weights. Clamping moves no two
numbers further apart, but cubic weights do overshoot after the first pass: the result in real numbers is clamped twice
as well.
"""

from __future__ import annotations

import numpy as np

from ..tensors import Array
from . import interpolation

LARGEST = 255.0
MOST_BITS = 22


def two_passes(matrices: list[Array], image: Array) -> tuple[Array, Array]:
    """The result in real numbers, and how far bytes may be off.

    `image` has the shape (N, C, ...), `matrices` one matrix (outputs by inputs) for each spatial dimension.
    """
    value: Array = np.asarray(image, dtype=np.float64)
    off: Array = np.zeros(image.shape)
    for dim in range(image.ndim - 1, 1, -1):
        matrix = matrices[dim - 2]
        if matrix.shape[0] == matrix.shape[1]:
            continue  # the same size: nothing is computed
        shape = [-1 if each == dim else 1 for each in range(image.ndim)]
        value = np.clip(interpolation.along(value, matrix, dim), 0.0, LARGEST)
        off = interpolation.along(off, np.abs(matrix), dim) + pass_error(matrix).reshape(shape)
    return value, off


def pass_error(matrix: Array) -> Array:
    """What one pass adds for each of its outputs."""
    step = LARGEST * 2.0 ** -(fraction_bits(float(matrix.max())) + 1)
    weights: Array = np.count_nonzero(matrix, axis=1)
    total: Array = 0.5 + step * weights
    return total


def fraction_bits(largest: float) -> int:
    """The fraction bits of int16 weights of which this is the largest.

    Where weights of pixels beyond the border are added to it, the kernel looks at partial sums as well; those exceed
    the largest weight only between powers of two, and change nothing.
    """
    bits = 0
    while bits < MOST_BITS and int(0.5 + largest * 2.0 ** (bits + 1)) < 2**15:
        bits += 1
    return bits
