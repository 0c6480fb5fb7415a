"""What a model is called with: tensors and constants, each with its place in the call."""

from __future__ import annotations

import pytest

from harness.models import TensorInput, call_inputs, split_arguments
from harness.models.call_inputs import place_name
from harness.models.model import Constant

IMAGE = TensorInput((2, 3, 8, 8))
LABELS = TensorInput((2,), "int64", most=9)


def test_each_tensor_has_its_place_and_each_constant_too() -> None:
    """Containers are gone through; one with nothing in it is a constant."""
    inputs, constants = call_inputs([IMAGE, 7], {"batch": {"labels": [LABELS]}, "extra": {}, "flag": False})
    assert [spec.place for spec in inputs] == [(0,), ("batch", "labels", 0)]
    assert [(spec.dtype, spec.most) for spec in inputs] == [("float32", 3), ("int64", 9)]
    assert constants == (Constant((1,), 7), Constant(("extra",), {}), Constant(("flag",), value=False))


def test_images_and_volumes_are_converted_unless_it_is_said_otherwise() -> None:
    """They have four or five dimensions."""
    shapes = [(2, 3, 8, 8), (1, 1, 4, 4, 4), (3, 8, 8), (2, 5)]
    inputs, _ = call_inputs([*map(TensorInput, shapes), TensorInput((1, 2, 3, 4), channels_last=False)], {})
    assert [spec.channels_last for spec in inputs] == [True, True, False, False, False]


@pytest.mark.parametrize(
    ("content", "positional", "named"),
    [
        (IMAGE, (IMAGE,), {}),
        ([IMAGE, LABELS], [IMAGE, LABELS], {}),
        ({"x": IMAGE}, (), {"x": IMAGE}),
        ("a", ("a",), {}),
    ],
)
def test_a_file_holds_arguments_by_keyword_or_by_position(content: object, positional: object, named: object) -> None:
    """A mapping has names, a list has none, and anything else is the only argument."""
    assert split_arguments(content) == (positional, named)  # type: ignore[arg-type] # each is a tree of inputs


def test_a_place_is_named_as_python_has_it() -> None:
    """The first argument by position is just the input."""
    places = [(0,), (1,), ("x",), ("batch", "image"), ("targets", 0, "boxes")]
    names = ["input", "input1", "x", "batch['image']", "targets[0]['boxes']"]
    assert list(map(place_name, places)) == names
