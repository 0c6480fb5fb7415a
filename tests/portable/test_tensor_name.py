"""The names of tensors: taken apart, put together, and nothing mistaken for what it is not."""

from __future__ import annotations

import pytest

from harness.portable import tensor_name
from harness.portable.tensor_name import TensorKind, TensorName, parse


@pytest.mark.parametrize(
    ("text", "kind", "of"),
    [
        ("output[0]", TensorKind.OUTPUT, "[0]"),
        ("output['out']", TensorKind.OUTPUT, "['out']"),
        ("meta:output[0]", TensorKind.FAKED, "output[0]"),
        ("compile:output[0]", TensorKind.COMPILED, "output[0]"),
        ("output.logits", TensorKind.OUTPUT, ".logits"),
        ("grad:weight", TensorKind.GRADIENT, "weight"),
        ("grad:layer1.0.conv1.weight", TensorKind.GRADIENT, "layer1.0.conv1.weight"),
        ("grad_input:x", TensorKind.INPUT_GRADIENT, "x"),
        ("grad_input[0][1]", TensorKind.INPUT_GRADIENT, "[0][1]"),
        ("grad_input:[0]", TensorKind.ARGUMENT, "grad_input:[0]"),
        ("grad_output[1]", TensorKind.GRAD_OUTPUT, "[1]"),
        ("buffer:running_mean", TensorKind.BUFFER, "running_mean"),
        ("jvp:output[0]", TensorKind.TANGENT, "output[0]"),
        ("out[0]", TensorKind.OUT, "[0]"),
        ("after:output[0]", TensorKind.AFTER, "output[0]"),
        ("watch:backbone[0]", TensorKind.WATCHED, "backbone[0]"),
        ("module:stage2.0", TensorKind.MODULE, "stage2.0"),
        ("module:", TensorKind.MODULE, ""),
        ("conversion:load contiguous", TensorKind.CONVERSION, "load contiguous"),
        ("module", TensorKind.ARGUMENT, "module"),
        ("grad:", TensorKind.ARGUMENT, "grad:"),
        ("loss", TensorKind.LOSS, ""),
        ("*", TensorKind.EVERY, ""),
        ("input", TensorKind.ARGUMENT, "input"),
        ("outer", TensorKind.ARGUMENT, "outer"),
        ("output:x", TensorKind.ARGUMENT, "output:x"),
        ("grad[0]", TensorKind.ARGUMENT, "grad[0]"),
    ],
)
def test_a_name_is_taken_apart_and_comes_back_as_it_was(text: str, kind: TensorKind, of: str) -> None:
    """Kind and what it is about are read from the text, and give the same text again."""
    assert parse(text) == TensorName(kind, of)
    assert str(parse(text)) == text


def test_names_are_made_as_they_are_read() -> None:
    """Each maker gives the text that the wire, golden/ and the record hold."""
    names = [tensor_name.output(1), tensor_name.grad_output(1), tensor_name.out(0), tensor_name.tangent(0)]
    assert names == ["output[1]", "grad_output[1]", "out[0]", "jvp:output[0]"]
    assert [tensor_name.gradient("bias"), tensor_name.buffer("running_var")] == ["grad:bias", "buffer:running_var"]
    assert [tensor_name.module("layer1.0"), tensor_name.module("")] == ["module:layer1.0", "module:"]
