"""Fused operators of ATen written out in elementary operations, with the operators' own signatures.

They are for `monte_carlo`, which perturbs each operation on its own; in exact arithmetic they are the operators. Batch,
layer and group normalisation: Ioffe and Szegedy 2015, Ba et al. 2016, Wu and He 2018, and the backward formulas of
torch/_decomp/decompositions.py. Attention: Dao et al. 2022.
"""

from __future__ import annotations

import math
from typing import Callable, Optional, Sequence, Tuple

import torch
from torch import Tensor

from . import grid_sample

Decomposition = Callable[..., object]
Gradients = Tuple[Optional[Tensor], ...]
"""Those that the output mask asks for; None for the others."""


def decomposition(name: str, func: object) -> Decomposition | None:
    """The formula of the operator of that name; None where there is none, or for an overload it does not cover."""
    if getattr(func, "_overloadname", "") in ("out", "dim", "dimname", "names_dim"):
        return None
    return _TABLE.get(name)


def composition(name: str) -> Decomposition | None:
    """The same of an operator that calls others and rounds what each returns, though autograd sees it as one."""
    return _COMPOSED.get(name)


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


def attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    attn_mask: Tensor | None = None,
    scale: float | None = None,
) -> Tuple[Tensor, Tensor]:
    """The output, and the logarithm of each row's denominator, in the layout of the flash kernel."""
    scores = _scores(query, key, is_causal, attn_mask, scale)
    total = logsumexp(scores, [-1])
    return (scores - total.unsqueeze(-1)).exp() @ value, total


def attention_backward(
    grad_out: Tensor,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    out: Tensor,
    total: Tensor,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    attn_mask: Tensor | None = None,
    scale: float | None = None,
) -> Tuple[Tensor, Tensor, Tensor]:
    """The gradients of query, key and value."""
    scores = _scores(query, key, is_causal, attn_mask, scale)
    weights = (scores - total.reshape(scores.shape[:-1]).unsqueeze(-1)).exp()
    inner = (
        weights
        * (grad_out @ value.transpose(-1, -2) - (grad_out * out).sum([-1], keepdim=True))
        * _factor(query, scale)
    )
    return inner @ key, inner.transpose(-1, -2) @ query, weights.transpose(-1, -2) @ grad_out


def _factor(query: Tensor, scale: float | None) -> float:
    return scale if scale is not None else 1.0 / math.sqrt(query.shape[-1])


def _scores(query: Tensor, key: Tensor, is_causal: bool, mask: Tensor | None, scale: float | None) -> Tensor:
    scores = (query @ key.transpose(-1, -2)) * _factor(query, scale)
    if is_causal:
        kept = torch.ones(scores.shape[-2:], dtype=torch.bool).tril()
        scores = scores.masked_fill(~kept, -math.inf)
    return scores if mask is None else scores + mask


def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    pos_weight: Tensor | None = None,
    reduction: int = 1,
) -> Tensor:
    """As aten/src/ATen/native/Loss.cpp does it, operator by operator."""
    gain = 1 if pos_weight is None else (pos_weight - 1) * target + 1
    loss = (1 - target) * input - gain * torch.nn.functional.logsigmoid(input)
    return _reduce(loss if weight is None else loss * weight, reduction)


def binary_cross_entropy(input: Tensor, target: Tensor, weight: Tensor | None = None, reduction: int = 1) -> Tensor:
    """Logarithms are cut off at -100."""
    loss = (target - 1) * (-input).log1p().clamp_min(-100) - target * input.log().clamp_min(-100)
    return _reduce(loss if weight is None else loss * weight, reduction)


def mse_loss(input: Tensor, target: Tensor, reduction: int = 1) -> Tensor:
    """Squares of differences."""
    return _reduce((input - target).square(), reduction)


def smooth_l1_loss(input: Tensor, target: Tensor, reduction: int = 1, beta: float = 1.0) -> Tensor:
    """Square below `beta`, straight above (Girshick 2015)."""
    away = (input - target).abs()
    return _reduce(torch.where(away < beta, 0.5 * away * away / beta, away - 0.5 * beta), reduction)


def huber_loss(input: Tensor, target: Tensor, reduction: int = 1, delta: float = 1.0) -> Tensor:
    """`delta` times the smooth loss (Huber 1964)."""
    away = (input - target).abs()
    return _reduce(torch.where(away <= delta, 0.5 * away * away, delta * (away - 0.5 * delta)), reduction)


def soft_margin_loss(input: Tensor, target: Tensor, reduction: int = 1) -> Tensor:
    """Return log(1 + exp(-target * input))."""
    return _reduce((-target * input).exp().log1p(), reduction)


def affine_grid_generator(theta: Tensor, size: Sequence[int], align_corners: bool) -> Tensor:
    """Places from -1 to 1 in each dimension, the last one first, and 1, times the matrix of each image.

    What a place is off by is relative to 1, where it is computed from, not to itself.
    """
    lines = []
    for count in reversed(size[2:]):
        line = torch.linspace(-1, 1, count, dtype=theta.dtype) if count > 1 else theta.new_zeros(1)
        lines.append(((line if align_corners else line * ((count - 1) / count)) + 1) - 1)
    places = torch.stack([*reversed(torch.meshgrid(*reversed(lines), indexing="ij")), theta.new_ones(size[2:])], -1)
    flat = places.reshape(1, -1, len(size) - 1).expand(size[0], -1, -1)
    return torch.bmm(flat, theta.transpose(1, 2)).reshape(size[0], *size[2:], len(size) - 2)


def _reduce(loss: Tensor, reduction: int) -> Tensor:
    return loss.mean() if reduction == 1 else loss.sum() if reduction == 2 else loss


def _select(mask: Sequence[bool], *gradients: Tensor) -> Gradients:
    return tuple(gradient if keep else None for keep, gradient in zip(mask, gradients))


_TABLE: dict[str, Decomposition] = {
    "native_batch_norm": native_batch_norm,
    "native_batch_norm_backward": native_batch_norm_backward,
    "native_layer_norm": native_layer_norm,
    "native_layer_norm_backward": native_layer_norm_backward,
    "native_group_norm": native_group_norm,
    "native_group_norm_backward": native_group_norm_backward,
    "_softmax": softmax,
    "_softmax_backward_data": softmax_backward,
    "_log_softmax": log_softmax,
    "_log_softmax_backward_data": log_softmax_backward,
    "logsumexp": logsumexp,
    "var": var,
    "std": std,
    "linalg_vector_norm": linalg_vector_norm,
    "soft_margin_loss": soft_margin_loss,
    "smooth_l1_loss": smooth_l1_loss,
    "mse_loss": mse_loss,
    "huber_loss": huber_loss,
    "binary_cross_entropy": binary_cross_entropy,
    "grid_sampler_2d": grid_sample.grid_sample,
    "grid_sampler_2d_backward": grid_sample.grid_sample_backward,
    "grid_sampler_3d": grid_sample.grid_sample,
    "grid_sampler_3d_backward": grid_sample.grid_sample_backward,
    "_scaled_dot_product_flash_attention_for_cpu": attention,
    "_scaled_dot_product_flash_attention_for_cpu_backward": attention_backward,
}

_COMPOSED: dict[str, Decomposition] = {
    "affine_grid_generator": affine_grid_generator,
    "binary_cross_entropy_with_logits": binary_cross_entropy_with_logits,
}
