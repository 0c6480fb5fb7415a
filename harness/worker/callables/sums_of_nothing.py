"""Convolutions over no channels, for the float64 reference: each group gets one channel of zeros beside those it has.

A suite names them ``nhwc_equivalence.worker.callables.sums_of_nothing.NAME``.

A sum of nothing is 0, and so is one whose only term is 0. PyTorch's own convolution is no judge there: it returns no
channels where none come in, whatever the weight asks for (aten/src/ATen/native/Convolution.cpp, calc_output_size).
"""

from __future__ import annotations

from typing import Tuple

import torch
from torch.nn import functional

Extents = Tuple[int, ...]


def conv2d(  # noqa: PLR0913, PLR0917 - as torch.nn.functional.conv2d has them
    input: torch.Tensor,  # noqa: A002
    weight: torch.Tensor,
    bias: torch.Tensor | None = None,
    stride: Extents = (1, 1),
    padding: Extents = (0, 0),
    dilation: Extents = (1, 1),
    groups: int = 1,
) -> torch.Tensor:
    """`torch.nn.functional.conv2d`."""
    image, taps = _with_zeros(input, weight, groups)
    return functional.conv2d(image, taps, bias, stride, padding, dilation, groups)


def conv3d(  # noqa: PLR0913, PLR0917 - as torch.nn.functional.conv3d has them
    input: torch.Tensor,  # noqa: A002
    weight: torch.Tensor,
    bias: torch.Tensor | None = None,
    stride: Extents = (1, 1, 1),
    padding: Extents = (0, 0, 0),
    dilation: Extents = (1, 1, 1),
    groups: int = 1,
) -> torch.Tensor:
    """`torch.nn.functional.conv3d`."""
    volume, taps = _with_zeros(input, weight, groups)
    return functional.conv3d(volume, taps, bias, stride, padding, dilation, groups)


def _with_zeros(image: torch.Tensor, weight: torch.Tensor, groups: int) -> Tuple[torch.Tensor, torch.Tensor]:
    """Both, with one channel of zeros more in each group."""
    batch, channels, *extents = image.shape
    grouped = image.reshape(batch, groups, channels // groups, *extents)
    more = torch.cat([grouped, grouped.new_zeros(batch, groups, 1, *extents)], dim=2)
    taps = torch.cat([weight, weight.new_zeros(weight.shape[0], 1, *weight.shape[2:])], dim=1)
    return more.reshape(batch, groups * (channels // groups + 1), *extents), taps
