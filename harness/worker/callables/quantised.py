"""Quantised operators, on the integers of quantised tensors: integers in, and the integers of what comes out.

A suite names them ``nhwc_equivalence.worker.callables.quantised.NAME``; what is due is computed by the function of
`integer_arithmetic` with the same arguments. Scales are powers of two, and zero points even, so that what is due does
not depend on whether a kernel rounds before or after it adds the zero point.
"""

from __future__ import annotations

import contextlib
from typing import Callable, Iterator, List, Sequence, Tuple

import torch
from torch.nn import functional

INPUT_SCALE = 2.0**-4
WEIGHT_SCALE = 2.0**-6

SCALES_PER_CHANNEL = 3
"""Output channel c of a weight that is quantised per channel has the scale `WEIGHT_SCALE` / 2^(c % 3)."""


@contextlib.contextmanager
def quantised_engine(name: str) -> Iterator[None]:
    """Let torch's quantised kernels be those of this engine; as before when it ends. Raises where there is none."""
    usual = torch.backends.quantized.engine
    torch.backends.quantized.engine = name
    try:
        yield
    finally:
        torch.backends.quantized.engine = usual


def quantise(integers: torch.Tensor, scale: float, zero_point: int) -> torch.Tensor:
    """The quantised tensor of these integers, in their very strides."""
    if not integers.numel():
        return torch._make_per_tensor_quantized_tensor(integers, scale, zero_point)
    span = 1 + sum((size - 1) * stride for size, stride in zip(integers.shape, integers.stride()))
    memory = torch._make_per_tensor_quantized_tensor(integers.as_strided((span,), (1,)), scale, zero_point)
    return memory.as_strided(tuple(integers.shape), integers.stride())


def weight_scales(channels: int, per_channel: bool) -> torch.Tensor:
    """The scale of each output channel, in float64."""
    steps = torch.arange(channels) % SCALES_PER_CHANNEL if per_channel else torch.zeros(channels)
    return WEIGHT_SCALE * 2.0 ** -steps.double()


def quantised_weight(integers: torch.Tensor, per_channel: bool, axis: int = 0) -> torch.Tensor:
    """A weight of zero point 0, its scale one for all or one for each slice along `axis`."""
    if not per_channel:
        return quantise(integers, WEIGHT_SCALE, 0)
    scales = weight_scales(integers.shape[axis], per_channel=True)
    return torch._make_per_channel_quantized_tensor(
        integers.contiguous(), scales, torch.zeros(len(scales), dtype=torch.int64), axis
    )


def real_bias(integers: torch.Tensor | None, per_channel: bool) -> torch.Tensor | None:
    """The bias that adds these integers to the sums of products of integers."""
    if integers is None:
        return None
    return (integers.double() * INPUT_SCALE * weight_scales(len(integers), per_channel)).float()


def convolution(
    image: torch.Tensor,
    weight: torch.Tensor,
    bias: torch.Tensor | None,
    *,
    engine: str,
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
    """``torch.ops.quantized.conv2d`` or ``conv3d``, and relu; a unit of the result is 2^`shift` units of the sums."""
    rank = image.dim() - 2
    geometry = [list(stride), list(padding), list(dilation), groups]
    with quantised_engine(engine):
        packed = _operator(f"conv{rank}d_prepack")(
            quantised_weight(weight, per_channel), real_bias(bias, per_channel), *geometry
        )
        call = _operator(f"conv{rank}d_relu" if relu else f"conv{rank}d")
        result = call(quantise(image, INPUT_SCALE, zero_point), packed, _sum_scale(shift), result_zero_point)
    return result.int_repr()


def transposed_convolution(
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
    """``torch.ops.quantized.conv_transpose2d`` or ``conv_transpose3d``, with one scale for the whole weight."""
    rank = image.dim() - 2
    geometry = [list(stride), list(padding), list(output_padding), list(dilation), groups]
    with quantised_engine(engine):
        packed = _operator(f"conv_transpose{rank}d_prepack")(
            quantised_weight(weight, per_channel=False), real_bias(bias, per_channel=False), *geometry
        )
        call = _operator(f"conv_transpose{rank}d")
        result = call(quantise(image, INPUT_SCALE, zero_point), packed, _sum_scale(shift), result_zero_point)
    return result.int_repr()


def linear_layer(
    image: torch.Tensor,
    weight: torch.Tensor,
    bias: torch.Tensor | None,
    *,
    engine: str,
    per_channel: bool,
    relu: bool,
    zero_point: int,
    shift: int,
    result_zero_point: int,
) -> torch.Tensor:
    """``torch.ops.quantized.linear`` over the channels of (N, C, H, W), moved last and back; `weight` is (K, C)."""
    with quantised_engine(engine):
        packed = _operator("linear_prepack")(quantised_weight(weight, per_channel), real_bias(bias, per_channel))
        call = _operator("linear_relu" if relu else "linear")
        rows = quantise(image.movedim(1, -1), INPUT_SCALE, zero_point)
        result = call(rows, packed, _sum_scale(shift), result_zero_point)
    return result.int_repr().movedim(-1, 1)


def pointwise_convolution(
    image: torch.Tensor,
    weight: torch.Tensor,
    bias: torch.Tensor | None,
    *,
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
    """``torch.ops.onednn.qconv2d_pointwise``, which compiled models call: plain tensors of integers, and no engine."""
    scales = weight_scales(len(weight) if per_channel else 1, per_channel)
    geometry = [list(stride), list(padding), list(dilation), groups]
    operators = torch.ops.onednn
    packed = operators.qconv_prepack(weight, scales.float(), INPUT_SCALE, zero_point, *geometry, list(image.shape))
    return operators.qconv2d_pointwise(
        image,
        INPUT_SCALE,
        zero_point,
        packed,
        scales.float(),
        torch.zeros(len(scales), dtype=torch.int64),
        real_bias(bias, per_channel),
        *geometry,
        *_pointwise_result(image, relu, shift, result_zero_point),
    )


def pointwise_linear(
    image: torch.Tensor,
    weight: torch.Tensor,
    bias: torch.Tensor | None,
    *,
    per_channel: bool,
    relu: bool,
    zero_point: int,
    shift: int,
    result_zero_point: int,
) -> torch.Tensor:
    """``torch.ops.onednn.qlinear_pointwise`` over the channels of (N, C, H, W), moved last and back."""
    scales = weight_scales(len(weight) if per_channel else 1, per_channel)
    rows = image.movedim(1, -1)
    result = torch.ops.onednn.qlinear_pointwise(
        rows,
        INPUT_SCALE,
        zero_point,
        torch.ops.onednn.qlinear_prepack(weight, list(rows.shape)),
        scales.float(),
        torch.zeros(len(scales), dtype=torch.int64),
        real_bias(bias, per_channel),
        *_pointwise_result(image, relu, shift, result_zero_point),
    )
    return result.movedim(-1, 1)


def combination(
    first: torch.Tensor,
    second: torch.Tensor,
    *,
    operator: str,
    zero_points: Tuple[int, int],
    shift: int,
    result_zero_point: int,
) -> torch.Tensor:
    """``torch.ops.quantized.add``, ``mul`` and the same with relu, of two tensors of different scales."""
    scale = INPUT_SCALE * 2.0**shift
    result = _operator(operator)(*_quantised_pair(first, second, zero_points), scale, result_zero_point)
    return result.int_repr()


def concatenation(
    first: torch.Tensor,
    second: torch.Tensor,
    *,
    operator: str,
    zero_points: Tuple[int, int],
    shift: int,
    result_zero_point: int,
) -> torch.Tensor:
    """``torch.ops.quantized.cat`` or ``cat_relu`` along the channels, of two tensors of different scales."""
    scale = INPUT_SCALE * 2.0**shift
    result = _operator(operator)(_quantised_pair(first, second, zero_points), 1, scale, result_zero_point)
    return result.int_repr()


def normalisation(
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
    """``torch.ops.quantized.batch_norm2d`` or ``batch_norm3d``, and relu; one variance, a power of four, and no eps."""
    call = _operator(f"batch_norm{image.dim() - 2}d" + ("_relu" if relu else ""))
    parameters = [None if each is None else each.float() for each in (weight, bias)]
    result = call(
        quantise(image, INPUT_SCALE, zero_point),
        *parameters,
        mean.float(),
        torch.full_like(mean, variance, dtype=torch.float32),
        0.0,
        INPUT_SCALE * 2.0**shift,
        result_zero_point,
    )
    return result.int_repr()


def movement(image: torch.Tensor, *, function: str, zero_point: int, **options: object) -> torch.Tensor:
    """A function of torch.nn.functional or torch that moves or selects elements, or averages them, of a quantised map.

    What it returns has the scale and the zero point of what it got.
    """
    result = named_function(function)(quantise(image, INPUT_SCALE, zero_point), **options)
    return result.int_repr()


def named_function(name: str) -> Callable[..., torch.Tensor]:
    """The function of that name in torch.nn.functional, or else in torch."""
    function: Callable[..., torch.Tensor] = getattr(functional, name, None) or getattr(torch, name)
    return function


LEAST_SCALE = WEIGHT_SCALE / 2.0 ** (SCALES_PER_CHANNEL - 1)
"""What every scale of a channel is a whole number of."""

STEPS = 16
"""A number to be quantised is this part of its whole number of steps, in units of the scale."""


def conversion(steps: torch.Tensor, *, to: str, scale: float, zero_point: int) -> Tuple[torch.Tensor, torch.Tensor]:
    """Real numbers quantised to the dtype `to`: the integers, and what they are in units of the scale.

    `zero_point` is that of bytes without a sign.
    """
    numbers = steps.float() * (scale / STEPS)
    result = torch.quantize_per_tensor(numbers, scale, shifted_zero_point(to, zero_point), getattr(torch, to))
    return result.int_repr(), (result.dequantize() / scale).to(torch.int32)


def conversion_per_channel(
    steps: torch.Tensor, *, to: str, axis: int, zero_point: int
) -> Tuple[torch.Tensor, torch.Tensor]:
    """The same with a scale for each slice along `axis`: the integers, and what they are in `LEAST_SCALE`."""
    numbers = steps.float() * (WEIGHT_SCALE / STEPS)
    scales = weight_scales(numbers.shape[axis], per_channel=True)
    zero_points = torch.full((len(scales),), shifted_zero_point(to, zero_point), dtype=torch.int64)
    result = torch.quantize_per_channel(numbers, scales, zero_points, axis, getattr(torch, to))
    return result.int_repr(), (result.dequantize() / LEAST_SCALE).to(torch.int32)


def shifted_zero_point(to: str, zero_point: int) -> int:
    """The zero point in a dtype of quantised tensors, of which that of signed bytes begins at -128."""
    return zero_point - 128 if to == "qint8" else zero_point


def _sum_scale(shift: int) -> float:
    """The scale of a result of which a unit is 2^`shift` units of the sums of products."""
    return INPUT_SCALE * WEIGHT_SCALE * 2.0**shift


def _pointwise_result(image: torch.Tensor, relu: bool, shift: int, zero_point: int) -> Tuple[object, ...]:
    """The last arguments of oneDNN's pointwise operators: how the result is quantised, and what follows the sums."""
    return _sum_scale(shift), zero_point, image.dtype, "relu" if relu else "none", [], ""


def _quantised_pair(first: torch.Tensor, second: torch.Tensor, zero_points: Tuple[int, int]) -> List[torch.Tensor]:
    """Two tensors of different scales: the second has half the scale of the first."""
    return [quantise(first, INPUT_SCALE, zero_points[0]), quantise(second, INPUT_SCALE / 2, zero_points[1])]


def _operator(name: str) -> Callable[..., torch.Tensor]:
    operator: Callable[..., torch.Tensor] = getattr(torch.ops.quantized, name)
    return operator
