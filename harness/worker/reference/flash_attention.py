"""Flash attention in elementary operations, with the signatures of ATen's operators (Dao et al. 2022)."""

from __future__ import annotations

import math
from typing import Tuple

import torch
from torch import Tensor

from .reductions import logsumexp


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
