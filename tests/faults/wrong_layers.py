"""Kernels that are wrong for one layer of a model in `models.yaml`, for `--eq-preload`; known by their channels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

LIBRARY = torch.library.Library("aten", "IMPL")


def in_place_of(operator: str) -> Callable[[Callable[..., Any]], None]:
    """Run the decorated function, given the original kernel and its arguments, as `operator`."""

    def register(wrong: Callable[..., Any]) -> None:
        original = torch.library.get_kernel(f"aten::{operator}", "CPU")

        def kernel(keyset: Any, *arguments: Any, **options: Any) -> Any:
            def call(*given: Any, **named: Any) -> Any:
                return original.call_boxed(keyset, *given, **named)

            return wrong(call, *arguments, **options)

        LIBRARY.impl(operator, kernel, "CPU", with_keyset=True, allow_override=True)

    return register


def channels_last(tensor: torch.Tensor) -> bool:
    """Whether the tensor is in channels-last order and in no other."""
    return tensor.is_contiguous(memory_format=torch.channels_last) and not tensor.is_contiguous()


@in_place_of("convolution")
def last_column(call: Callable[..., Any], x: torch.Tensor, weight: torch.Tensor, *rest: Any) -> Any:
    """The fourteenth of `fourteenth_convolution`, from 16 to 17 channels: the last column."""
    y = call(x, weight, *rest)
    if tuple(weight.shape[:2]) == (17, 16) and channels_last(x):
        y[..., -1] += 1
    return y


@in_place_of("native_batch_norm_backward")
def gradient_of_the_scale(call: Callable[..., Any], gradient: torch.Tensor, x: torch.Tensor, *rest: Any) -> Any:
    """The sixth of `batch_norm_backward`, with 29 channels: the gradient of the weight, in its last channel."""
    found = call(gradient, x, *rest)
    if x.shape[1] == 29 and channels_last(x):
        found[1][-1] *= 1.5
    return found


@in_place_of("relu")
def contiguous(call: Callable[..., Any], x: torch.Tensor) -> Any:
    """The fifth of `lost_format`, with 44 channels: what it returns is contiguous."""
    y = call(x)
    return y.contiguous() if x.dim() == 4 and x.shape[1] == 44 else y
