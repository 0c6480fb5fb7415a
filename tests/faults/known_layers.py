"""Models of which one layer is wrong in PyTorch itself, for `--eq-preload`; golden/issues/ knows its operator."""

from __future__ import annotations

import torch
from torch import nn


class OneColumn(nn.Module):
    """Antialiased interpolation to one column."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) to (N, C, 3, 1)."""
        return nn.functional.interpolate(x, size=(3, 1), mode="bilinear", antialias=True)


def one_column() -> nn.Module:
    """The fourth of five layers is wrong in its values, for contiguous images."""
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 3), OneColumn(), nn.Conv2d(4, 2, 1))


def logistic() -> nn.Module:
    """The second of three layers gives NCHW for NHWC, and nothing is wrong in its values."""
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.LogSigmoid(), nn.Conv2d(4, 2, 3))


def both() -> nn.Module:
    """The same, and another layer that loses the format in a forward of its own, which no entry knows."""
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.LogSigmoid(), nn.Conv2d(4, 4, 3), Lost(), nn.Conv2d(4, 2, 1))


class Lost(nn.Module):
    """Gives a contiguous copy."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The same images."""
        return x.contiguous()


class Chooser(nn.Module):
    """The three largest numbers of its maps, and where they are. Its second convolution is one of `wrong_layers.py`."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 16, 3, padding=1)
        self.second = nn.Conv2d(16, 17, 3, padding=1)

    def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        """(N, C, H, W) to two tensors (N, 3)."""
        best = self.second(torch.relu(self.first(x))).flatten(1).topk(3)
        return {"scores": best.values, "places": best.indices}
