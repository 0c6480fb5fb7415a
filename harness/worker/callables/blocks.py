"""Small models of one idea each, at any depth and width: what large ones are made of."""

from __future__ import annotations

from typing import List

import torch
from torch import nn
from torch.nn import functional


def conv_bn_relu(channels: int, width: int, depth: int, kernel: int = 3, stride: int = 1) -> nn.Module:
    """`depth` times convolution, batch norm, ReLU; the first is strided."""
    layers: List[nn.Module] = []
    for index in range(depth):
        step = stride if index == 0 else 1
        source = channels if index == 0 else width
        layers += [nn.Conv2d(source, width, kernel, step, kernel // 2, bias=False), nn.BatchNorm2d(width)]
        layers += [nn.ReLU(inplace=index % 2 == 1)]
    return nn.Sequential(*layers)


def channel_ramp(channels: int, width: int, depth: int) -> nn.Module:
    """`depth` times convolution, batch norm, ReLU, each one channel wider than the one before: every number of them."""
    layers: List[nn.Module] = []
    for index in range(depth):
        wide = width + index
        source = wide - 1 if index else channels
        layers += [nn.Conv2d(source, wide, 3, padding=1, bias=False), nn.BatchNorm2d(wide), nn.ReLU()]
    return nn.Sequential(*layers)


class Residual(nn.Module):  # type: ignore[misc] # mypy does not follow torch here
    """ReLU(x + f(x)), where f is two convolutions with batch norm (He et al. 2016, arXiv:1512.03385)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU())
        self.second = nn.Sequential(nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Images to images."""
        return functional.relu(self.second(self.first(x)) + x)


def residual(channels: int, width: int, depth: int) -> nn.Module:
    """A 1x1 convolution to `width` channels, then `depth` residual blocks."""
    return nn.Sequential(nn.Conv2d(channels, width, 1), *[Residual(width) for _ in range(depth)])


class SqueezeExcite(nn.Module):  # type: ignore[misc] # mypy does not follow torch here
    """Channels weighted by what the whole image says of them (Hu et al. 2018, arXiv:1709.01507)."""

    def __init__(self, width: int, squeeze: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(width, width, 3, padding=1)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.down = nn.Conv2d(width, squeeze, 1)
        self.up = nn.Conv2d(squeeze, width, 1)
        self.act = nn.SiLU()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Images to images."""
        y = self.conv(x)
        return y * torch.sigmoid(self.up(self.act(self.down(self.pool(y)))))


def squeeze_excite(channels: int, width: int, depth: int, ratio: int = 4) -> nn.Module:
    """A 1x1 convolution, then `depth` convolutions with squeeze and excitation."""
    blocks = [SqueezeExcite(width, max(width // ratio, 1)) for _ in range(depth)]
    return nn.Sequential(nn.Conv2d(channels, width, 1), *blocks)


def depthwise_separable(channels: int, width: int, depth: int, kernel: int = 3, stride: int = 1) -> nn.Module:
    """`depth` times a depthwise and a pointwise convolution (Howard et al. 2017, arXiv:1704.04861)."""
    layers: List[nn.Module] = [nn.Conv2d(channels, width, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU6()]
    for index in range(depth):
        step = stride if index == 0 else 1
        layers += [nn.Conv2d(width, width, kernel, step, kernel // 2, groups=width, bias=False)]
        layers += [nn.BatchNorm2d(width), nn.ReLU6(inplace=True)]
        layers += [nn.Conv2d(width, width, 1, bias=False), nn.BatchNorm2d(width), nn.Hardswish()]
    return nn.Sequential(*layers)


class UNet(nn.Module):  # type: ignore[misc] # mypy does not follow torch here
    """Down by max pooling, up by interpolation, joined by `cat` (Ronneberger et al. 2015, arXiv:1505.04597)."""

    def __init__(self, channels: int, width: int, depth: int) -> None:
        super().__init__()
        self.entry = nn.Conv2d(channels, width, 3, padding=1)
        self.down = nn.ModuleList([nn.Conv2d(width << i, width << i + 1, 3, padding=1) for i in range(depth)])
        self.up = nn.ModuleList([nn.Conv2d(3 * width << i, width << i, 3, padding=1) for i in range(depth)])
        self.pool = nn.MaxPool2d(2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Images to images of the same size, which must be at least 2 ** depth."""
        x = functional.relu(self.entry(x))
        skips = []
        for layer in self.down:
            skips.append(x)
            x = functional.relu(layer(self.pool(x)))
        for layer, skip in zip(reversed(self.up), reversed(skips)):
            x = functional.interpolate(x, size=skip.shape[2:], mode="bilinear", align_corners=False)
            x = functional.relu(layer(torch.cat([skip, x], 1)))
        return x


def unet(channels: int, width: int, depth: int) -> nn.Module:
    """A U-Net with `depth` skips."""
    return UNet(channels, width, depth)


class Pyramid(nn.Module):  # type: ignore[misc] # mypy does not follow torch here
    """Dilated convolutions and the mean, side by side: ASPP (Chen et al. 2017, arXiv:1706.05587)."""

    def __init__(self, channels: int, width: int, depth: int) -> None:
        super().__init__()
        rates = [1, 2, 3, 5, 7][:depth]
        self.branches = nn.ModuleList(
            [
                nn.Sequential(
                    nn.Conv2d(channels, width, 3, padding=rate, dilation=rate, bias=False),
                    nn.BatchNorm2d(width),
                    nn.ReLU(),
                )
                for rate in rates
            ]
        )
        self.pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(channels, width, 1), nn.ReLU())
        self.project = nn.Conv2d((len(rates) + 1) * width, width, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Images to images of the same size."""
        parts = [branch(x) for branch in self.branches]
        mean = functional.interpolate(self.pool(x), size=x.shape[2:], mode="bilinear", align_corners=False)
        return self.project(torch.cat([*parts, mean], 1))


def aspp(channels: int, width: int, depth: int) -> nn.Module:
    """`depth` (at most 5) dilated branches and the pooled one, joined by a 1x1 convolution."""
    return Pyramid(channels, width, depth)


class Clips(nn.Module):  # type: ignore[misc] # mypy does not follow torch here
    """A clip through a convolution over time and space, its maximum over time, and then as one image."""

    def __init__(self, channels: int, width: int, depth: int) -> None:
        super().__init__()
        self.stem = nn.Conv3d(channels, width, 3, padding=1)
        self.layers = nn.ModuleList([nn.Conv2d(width, width, 3, padding=1) for _ in range(depth)])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Clips (N, C, T, H, W) to images."""
        x = functional.relu(self.stem(x))
        x = functional.max_pool3d(x, (x.shape[2], 1, 1)).squeeze(2)  # `amax` and avg_pool3d hand back NCHW
        for layer in self.layers:
            x = functional.relu(layer(x))
        return x


def clips(channels: int, width: int, depth: int) -> nn.Module:
    """A convolution of volumes, and `depth` of images."""
    return Clips(channels, width, depth)


def weight_norm(channels: int, width: int, depth: int) -> nn.Module:
    """`depth` convolutions whose weights are lengths and directions (Salimans and Kingma 2016, arXiv:1602.07868)."""
    layers: List[nn.Module] = []
    for index in range(depth):
        convolution = nn.Conv2d(width if index else channels, width, 3, padding=1)
        layers += [nn.utils.parametrizations.weight_norm(convolution), nn.ReLU()]
    return nn.Sequential(*layers)
