"""What quantised operators must return, in exact arithmetic: each with the arguments of its namesake in `quantised`.

Sums of products of integers are exact in float64, in any order; a result is rounded once, half to even, and clamped.
None of it is quantised: the kernels are those of float64.
"""

from __future__ import annotations

from typing import List, Sequence, Tuple

import torch
from torch.nn import functional

from . import compositions, quantised

LIMITS = {torch.uint8: (0, 255), torch.int8: (-128, 127), torch.int32: (-(2**31), 2**31 - 1)}
"""The least and the largest integer of a quantised tensor."""

INTEGERS = {"quint8": torch.uint8, "qint8": torch.int8, "qint32": torch.int32}
"""The dtypes of quantised tensors, and those of their integers."""


def requantise(numbers: torch.Tensor, zero_point: int, dtype: torch.dtype, relu: bool = False) -> torch.Tensor:
    """These numbers, in units of the result's scale, rounded half to even, moved to the zero point and clamped."""
    low, high = LIMITS[dtype]
    return (numbers.round() + zero_point).clamp(max(low, zero_point) if relu else low, high).to(dtype)


def exact_convolution(
    image: torch.Tensor,
    weight: torch.Tensor,
    bias: torch.Tensor | None,
    *,
    engine: str = "",
    per_channel: bool,
    relu: bool,
    zero_point: int,
    shift: int,
    result_zero_point: int,
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    groups: int = 1,
) -> torch.Tensor:
    """The convolution of the integers, its sums brought to the result's scale."""
    convolve = getattr(functional, f"conv{image.dim() - 2}d")
    centred = image.double() - zero_point
    sums = convolve(centred, weight.double(), _in_float64(bias), tuple(stride), tuple(padding), tuple(dilation), groups)
    return requantise(_in_result_units(sums, per_channel, shift), result_zero_point, image.dtype, relu)


def exact_transposed_convolution(
    image: torch.Tensor,
    weight: torch.Tensor,
    bias: torch.Tensor | None,
    *,
    engine: str,
    zero_point: int,
    shift: int,
    result_zero_point: int,
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    output_padding: Sequence[int],
    groups: int = 1,
) -> torch.Tensor:
    """The transposed convolution of the integers, its sums brought to the result's scale."""
    convolve = getattr(functional, f"conv_transpose{image.dim() - 2}d")
    sums = convolve(
        image.double() - zero_point,
        weight.double(),
        _in_float64(bias),
        tuple(stride),
        tuple(padding),
        tuple(output_padding),
        groups,
        tuple(dilation),
    )
    return requantise(_in_result_units(sums, per_channel=False, shift=shift), result_zero_point, image.dtype)


def exact_linear_layer(
    image: torch.Tensor,
    weight: torch.Tensor,
    bias: torch.Tensor | None,
    *,
    engine: str = "",
    per_channel: bool,
    relu: bool,
    zero_point: int,
    shift: int,
    result_zero_point: int,
) -> torch.Tensor:
    """The product of the integers, its sums brought to the result's scale."""
    sums = compositions.linear(image.double() - zero_point, weight.double(), _in_float64(bias))
    return requantise(_in_result_units(sums, per_channel, shift), result_zero_point, image.dtype, relu)


def exact_combination(
    first: torch.Tensor,
    second: torch.Tensor,
    *,
    operator: str,
    zero_points: Tuple[int, int],
    shift: int,
    result_zero_point: int,
) -> torch.Tensor:
    """The sum or the product of what the integers stand for, in units of the result's scale."""
    left, right = _centred_pair(first, second, zero_points)
    total = left + right if operator.startswith("add") else left * right * quantised.INPUT_SCALE
    return requantise(total / 2.0**shift, result_zero_point, first.dtype, operator.endswith("relu"))


def exact_concatenation(
    first: torch.Tensor,
    second: torch.Tensor,
    *,
    operator: str,
    zero_points: Tuple[int, int],
    shift: int,
    result_zero_point: int,
) -> torch.Tensor:
    """Both one after the other, each brought to the result's scale."""
    joined = torch.cat(_centred_pair(first, second, zero_points), 1)
    return requantise(joined / 2.0**shift, result_zero_point, first.dtype, operator.endswith("relu"))


def exact_normalisation(
    image: torch.Tensor,
    weight: torch.Tensor | None,
    bias: torch.Tensor | None,
    mean: torch.Tensor,
    *,
    relu: bool,
    variance: float,
    zero_point: int,
    shift: int,
    result_zero_point: int,
) -> torch.Tensor:
    """The normalised numbers, in units of the result's scale."""
    shape = [1, -1] + [1] * (image.dim() - 2)
    factor = torch.ones_like(mean, dtype=torch.float64) if weight is None else weight.double()
    offset = torch.zeros_like(mean, dtype=torch.float64) if bias is None else bias.double()
    real = (image.double() - zero_point) * quantised.INPUT_SCALE
    normal = (real - mean.double().view(shape)) * factor.view(shape) / variance**0.5 + offset.view(shape)
    return requantise(normal / quantised.INPUT_SCALE / 2.0**shift, result_zero_point, image.dtype, relu)


def exact_movement(image: torch.Tensor, *, function: str, zero_point: int, **options: object) -> torch.Tensor:
    """The same function of the numbers that the integers stand for, rounded."""
    real = (image.double() - zero_point) * quantised.INPUT_SCALE
    result = quantised.named_function(function)(real, **options)
    return requantise(result / quantised.INPUT_SCALE, zero_point, image.dtype)


def exact_conversion(
    steps: torch.Tensor, *, to: str, scale: float, zero_point: int
) -> Tuple[torch.Tensor, torch.Tensor]:
    """The integers that stand for these numbers, and what they stand for in units of the scale."""
    shifted = quantised.shifted_zero_point(to, zero_point)
    integers = requantise(steps.double() / quantised.STEPS, shifted, INTEGERS[to])
    return integers, (integers.double() - shifted).to(torch.int32)


def exact_conversion_per_channel(
    steps: torch.Tensor, *, to: str, axis: int, zero_point: int
) -> Tuple[torch.Tensor, torch.Tensor]:
    """The same with a scale for each slice along `axis`, and in units of the least scale."""
    shape = [-1 if dim == axis else 1 for dim in range(steps.dim())]
    scales = quantised.weight_scales(steps.shape[axis], per_channel=True).view(shape)
    shifted = quantised.shifted_zero_point(to, zero_point)
    units = steps.double() * (quantised.WEIGHT_SCALE / quantised.STEPS) / scales
    integers = requantise(units, shifted, INTEGERS[to])
    return integers, ((integers.double() - shifted) * scales / quantised.LEAST_SCALE).to(torch.int32)


def _in_float64(bias: torch.Tensor | None) -> torch.Tensor | None:
    return None if bias is None else bias.double()


def _centred_pair(first: torch.Tensor, second: torch.Tensor, zero_points: Tuple[int, int]) -> List[torch.Tensor]:
    """What the integers of both stand for, in units of the first's scale, which is twice that of the second."""
    return [first.double() - zero_points[0], (second.double() - zero_points[1]) / 2]


def _in_result_units(sums: torch.Tensor, per_channel: bool, shift: int) -> torch.Tensor:
    """Sums of products of integers, over the channels of dimension 1, in units of the result's scale."""
    scales = quantised.weight_scales(sums.shape[1], per_channel) / quantised.WEIGHT_SCALE
    return sums * scales.view(1, -1, *[1] * (sums.dim() - 2)) / 2.0**shift


def int8_product(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """The product of two matrices of integers."""
    return (first.double() @ second.double()).to(torch.int32)
