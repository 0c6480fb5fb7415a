"""Inputs from a file: described in YAML or JSON, or a user's own arrays."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from harness.errors import UserError
from harness.models import TensorInput, read_archive, read_inputs, saved_input
from harness.suites import DeclarationError

DESCRIPTION = """\
pixel_values: {shape: [2, 3, 8, 8]}
ids: {shape: [2, 4], dtype: int64, most: 99}
grid: {shape: [1, 2, 3, 4], layout: contiguous}
targets:
  - boxes: {values: [[0, 0, 4, 4]]}
    labels: {values: [1], dtype: int64}
return_dict: false
"""


def test_a_description_has_tensors_containers_and_constants(tmp_path: Path) -> None:
    """Shape, layout, dtype and the largest number are those of a suite; numbers themselves may be given too."""
    path = tmp_path / "inputs.yaml"
    path.write_text(DESCRIPTION)
    content = read_inputs(path)
    assert content == {
        "pixel_values": TensorInput((2, 3, 8, 8)),
        "ids": TensorInput((2, 4), "int64", 99),
        "grid": TensorInput((1, 2, 3, 4), channels_last=False),
        "targets": [{"boxes": TensorInput((1, 4)), "labels": TensorInput((1,), "int64")}],
        "return_dict": False,
    }
    boxes = content["targets"][0]["boxes"]  # type: ignore[index, call-overload] # as the line above has it
    np.testing.assert_array_equal(boxes.data, np.float32([[0, 0, 4, 4]]))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x: {shape: [1, -2]}", ":1:16: "),
        ("x: {shape: [1], dtype: float16}", "float16"),
        ("x: {values: [[1], [2, 3]]}", "no array of float32"),
        ("x: {shape: [2], values: [1]}", "the values have the shape [1]"),
        ("1: {shape: [2]}", "the key 1 is not read as text"),
        ("x: {shape: [1], sides: 2}", "sides"),
    ],
)
def test_a_mistake_in_a_description_is_named_at_its_place(tmp_path: Path, text: str, message: str) -> None:
    """The line and the column stand before it."""
    path = tmp_path / "inputs.yaml"
    path.write_text(text)
    with pytest.raises(DeclarationError) as refused:
        read_inputs(path)
    assert "inputs.yaml:1:" in str(refused.value)
    assert message in str(refused.value)


def test_arrays_are_arguments_by_their_names_or_by_position(tmp_path: Path) -> None:
    """Those that NumPy has numbered are by position; floating ones become float32."""
    image, ids = np.ones((1, 3, 2, 2)), np.arange(3)
    np.savez(tmp_path / "named.npz", image=image, ids=ids)
    np.savez(tmp_path / "numbered.npz", image, ids)
    tensors = [TensorInput((1, 3, 2, 2), "float32"), TensorInput((3,), "int64")]
    assert read_archive(tmp_path / "named.npz") == dict(zip(("image", "ids"), tensors, strict=True))
    numbered = read_archive(tmp_path / "numbered.npz")
    assert numbered == tensors
    np.testing.assert_array_equal(numbered[1].data, ids)  # type: ignore[index, union-attr, call-overload] # a list


def test_what_is_no_archive_or_has_other_numbers_is_refused(tmp_path: Path) -> None:
    """The message names the file, and the dtypes that an input may have."""
    (tmp_path / "text.npz").write_text("no archive")
    np.savez(tmp_path / "complex.npz", x=np.ones(2, np.complex64))
    with pytest.raises(UserError, match=r"text\.npz is no \.npz file of arrays"):
        read_archive(tmp_path / "text.npz")
    with pytest.raises(UserError, match=r"complex\.npz: x is of complex64; an input is float32, int64"):
        read_archive(tmp_path / "complex.npz")


def test_what_a_worker_has_read_keeps_its_structure() -> None:
    """Tensors, lists, dicts and constants."""
    tensor = ("tensor", ("<f4", [2], np.float32([1, 2]).tobytes()))
    content = ("dict", [("x", ("list", [tensor, ("value", 3)]))])
    assert saved_input(content, "batch.pt") == {"x": [TensorInput((2,)), 3]}  # type: ignore[arg-type] # as it travels
