"""The test of conv2d that somebody writes who has Hypothesis and no harness: the calls of the suite's case `conv2d`.

A convolution is run forward and backward on contiguous tensors and in the drawn formats, and the results are compared
by `torch.testing.assert_close`. It knows one cell: this process.
``python -m benchmarks.conv2d_by_hand 100`` prints its examples a second.
"""

from __future__ import annotations

import math
import sys
import time
from typing import Any

import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.generation.shapes import BUDGET
from harness.generation.sizes import CHANNELS, SPATIAL

PAIR = 2


@st.composite
def convolutions(draw: st.DrawFn) -> dict[str, Any]:
    """Sizes of the suite's own lists, so that the dilated kernel fits once into the padded image; within its budget."""
    groups = draw(st.sampled_from([1, 2, 4]))
    kernel, stride, dilation, padding = (
        [draw(st.integers(*bounds)) for _ in range(PAIR)] for bounds in ((1, 5), (1, 3), (1, 2), (0, 2))
    )
    least = [max(1, dilation[dim] * (kernel[dim] - 1) + 1 - 2 * padding[dim]) for dim in range(PAIR)]
    channels = [groups * draw(st.sampled_from(CHANNELS)) for _ in range(PAIR)]
    batch = draw(st.sampled_from([0, 1, 2, 3, 16]))
    while channels[0] * channels[1] // groups * math.prod(kernel) > BUDGET:
        channels = [max(groups, each // groups // 2 * groups) for each in channels]
    image = [max(each, draw(st.sampled_from(SPATIAL))) for each in least]
    while max(1, batch) * max(channels) * math.prod(image) > BUDGET and image != least:
        image = [max(low, size // 2) for low, size in zip(least, image, strict=True)]
    return {
        "groups": groups,
        "channels": channels,
        "batch": batch,
        "kernel": kernel,
        "image": image,
        "arguments": {"stride": stride, "dilation": dilation, "padding": padding, "groups": groups},
        "has_bias": draw(st.booleans()),
        "formats": [draw(st.sampled_from([torch.contiguous_format, torch.channels_last])) for _ in range(PAIR)],
        "seed": draw(st.integers(0, 1 << 30)),
    }


def run_convolution(tensors: list[torch.Tensor], arguments: dict[str, Any]) -> list[torch.Tensor]:
    """The output and the gradients."""
    leaves = [tensor.detach().requires_grad_() for tensor in tensors]
    output = torch.nn.functional.conv2d(*leaves, **arguments)
    return [output, *torch.autograd.grad(output, leaves, torch.ones_like(output))]


def check_convolution(sizes: dict[str, Any]) -> None:
    """One example: both formats give close results."""
    generator = torch.Generator().manual_seed(sizes["seed"])
    inputs, outputs = sizes["channels"]
    shapes = [(sizes["batch"], inputs, *sizes["image"]), (outputs, inputs // sizes["groups"], *sizes["kernel"])]
    plain = [torch.randn(shape, generator=generator) for shape in shapes]
    bias = [torch.randn(outputs, generator=generator)] if sizes["has_bias"] else []
    formatted = [each.to(memory_format=form) for each, form in zip(plain, sizes["formats"], strict=True)]
    expected = run_convolution([*plain, *bias], sizes["arguments"])
    actual = run_convolution([*formatted, *bias], sizes["arguments"])
    for result, due in zip(actual, expected, strict=True):
        torch.testing.assert_close(result, due, rtol=1e-3, atol=1e-3)


def seconds_for(examples: int) -> float:
    """How long Hypothesis takes for so many examples; what fails is counted by nobody."""

    @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(convolutions())
    def test_conv2d(sizes: dict[str, Any]) -> None:
        try:
            check_convolution(sizes)
        except (AssertionError, RuntimeError):
            return

    started = time.perf_counter()
    test_conv2d()
    return time.perf_counter() - started


if __name__ == "__main__":
    torch.set_num_threads(1)
    COUNT = int(sys.argv[1])
    seconds_for(min(COUNT, 5))
    print(COUNT / seconds_for(COUNT))
