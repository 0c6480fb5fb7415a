"""A kernel that dies in one gradient, and is wrong in its forward, for `--eq-preload` after `planted.py`."""

from __future__ import annotations

import os
import signal
from typing import Any

import torch
from planted import Kernel, channels_last, fault


@fault("convolution", torch.float64)
def wrong_before_it_dies(call: Kernel, x: torch.Tensor, *rest: Any) -> torch.Tensor:
    """The last column in channels-last: where the gradient of the weight ends the process."""
    y = call(x, *rest)
    if channels_last(x):
        y[..., -1] += 1
    return y


@fault("convolution_backward", torch.float64)
def dies_of_the_weight(call: Kernel, *given: Any) -> Any:
    """A segmentation fault where the gradient of the weight is asked for, in channels-last."""
    wants_weight = given[-1][1]
    if wants_weight and channels_last(given[1]):
        os.kill(os.getpid(), signal.SIGSEGV)
    return call(*given)
