"""The window of the input from which each element of an output is computed, and where it reaches beyond the input."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness.core.observation import Array


@dataclass(frozen=True)
class Window:
    """A convolution's or a pool's window, each field with a number for each spatial dimension.

    `size` is the input's. What only pads an image has a `kernel` of 1 and its padding before the image.
    """

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...]
    dilation: tuple[int, ...]
    size: tuple[int, ...]

    def padding_reach(self, shape: tuple[int, ...]) -> Array | None:
        """The places of an output of that spatial shape whose window reaches beyond the input; None if it has none."""
        if len(shape) != len(self.size):
            return None
        reach = np.zeros(shape, dtype=bool)
        for axis, length in enumerate(shape):
            start = np.arange(length) * self.stride[axis] - self.padding[axis]
            end = start + self.dilation[axis] * (self.kernel[axis] - 1)
            outside = (start < 0) | (end >= self.size[axis])
            reach |= outside.reshape([length if each == axis else 1 for each in range(len(shape))])
        return reach
