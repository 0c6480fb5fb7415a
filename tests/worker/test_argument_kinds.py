"""What a trace says of the arguments of operators, with stock PyTorch in this process."""

from __future__ import annotations

from typing import Any

import pytest

from tests.execution import stand

torch = pytest.importorskip("torch")
KERNEL_TRACE = stand.module("kernel_trace")
NUMBER_KIND = stand.module("argument_kinds").number_kind


def trace(call: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The kinds of arguments of what a call names, and of what is called within."""
    traced = KERNEL_TRACE.trace_operators(call)
    if not traced.arguments:
        pytest.skip("the profiler of this PyTorch does not tell overloads and strides")
    return traced.arguments, traced.inner_arguments


def test_operands_are_full_or_broadcast_or_numbers() -> None:
    """A tensor of the size of the result, a smaller one, one of no dimension; numbers by their class."""
    image, row = torch.ones(2, 3, 4, 4), torch.ones(3, 1, 1)
    named, _inner = trace(lambda: (torch.add(image, row, alpha=2), torch.add(image, 0.5)))
    kinds = named["aten::add.Tensor"]
    assert kinds["self"] == {"full", "contiguous"}
    assert kinds["other"] == {"part", "scalar"}
    assert kinds["alpha"] == {"1", "2"}


def test_each_place_of_a_list_has_its_format() -> None:
    """Formats where the sizes can tell them apart."""
    image = torch.ones(2, 3, 4, 4)
    named, _inner = trace(lambda: torch.cat([image, image.to(memory_format=torch.channels_last)], 1))
    assert named["aten::cat"]["tensors"] == {"of several", "first contiguous", "second channels-last"}


def test_what_is_left_out_and_what_is_a_text() -> None:
    """An optional list, and the word for an enumeration, which the profiler does not say."""
    image = torch.ones(2, 3, 4, 4)
    call = torch.nn.functional.interpolate
    named, inner = trace(
        lambda: (torch.nn.functional.gelu(image, approximate="tanh"), call(image, scale_factor=1.5, mode="bilinear"))
    )
    assert named["aten::gelu"]["approximate"] == {"tanh"}
    assert named["aten::upsample_bilinear2d.vec"]["output_size"] == {"left out"}
    assert named["aten::upsample_bilinear2d.vec"]["scale_factors"] == {"fractions"}
    assert inner["aten::upsample_bilinear2d"]["scales_h"] == {"fraction"}
    assert "aten::upsample_bilinear2d" not in named


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (True, "true"),
        (0, "0"),
        (2, "2"),
        (3, "more"),
        (-1, "negative"),
        (1.0, "1.0"),
        (2.0, "whole"),
        (1e-5, "small"),
        (-0.5, "negative fraction"),
        (float("inf"), "not finite"),
        (1j, "complex"),
    ],
)
def test_the_class_of_a_number(number: complex, kind: str) -> None:
    """Small integers by themselves, since they may stand for words; of fractions no more than their kind."""
    assert NUMBER_KIND(number) == kind
