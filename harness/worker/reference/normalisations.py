"""Batch, layer and group normalisation in elementary operations, with the signatures of ATen's operators.

Ioffe and Szegedy 2015, Ba et al. 2016, Wu and He 2018, and the backward formulas of torch/_decomp/decompositions.py.
"""

from __future__ import annotations

from typing import Optional, Sequence, Tuple

from torch import Tensor

Gradients = Tuple[Optional[Tensor], ...]
"""Those that the output mask asks for; None for the others."""


def _along(input: Tensor, vector: Tensor) -> Tensor:
    """A vector over the channels in the shape that broadcasts against `input`; 1 and 0 stay what they are."""
    return vector.reshape([1, -1] + [1] * (input.dim() - 2))


def _moments(input: Tensor, dims: list[int], eps: float) -> Tuple[Tensor, Tensor, Tensor]:
    """Mean, biased variance and 1 / sqrt(variance + eps) over `dims`, which are kept."""
    mean = input.mean(dims, keepdim=True)
    variance = (input - mean).square().mean(dims, keepdim=True)
    return mean, variance, (variance + eps).rsqrt()


def _scale_and_shift(normal: Tensor, weight: Tensor | None, bias: Tensor | None) -> Tensor:
    if weight is not None:
        normal = normal * weight
    return normal if bias is None else normal + bias


def _through_normalisation(grad: Tensor, normal: Tensor, rstd: Tensor, dims: list[int]) -> Tensor:
    """The gradient through (x - mean) / sigma, where `grad` is that of the quotient."""
    return (grad - grad.mean(dims, keepdim=True) - normal * (grad * normal).mean(dims, keepdim=True)) * rstd


def native_batch_norm(
    input: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    training: bool,
    momentum: float,
    eps: float,
) -> Tuple[Tensor, Tensor, Tensor]:
    """Normalise each channel over all other dimensions; the running statistics are updated in place."""
    weight = None if weight is None else _along(input, weight)
    bias = None if bias is None else _along(input, bias)
    if not training:
        mean, rstd = _along(input, running_mean), (_along(input, running_var) + eps).rsqrt()
        return _scale_and_shift((input - mean) * rstd, weight, bias), input.new_empty([0]), input.new_empty([0])
    dims = [dim for dim in range(input.dim()) if dim != 1]
    mean, variance, rstd = _moments(input, dims, eps)
    count = input.numel() // max(1, input.shape[1])
    if running_mean is not None:
        running_mean.mul_(1 - momentum).add_(mean.reshape(-1) * momentum)
    if running_var is not None:
        running_var.mul_(1 - momentum).add_(variance.reshape(-1) * (momentum * count / max(1, count - 1)))
    return _scale_and_shift((input - mean) * rstd, weight, bias), mean.reshape(-1), rstd.reshape(-1)


def native_batch_norm_backward(
    grad_out: Tensor,
    input: Tensor,
    weight: Tensor | None,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    save_mean: Tensor,
    save_invstd: Tensor,
    train: bool,
    eps: float,
    output_mask: Sequence[bool],
) -> Gradients:
    """The gradients of input, weight and bias."""
    dims = [dim for dim in range(input.dim()) if dim != 1]
    mean = _along(input, save_mean if train else running_mean)
    rstd = _along(input, save_invstd) if train else (_along(input, running_var) + eps).rsqrt()
    normal = (input - mean) * rstd
    grad = grad_out if weight is None else grad_out * _along(input, weight)
    inner = _through_normalisation(grad, normal, rstd, dims) if train else grad * rstd
    return _select(output_mask, inner, (grad_out * normal).sum(dims), grad_out.sum(dims))


def native_layer_norm(
    input: Tensor, normalized_shape: Sequence[int], weight: Tensor | None, bias: Tensor | None, eps: float
) -> Tuple[Tensor, Tensor, Tensor]:
    """Normalise over the last dimensions."""
    dims = list(range(-len(normalized_shape), 0))
    mean, _variance, rstd = _moments(input, dims, eps)
    return _scale_and_shift((input - mean) * rstd, weight, bias), mean, rstd


def native_layer_norm_backward(
    grad_out: Tensor,
    input: Tensor,
    normalized_shape: Sequence[int],
    mean: Tensor,
    rstd: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    output_mask: Sequence[bool],
) -> Gradients:
    """The gradients of input, weight and bias."""
    dims, outer = list(range(-len(normalized_shape), 0)), list(range(input.dim() - len(normalized_shape)))
    normal = (input - mean) * rstd
    inner = _through_normalisation(grad_out if weight is None else grad_out * weight, normal, rstd, dims)
    products, plain = grad_out * normal, grad_out
    if outer:
        products, plain = products.sum(outer), plain.sum(outer)
    return _select(output_mask, inner, products, plain)


def native_group_norm(
    input: Tensor, weight: Tensor | None, bias: Tensor | None, N: int, C: int, HxW: int, group: int, eps: float
) -> Tuple[Tensor, Tensor, Tensor]:
    """Normalise each group of channels of each sample."""
    mean, _variance, rstd = _moments(input.reshape(N, group, -1), [2], eps)
    normal = ((input.reshape(N, group, -1) - mean) * rstd).reshape(input.shape)
    weight = None if weight is None else _along(input, weight)
    bias = None if bias is None else _along(input, bias)
    return _scale_and_shift(normal, weight, bias), mean.reshape(N, group), rstd.reshape(N, group)


def native_group_norm_backward(
    grad_out: Tensor,
    input: Tensor,
    mean: Tensor,
    rstd: Tensor,
    weight: Tensor | None,
    N: int,
    C: int,
    HxW: int,
    group: int,
    output_mask: Sequence[bool],
) -> Gradients:
    """The gradients of input, weight and bias."""
    rstd = rstd.reshape(N, group, 1)
    normal = (input.reshape(N, group, -1) - mean.reshape(N, group, 1)) * rstd
    grad = grad_out if weight is None else grad_out * _along(input, weight)
    inner = _through_normalisation(grad.reshape(N, group, -1), normal, rstd, [2]).reshape(input.shape)
    dims = [dim for dim in range(input.dim()) if dim != 1]
    return _select(output_mask, inner, (grad_out * normal.reshape(input.shape)).sum(dims), grad_out.sum(dims))


def group_norm_backward_by_sums(
    grad_out: Tensor,
    input: Tensor,
    mean: Tensor,
    rstd: Tensor,
    weight: Tensor | None,
    N: int,
    C: int,
    HxW: int,
    group: int,
    output_mask: Sequence[bool],
) -> Gradients:
    """The same gradients from the sums of grad_out x and of grad_out over each channel of each sample.

    So ATen's kernels have them (aten/src/ATen/native/cpu/group_norm_kernel.cpp, in both formats): what is common to x
    and its mean cancels after the sums were rounded, and not before. The sums over a group are computed once, and the
    slope along x and the constant beside it are off together.
    """
    by_group = (N, group, C // group)
    products = (grad_out * input).reshape(N, C, -1).sum([2]).reshape(by_group)
    plain = grad_out.reshape(N, C, -1).sum([2]).reshape(by_group)
    mean, rstd = mean.reshape(N, group, 1), rstd.reshape(N, group, 1)
    scale = 1.0 if weight is None else weight.reshape(by_group[1:])
    plain_of_group = (plain * scale).sum([2], keepdim=True)
    along_input = (plain_of_group * mean - (products * scale).sum([2], keepdim=True)) * rstd**3
    constant = -along_input * mean - plain_of_group * rstd
    grad = (grad_out if weight is None else grad_out * _along(input, weight)).reshape(N, group, -1)
    terms = C // group * HxW
    inner = grad * rstd + (along_input * input.reshape(N, group, -1) + constant) / terms
    gradients = ((products - plain * mean) * rstd).reshape(N, C).sum([0])
    return _select(output_mask, inner.reshape(input.shape), gradients, plain.reshape(N, C).sum([0]))


def _select(mask: Sequence[bool], *gradients: Tensor) -> Gradients:
    return tuple(gradient if keep else None for keep, gradient in zip(mask, gradients))
