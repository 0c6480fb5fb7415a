"""What models do to a map in a few calls, as one callable.

A suite names it ``nhwc_equivalence.worker.callables.compositions.NAME``.

Each goes through views of the map that no single operator is given otherwise.
"""

from __future__ import annotations

from typing import Tuple

import torch
from torch.nn import functional


def round_trip(image: torch.Tensor) -> torch.Tensor:
    """A map or volume as a dense array with its channels last, and back: the same numbers, channels-last."""
    return image.movedim(1, -1).contiguous().movedim(-1, 1)


def through_numpy(image: torch.Tensor) -> torch.Tensor:
    """The tensor as an array of NumPy, which shares its memory, and back."""
    return torch.from_numpy(image.numpy())


def through_dlpack(image: torch.Tensor) -> torch.Tensor:
    """The tensor as a capsule of DLPack, as another library takes it, and back."""
    return torch.utils.dlpack.from_dlpack(torch.utils.dlpack.to_dlpack(image))


def linear(image: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None = None) -> torch.Tensor:
    """A linear layer over the channels of (N, C, H, W), moved last and back; `weight` is (K, C), `bias` (K) or None."""
    return functional.linear(image.movedim(1, -1), weight, bias).movedim(-1, 1)


def conv1x1_and_linear(
    image: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None = None
) -> Tuple[torch.Tensor, torch.Tensor]:
    """A 1x1 convolution of (N, C, H, W), and `linear` of the same: one sum of products, with integers equal."""
    return functional.conv2d(image, weight[:, :, None, None], bias), linear(image, weight, bias)


def gate_halves(image: torch.Tensor, dim: int) -> torch.Tensor:
    """The first half along `dim` times the sigmoid of the second: glu in two operators, as its backward computes it.

    aten/src/ATen/native/GatedLinearUnit.cpp, glu_backward_cpu_out, keeps the sigmoid in the dtype of the tensor.
    """
    first, second = image.chunk(2, dim)
    return first * torch.sigmoid(second)


def image_attention(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, heads: int) -> torch.Tensor:
    """Scaled dot-product attention among the positions of three (N, C, H, W); a head has C / `heads` channels.

    The maps are flattened to sequences as in a transformer over images, and the answer is a map again.
    """

    def split(image: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) to (N, heads, H W, C / heads)."""
        return image.flatten(2).unflatten(1, (heads, -1)).transpose(-1, -2)

    attended = functional.scaled_dot_product_attention(split(query), split(key), split(value))
    return attended.transpose(-1, -2).flatten(1, 2).unflatten(2, tuple(query.shape[2:]))
