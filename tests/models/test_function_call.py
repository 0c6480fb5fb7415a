"""A function that a module called: as a worker says it, as a person reads it, and whether it lost the format."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.models.function_call import CallTensor, FunctionCall, read_function_call, tensors_in_values
from harness.portable.model_protocol import FunctionCallData

CHANNELS_LAST = CallTensor("float32", (2, 16, 8, 8), (1024, 1, 128, 16))
CONTIGUOUS = CallTensor("float32", (2, 16, 8, 8), (1024, 64, 8, 1))
REPLY: FunctionCallData = {
    "function": "torch.cat",
    "parameters": ["tensors", "dim"],
    "arguments": {"tensors": [("tensor", "float32", [2, 16, 8, 8], [1024, 1, 128, 16])], "dim": 0},
    "defaults": ["dim"],
    "results": [("tensor", "float32", [2, 16, 8, 8], [1024, 64, 8, 1])],
}
CALL = FunctionCall("torch.cat", ("tensors", "dim"), {"tensors": (CHANNELS_LAST,), "dim": 0}, ("dim",), (CONTIGUOUS,))


def test_a_call_is_read_from_a_reply() -> None:
    """Tensors become tensors and lists tuples, however deep."""
    assert read_function_call(REPLY) == CALL
    assert list(tensors_in_values(CALL.arguments.values())) == [CHANNELS_LAST]


def test_a_call_is_written_as_python_writes_it() -> None:
    """Tensors have their format where the strides say it, and arguments that have their default are left out."""
    assert str(CALL) == (
        "torch.cat(tensors=[float32[2, 16, 8, 8] NHWC strides [1024, 1, 128, 16]])"
        " -> float32[2, 16, 8, 8] NCHW strides [1024, 64, 8, 1]"
    )
    assert str(CallTensor("int64", (3,), (1,))) == "int64[3] strides [1]"


@pytest.mark.parametrize(
    ("taken", "result", "loses"),
    [
        (CHANNELS_LAST, CONTIGUOUS, True),
        (CHANNELS_LAST, CHANNELS_LAST, False),
        (CONTIGUOUS, CONTIGUOUS, False),
        (CHANNELS_LAST, CallTensor("float32", (2, 16, 1, 1), (16, 1, 1, 1)), False),
        (CHANNELS_LAST, CallTensor("float32", (2, 16), (16, 1)), False),
    ],
    ids=["lost", "kept", "never had it", "too small to tell", "no image"],
)
def test_a_call_loses_the_format_where_an_image_in_nhwc_becomes_one_in_nchw(
    taken: CallTensor, result: CallTensor, loses: bool
) -> None:
    """What is no image, or is in both formats, says nothing."""
    assert replace(CALL, arguments={"input": taken}, results=(result,)).loses_channels_last is loses
