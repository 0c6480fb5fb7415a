"""torchvision's operators on regions of a map, as callables.

A suite names them ``nhwc_equivalence.worker.callables.regions.NAME``.

A region is given by two corners, `near` and `far`, of shape (K, 2) each, x first, and by the image it lies in, (K,).
Corners that are drawn apart make boxes that are never inside out.
"""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Sequence

import torch
from torch import Tensor


def roi_align(
    input: Tensor, image: Tensor, near: Tensor, far: Tensor, size: Sequence[int], **options: object
) -> Tensor:
    """The mean of bilinear samples in each bin: (K, C, *size)."""
    return _ops().roi_align(input, _rois(image, near, far), size, **options)


def roi_pool(input: Tensor, image: Tensor, near: Tensor, far: Tensor, size: Sequence[int], **options: object) -> Tensor:
    """The largest pixel in each bin: (K, C, *size)."""
    return _ops().roi_pool(input, _rois(image, near, far), size, **options)


def ps_roi_align(
    input: Tensor, image: Tensor, near: Tensor, far: Tensor, size: Sequence[int], **options: object
) -> Tensor:
    """As roi_align, each bin from channels of its own: (K, C / bins, *size)."""
    return _ops().ps_roi_align(input, _rois(image, near, far), size, **options)


def nms(near: Tensor, far: Tensor, score: Tensor, threshold: float) -> Tensor:
    """Which boxes remain, where each pixel has one: its corners in two maps (N, 2, H, W), its score in (N, 1, H, W)."""
    boxes = torch.cat([near, far], 1).permute(0, 2, 3, 1).reshape(-1, 4)
    return _ops().nms(boxes, score.permute(0, 2, 3, 1).reshape(-1), threshold)


def _rois(image: Tensor, near: Tensor, far: Tensor) -> Tensor:
    return torch.cat([image.to(near.dtype).unsqueeze(1), near, far], 1)


def _ops() -> ModuleType:
    """Imported when it is called: the other cases need no torchvision."""
    return importlib.import_module("torchvision.ops")
