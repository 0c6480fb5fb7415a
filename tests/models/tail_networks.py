"""A preload file: small networks that end as classifiers do: convolution, norm, activation, pool, head."""

# mypy and ruff see no torch here.
# ruff: noqa: ANN001, ANN201

from collections import OrderedDict

import torch
from torch import nn

CLASSES = 5
GROUPS = 4


class SpatialMean(nn.Module):
    """A global average pool as it is written in a forward."""

    def forward(self, x):
        """(N, C, H, W) to (N, C, 1, 1)."""
        return x.mean((2, 3), keepdim=True)


class ChannelNorm(nn.LayerNorm):
    """Layer normalisation of the channels of each pixel, as in ConvNeXt."""

    def forward(self, x):
        """Images to images."""
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


POOLS = {
    "AdaptiveAvgPool2d(1)": lambda: nn.AdaptiveAvgPool2d(1),
    "AdaptiveAvgPool2d(2)": lambda: nn.AdaptiveAvgPool2d(2),
    "AvgPool2d": lambda: nn.AvgPool2d(2),
    "mean": SpatialMean,
    "MaxPool2d": lambda: nn.MaxPool2d(2),
    "AdaptiveMaxPool2d": lambda: nn.AdaptiveMaxPool2d(1),
}
NORMS = {
    "none": lambda _width: nn.Identity(),
    "BatchNorm2d": nn.BatchNorm2d,
    "GroupNorm": lambda width: nn.GroupNorm(GROUPS, width),
    "LayerNorm": ChannelNorm,
}


def tail(*, width, depth, norm, activation, pool, head, height, image_width):  # noqa: PLR0913 - it has many parts
    """A network on images of 3 channels; the linear head gets all that the pool leaves of them, flattened."""
    layers = OrderedDict()
    for index in range(depth):
        layers[f"conv{index}"] = nn.Conv2d(width if index else 3, width, 3, padding=1)
        layers[f"norm{index}"] = NORMS[norm](width)
        layers[f"act{index}"] = getattr(nn, activation)()
    layers["pool"] = POOLS[pool]()
    if head == "Linear":
        pooled = layers["pool"](torch.zeros(1, width, height, image_width))
        layers["flatten"] = nn.Flatten()
        layers["head"] = nn.Linear(pooled.numel(), CLASSES)
    elif head == "Conv2d":
        layers["head"] = nn.Conv2d(width, CLASSES, 1)
    return nn.Sequential(layers)
