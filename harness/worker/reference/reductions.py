"""Softmax, variance and norms in elementary operations, with the signatures of ATen's operators."""

from __future__ import annotations

import math
from typing import Sequence

import torch
from torch import Tensor


def softmax(input: Tensor, dim: int, half_to_float: bool) -> Tensor:
    """Return exp(x - max) over its sum."""
    powers = (input - input.amax(dim, keepdim=True)).exp()
    return powers / powers.sum(dim, keepdim=True)


def softmax_backward(grad_output: Tensor, output: Tensor, dim: int, input_dtype: torch.dtype) -> Tensor:
    """From the saved output alone."""
    product = grad_output * output
    return product - output * product.sum(dim, keepdim=True)


def log_softmax(input: Tensor, dim: int, half_to_float: bool) -> Tensor:
    """Return x - max - log(sum(exp(x - max)))."""
    shifted = input - input.amax(dim, keepdim=True)
    return shifted - shifted.exp().sum(dim, keepdim=True).log()


def log_softmax_backward(grad_output: Tensor, output: Tensor, dim: int, input_dtype: torch.dtype) -> Tensor:
    """From the saved output alone."""
    return grad_output - output.exp() * grad_output.sum(dim, keepdim=True)


def logsumexp(input: Tensor, dim: Sequence[int], keepdim: bool = False) -> Tensor:
    """Return max + log(sum(exp(x - max)))."""
    largest = input.amax(dim, keepdim=True)
    largest = torch.where(torch.isinf(largest), torch.zeros_like(largest), largest)
    total = (input - largest).exp().sum(dim, keepdim=keepdim).log()
    return total + largest.reshape(total.shape)


def var(
    input: Tensor, dim: Sequence[int] | None = None, correction: float | None = None, keepdim: bool = False
) -> Tensor:
    """In two passes."""
    dims = list(dim) if dim else list(range(input.dim()))
    mean = input.mean(dims, keepdim=True)
    count = math.prod(input.shape[each] for each in dims)
    total = (input - mean).square().sum(dims, keepdim=keepdim)
    spare = count - (1 if correction is None else correction)
    return total / (spare if spare > 0 else total.new_zeros(()))


def std(
    input: Tensor, dim: Sequence[int] | None = None, correction: float | None = None, keepdim: bool = False
) -> Tensor:
    """The square root of the variance."""
    return var(input, dim, correction, keepdim).sqrt()


def linalg_vector_norm(
    input: Tensor,
    ord: float = 2,
    dim: Sequence[int] | None = None,
    keepdim: bool = False,
    dtype: torch.dtype | None = None,
) -> Tensor:
    """The p-th root of the sum of p-th powers; the largest or the smallest magnitude for an infinite p."""
    dims = list(dim) if dim is not None else list(range(input.dim()))
    if math.isinf(ord):
        return (input.abs().amax if ord > 0 else input.abs().amin)(dims, keepdim=keepdim)
    if ord == 0:
        return (input != 0).to(input.dtype).sum(dims, keepdim=keepdim)
    powers = input.square() if ord == 2 else input.abs().pow(ord)
    total = powers.sum(dims, keepdim=keepdim)
    return total.sqrt() if ord == 2 else total.pow(1.0 / ord)
