"""Hooks on the modules of a model: what they note of a call."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from tests.execution.stand import module


class ByName(nn.Module):
    """Calls its convolution by keyword."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 1)

    def forward(self, x: Any) -> Any:
        """The convolution alone."""
        return self.conv(input=x)


def test_the_formats_of_what_a_module_got_are_noted() -> None:
    """Those of the first forward pass alone, by position or by name."""
    model: Any = nn.Sequential(ByName(), nn.Flatten())
    image = torch.ones(2, 3, 4, 6).contiguous(memory_format=torch.channels_last)
    hooks = module("models.module_hooks").ModuleHooks(model, module("kernel_trace").Trace(active=False))
    with hooks:
        model(image)
        model(image)
    assert [(call["path"], call["input_formats"], call["input_dtypes"]) for call in hooks.calls] == [
        ("0.conv", ["nhwc"], ["float32"]),
        ("0", ["nhwc"], ["float32"]),
        ("1", ["nhwc"], ["float32"]),
        ("", ["nhwc"], ["float32"]),
    ]


class _CountingTrace:
    """A trace in which oneDNN has printed a reorder whenever it is asked."""

    def text(self) -> str:
        """Nothing that anybody reads."""
        return ""

    def drain(self) -> dict[str, int]:
        """One reorder, and a convolution that is none."""
        return {"reorder:jit:uni": 1, "convolution:brg_conv_fwd:avx2": 1}


def test_reorders_are_those_of_the_module_that_was_at_work() -> None:
    """Those before its first child begins are the parent's own, like those between its children and behind them."""
    model: Any = nn.Sequential(nn.Identity(), nn.Identity())
    hooks = module("models.module_hooks").ModuleHooks(model, _CountingTrace())
    with hooks:
        model(torch.ones(1))
    assert [(call["path"], call["reorders"]) for call in hooks.calls] == [("0", 1), ("1", 1), ("", 3)]
