"""A preload file: models of which one layer is wrong in one format, where the float64 reference never is."""

# mypy and ruff see no torch here.
# ruff: noqa: ANN001, ANN201, ANN205

import os
import signal

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


class CrashesUnconverted(nn.Module):
    """The identity; an image in float32 that is not in channels-last ends the process."""

    def forward(self, x):
        """Images to images."""
        if x.dtype == torch.float32 and x.is_contiguous():
            os.kill(os.getpid(), signal.SIGSEGV)
        return x * 1


class DiesBackward(torch.autograd.Function):
    """The identity, whose gradient ends the process."""

    @staticmethod
    def forward(context, x):
        """A copy."""
        del context
        return torch.mul(x, 1)

    @staticmethod
    def backward(context, gradient):
        """No return."""
        del context
        os.kill(os.getpid(), signal.SIGSEGV)
        return gradient


class CrashesBackward(nn.Module):
    """The identity, with a function of torch; in float32 its gradient ends the process."""

    def forward(self, x):
        """Images to images."""
        y = torch.relu(x)
        return DiesBackward.apply(y) if x.dtype == torch.float32 else y


def make_crashing_backward():
    """A convolution that is right, and the layer that ends the process in a step of training."""
    return nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), CrashesBackward())


def make_crashing():
    """A convolution that is right, and the layer that ends the process in NCHW alone."""
    return nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), CrashesUnconverted())


def make():
    """A convolution that is right, and the layer that is not."""
    return nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), WrongLastColumn())
