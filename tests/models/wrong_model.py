"""A preload file: a model of which one layer is wrong in channels-last, where the float64 reference never is."""

# mypy and ruff see no torch here.
# ruff: noqa: ANN001, ANN201

import torch
from torch import nn


class WrongLastColumn(nn.Module):
    """The identity; in channels-last the last column is one too large."""

    def forward(self, x):
        """Images to images."""
        y = x * 1
        if x.is_contiguous(memory_format=torch.channels_last) and not x.is_contiguous():
            y[..., -1] += 1
        return y


def make():
    """A convolution that is right, and the layer that is not."""
    return nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), WrongLastColumn())
