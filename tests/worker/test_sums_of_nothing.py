"""Convolutions over no channels: what the float64 reference runs where PyTorch's own gives the wrong shape."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from tests.execution.stand import module

OPTIONS: dict[str, Any] = {"stride": 2, "padding": 1, "groups": 2}


@pytest.mark.parametrize("rank", [2, 3])
def test_a_convolution_of_no_channels_is_its_bias(rank: int) -> None:
    """Its shape is that of any convolution, and the bias has the gradient that one has; the others have no element."""
    image, weight = torch.zeros(3, 0, *[6] * rank), torch.zeros(8, 0, *[3] * rank, requires_grad=True)
    bias = torch.arange(8.0, requires_grad=True)
    convolve = getattr(module("callables.sums_of_nothing"), f"conv{rank}d")
    output = convolve(image, weight, bias, **OPTIONS)
    assert output.shape == (3, 8, *[3] * rank)
    assert torch.equal(output, bias.detach().reshape(8, *[1] * rank).expand_as(output))
    output.sum().backward()
    assert bias.grad is not None
    assert torch.equal(bias.grad, torch.full((8,), 3.0 * 3**rank))


@pytest.mark.parametrize("rank", [2, 3])
def test_of_some_channels_it_is_pytorchs(rank: int) -> None:
    """A channel of zeros in each group adds nothing."""
    generator = torch.Generator().manual_seed(1)
    image = torch.randn(2, 4, *[6] * rank, dtype=torch.float64, generator=generator)
    weight = torch.randn(6, 2, *[3] * rank, dtype=torch.float64, generator=generator)
    name = f"conv{rank}d"
    expected = getattr(torch.nn.functional, name)(image, weight, None, **OPTIONS)
    actual = getattr(module("callables.sums_of_nothing"), name)(image, weight, None, **OPTIONS)
    torch.testing.assert_close(actual, expected, rtol=1e-13, atol=1e-13)
