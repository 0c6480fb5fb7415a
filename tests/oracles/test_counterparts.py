"""FakeTensorMode must say of a tensor what the call gives: dtype, shape, and strides where they tell anything."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from harness.core.observation import TensorLayout
from tests.oracles.conftest import CELLS

RAMP = np.arange(24.0).reshape(2, 3, 2, 2)
AS_GIVEN = {"dtype": "float32", "shape": (2, 3, 2, 2), "strides": (12, 4, 2, 1)}


def findings_of(stage: Any, **changes: Any) -> list[tuple[str, str, str]]:
    """What the oracles say where FakeTensorMode says this of a contiguous output."""
    scene = stage({"output[0]": RAMP}, path="meta")
    scene.change(CELLS, ("drawn", "contiguous"), counterparts={"output[0]": TensorLayout(**{**AS_GIVEN, **changes})})
    return [(finding.oracle, finding.tensor, finding.message) for finding in scene.judge().findings]


def test_what_agrees_is_no_finding(stage: Any) -> None:
    """The same dtype, shape and strides."""
    assert not findings_of(stage)


@pytest.mark.parametrize(
    ("changes", "oracle", "words"),
    [
        (
            {"strides": (12, 1, 6, 3)},
            "strides",
            "strides (12, 1, 6, 3) under FakeTensorMode where the call gives (12, 4,",
        ),
        ({"shape": (2, 3, 4, 1)}, "shape", "shape (2, 3, 4, 1) under FakeTensorMode where the call gives (2, 3, 2, 2)"),
        ({"dtype": "bfloat16"}, "dtype", "dtype bfloat16 under FakeTensorMode where the call gives float32"),
    ],
)
def test_what_differs_is_a_finding_of_its_own(stage: Any, changes: dict[str, Any], oracle: str, words: str) -> None:
    """It is about the fake, not about the output, which may be known to be wrong in another way."""
    ((found, tensor, message),) = findings_of(stage, **changes)
    assert (found, tensor) == (oracle, "meta:output[0]")
    assert message.startswith(f"output[0] has {words}")


def test_strides_of_a_size_of_one_are_no_matter(stage: Any) -> None:
    """No element is addressed by them."""
    scene = stage({"output[0]": RAMP.reshape(1, 24, 1, 1)}, path="meta")
    scene.change(CELLS, ("drawn",), counterparts={"output[0]": TensorLayout("float32", (1, 24, 1, 1), (1, 1, 7, 9))})
    assert not scene.judge().findings


def test_compiled_code_is_held_to_what_the_call_gives(stage: Any) -> None:
    """It is the compiled tensor that is wrong, and not what is promised of the call's own format."""
    scene = stage({"output[0]": RAMP}, path="compile")
    scene.change(CELLS, ("drawn",), counterparts={"output[0]": TensorLayout("float32", (2, 3, 2, 2), (12, 1, 6, 3))})
    (finding,) = scene.judge().findings
    assert (finding.oracle, finding.tensor) == ("strides", "compile:output[0]")
    words = "strides (12, 4, 2, 1) compiled where the call gives (12, 1, 6, 3)"
    assert finding.message == f"output[0] has {words}"
