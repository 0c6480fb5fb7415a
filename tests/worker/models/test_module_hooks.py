"""Hooks on the modules of a model: what they note of a call."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from tests.execution.stand import module


class Windows(nn.Module):
    """(N, C, H, W) to (N, windows, pixels, C), as MaxViT partitions its maps."""

    def forward(self, x: Any) -> Any:
        """Windows of 2 x 2."""
        n, c, h, w = x.shape
        return x.reshape(n, c, h // 2, 2, w // 2, 2).permute(0, 2, 4, 3, 5, 1).reshape(n, h * w // 4, 4, c)


class PermutingEmbedding(nn.Module):
    """A convolution, and a norm of its result with the features last, as Swin embeds its patches."""

    def __init__(self, permuted: bool) -> None:
        super().__init__()
        self.permuted = permuted
        self.convolution = nn.Conv2d(3, 8, 1)
        self.norm = nn.LayerNorm(8)

    def forward(self, x: Any) -> Any:
        """The two with a view between them, or with a copy that is none."""
        x = self.convolution(x)
        return self.norm(x.permute(0, 2, 3, 1) if self.permuted else x.contiguous().reshape(2, 4, 6, 8))


def module_calls(model: Any, x: Any) -> dict[str, Any]:
    """The call of each module, by its path."""
    hooks = module("models.module_hooks").ModuleHooks(model, module("kernel_trace").Trace(active=False))
    with hooks:
        model(x)
    return {call["path"]: call for call in hooks.calls}


@pytest.mark.parametrize("permuted", [True, False])
def test_an_image_permuted_between_two_modules_is_noted(permuted: bool) -> None:
    """A view of what the module before gave, with the dimensions in another order; a copy is none."""
    image = torch.ones(2, 3, 4, 6).contiguous(memory_format=torch.channels_last)
    calls = module_calls(PermutingEmbedding(permuted), image)
    assert (calls["convolution"]["permuted_input"], calls["norm"]["permuted_input"]) == (False, permuted)


def test_windows_of_an_image_are_no_image() -> None:
    """Their features are last, in the order in which channels-last has them."""
    image = torch.ones(2, 5, 4, 6).contiguous(memory_format=torch.channels_last)
    assert module_calls(Windows(), image)[""]["is_view"]
    assert not module_calls(nn.Conv2d(5, 6, 1), image)[""]["is_view"]
