"""What a suite's composition computes is what the operator that it stands for computes."""

from __future__ import annotations

import pytest
import torch

from tests.execution.stand import module


@pytest.mark.parametrize("dim", [-1, 0, 1, 2])
def test_gated_halves_are_glu(dim: int) -> None:
    """In float64 the two agree in values and gradients to a few roundings, along any dimension."""
    image = torch.randn(2, 4, 6, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(1), requires_grad=True)
    answers = []
    for function in (torch.nn.functional.glu, module("callables.compositions").gate_halves):
        output = function(image, dim)
        answers.append((output, torch.autograd.grad(output.square().sum(), image)[0]))
    for expected, actual in zip(*answers, strict=True):
        torch.testing.assert_close(actual, expected, rtol=1e-14, atol=1e-15)
