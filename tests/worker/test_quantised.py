"""What the suite of quantised operators calls, and the exact arithmetic that it is judged by."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
import torch

from tests.execution.stand import module

pytestmark = pytest.mark.filterwarnings("ignore:torch.quantize_per_tensor:UserWarning")  # 2.15 calls them deprecated
QUANTISED, ARITHMETIC = module("callables.quantised"), module("callables.integer_arithmetic")
RULE: Any = {"zero_point": 128, "shift": 7, "result_zero_point": 64}
PLAIN: Any = {"stride": (1, 1), "padding": (0, 0), "dilation": (1, 1)}


def _integers(shape: tuple[int, ...], low: int, high: int, dtype: torch.dtype) -> torch.Tensor:
    return torch.randint(low, high + 1, shape, generator=torch.Generator().manual_seed(1)).to(dtype)


@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize("per_channel", [False, True])
def test_the_exact_convolution_is_that_of_whole_numbers(per_channel: bool, relu: bool) -> None:
    """Python's integers and fractions give the same: summed, scaled by channel, rounded half to even, clamped."""
    image = _integers((1, 3, 2, 2), 0, 255, torch.uint8)
    weight = _integers((4, 3, 1, 1), -128, 127, torch.int8)
    bias = _integers((4,), -4096, 4096, torch.int32)
    result = ARITHMETIC.exact_convolution(image, weight, bias, per_channel=per_channel, relu=relu, **RULE, **PLAIN)
    for channel, row, column in torch.ones(4, 2, 2).nonzero().tolist():
        products = [(int(image[0, index, row, column]) - 128) * int(weight[channel, index, 0, 0]) for index in range(3)]
        unit = 2 ** (7 + (channel % 3 if per_channel else 0))
        due = round(Fraction(sum(products) + int(bias[channel]), unit)) + 64
        assert int(result[0, channel, row, column]) == min(max(due, 64 if relu else 0), 255)


@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize("engine", ["onednn", "fbgemm"])
def test_weights_of_seven_bits_are_convolved_exactly(engine: str, channels_last: bool) -> None:
    """Where nothing saturates the kernels of an engine give what exact arithmetic gives, in both formats."""
    if engine not in torch.backends.quantized.supported_engines:
        pytest.skip(f"this build has no {engine}")
    image = _integers((2, 5, 4, 3), 0, 255, torch.uint8)
    image = image.contiguous(memory_format=torch.channels_last) if channels_last else image
    weight, bias = _integers((4, 5, 3, 2), -64, 63, torch.int8), _integers((4,), -4096, 4096, torch.int32)
    options = {"engine": engine, "per_channel": True, "relu": False, **RULE, **PLAIN}
    result = QUANTISED.convolution(image, weight, bias, **options)
    assert torch.equal(result, ARITHMETIC.exact_convolution(image, weight, bias, **options))


def test_a_quantised_tensor_has_the_strides_of_its_integers() -> None:
    """What a kernel is given lies in memory as the case drew it, with gaps, and holds the same integers."""
    whole = _integers((2, 6, 5, 4), 0, 255, torch.uint8).contiguous(memory_format=torch.channels_last)
    integers = whole[:, 1:4, ::2]
    result = QUANTISED.quantise(integers, 0.5, 2)
    assert result.stride() == integers.stride()
    assert torch.equal(result.int_repr(), integers)
    assert QUANTISED.quantise(whole[:0], 0.5, 2).shape == (0, 6, 5, 4)


def test_the_engine_is_put_back() -> None:
    """A call that raises leaves the engine as it was."""
    usual = torch.backends.quantized.engine
    with pytest.raises(ValueError, match="spoilt"), QUANTISED.quantised_engine("onednn"):
        raise ValueError("spoilt")
    assert torch.backends.quantized.engine == usual
