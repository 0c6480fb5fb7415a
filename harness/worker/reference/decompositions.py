"""ATen's fused operators by name, each written out in elementary operations with the operator's own signature.

They are for `rounding_noise`, which perturbs each operation on its own; in exact arithmetic they are the operators.
"""

from __future__ import annotations

from typing import Callable, Dict, Sequence

import torch
from torch import Tensor

from . import flash_attention, grid_sample, losses, normalisations, reductions

Decomposition = Callable[..., object]


def decomposition(name: str, func: object) -> Decomposition | None:
    """That of the operator of this name; None where there is none, or for an overload that it does not cover."""
    if getattr(func, "_overloadname", "") in ("out", "dim", "dimname", "names_dim"):
        return None
    return _TABLE.get(name)


def composition(name: str) -> Decomposition | None:
    """The same of an operator that calls others and rounds what each returns, though autograd sees it as one."""
    return _COMPOSED.get(name)


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


_TABLE: Dict[str, Decomposition] = {
    "native_batch_norm": normalisations.native_batch_norm,
    "native_batch_norm_backward": normalisations.native_batch_norm_backward,
    "native_layer_norm": normalisations.native_layer_norm,
    "native_layer_norm_backward": normalisations.native_layer_norm_backward,
    "native_group_norm": normalisations.native_group_norm,
    "native_group_norm_backward": normalisations.native_group_norm_backward,
    "_softmax": reductions.softmax,
    "_softmax_backward_data": reductions.softmax_backward,
    "_log_softmax": reductions.log_softmax,
    "_log_softmax_backward_data": reductions.log_softmax_backward,
    "logsumexp": reductions.logsumexp,
    "var": reductions.var,
    "std": reductions.std,
    "linalg_vector_norm": reductions.linalg_vector_norm,
    "soft_margin_loss": losses.soft_margin_loss,
    "smooth_l1_loss": losses.smooth_l1_loss,
    "mse_loss": losses.mse_loss,
    "huber_loss": losses.huber_loss,
    "binary_cross_entropy": losses.binary_cross_entropy,
    "grid_sampler_2d": grid_sample.grid_sample,
    "grid_sampler_2d_backward": grid_sample.grid_sample_backward,
    "grid_sampler_3d": grid_sample.grid_sample,
    "grid_sampler_3d_backward": grid_sample.grid_sample_backward,
    "_scaled_dot_product_flash_attention_for_cpu": flash_attention.attention,
    "_scaled_dot_product_flash_attention_for_cpu_backward": flash_attention.attention_backward,
}

_COMPOSED: Dict[str, Decomposition] = {
    "affine_grid_generator": affine_grid_generator,
    "binary_cross_entropy_with_logits": losses.binary_cross_entropy_with_logits,
}

DECIDING = frozenset(
    """
    grid_sampler_2d grid_sampler_2d_backward grid_sampler_3d grid_sampler_3d_backward huber_loss smooth_l1_loss
    """.split()  # noqa: SIM905 - names
)
"""Those in which numbers are compared: something else may be decided where such a number is off."""
