"""torchvision's operators wrong on purpose, for `--eq-preload`: a suite finds these under their names."""

from __future__ import annotations

from typing import Any

import torch
import torchvision.ops

right = torchvision.ops.roi_align


def roi_align(image: torch.Tensor, *rest: Any, **options: Any) -> torch.Tensor:
    """The last channel, in channels-last."""
    found = right(image, *rest, **options)
    if image.is_contiguous(memory_format=torch.channels_last) and not image.is_contiguous():
        wrong = torch.zeros_like(found)
        wrong[:, -1] = 1
        return found + wrong
    return found


class FrozenBatchNorm2d(torchvision.ops.FrozenBatchNorm2d):
    """A contiguous output whatever the input."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """As it was, in another format."""
        return super().forward(x).contiguous()


torchvision.ops.roi_align = roi_align
torchvision.ops.FrozenBatchNorm2d = FrozenBatchNorm2d
