"""Losses in elementary operations, with the signatures of ATen's operators."""

from __future__ import annotations

import torch
from torch import Tensor


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


def _reduce(loss: Tensor, reduction: int) -> Tensor:
    return loss.mean() if reduction == 1 else loss.sum() if reduction == 2 else loss
