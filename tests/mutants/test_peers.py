"""What the other ways to test compare, and with which tolerances."""

from __future__ import annotations

import numpy as np
import pytest

from harness.core import Observation, TensorRecord
from harness.generation import fixed_examples
from harness.mutants.peers import differences, is_close
from harness.resources import SHIPPED
from harness.suites import load_suite

CASES = {case.name: case for case in load_suite(SHIPPED / "suites" / "operators" / "pooling.yaml", SHIPPED).cases}
NHWC = (8, 1, 4, 2)
"""Strides of a channels-last tensor of (1, 2, 2, 2)."""


def record(value: float, dtype: str = "float32", strides: tuple[int, ...] = NHWC) -> TensorRecord:
    """An image with that number everywhere."""
    return TensorRecord(dtype, (1, 2, 2, 2), strides, np.full((1, 2, 2, 2), value))


def observation(tensor: TensorRecord) -> Observation:
    """A run that returned it."""
    return Observation("avx2", "drawn", "ok", tensors={"output[0]": tensor})


@pytest.mark.parametrize(("dtype", "off"), [("float32", 1.3e-6), ("bfloat16", 1.6e-2), ("float64", 1e-7)])
def test_a_tensor_is_close_within_the_tolerance_of_its_dtype(dtype: str, off: float) -> None:
    """The relative and the absolute one of `assert_close` together, and no further."""
    assert is_close(record(1 + off, dtype), record(1, dtype))
    assert not is_close(record(1 + 20 * off, dtype), record(1, dtype))


def test_whole_numbers_are_equal_or_not() -> None:
    """There is no tolerance for an index."""
    assert not is_close(record(3, "int64"), record(4, "int64"))


def test_strides_are_asked_for_by_the_fixed_shapes_alone() -> None:
    """`assert_close` does not look at them; the other is given the case, which says that the format is kept."""
    drawn, contiguous = observation(record(1, strides=(8, 4, 2, 1))), observation(record(1))
    assert list(differences(drawn, contiguous)) == []
    assert list(differences(drawn, contiguous, CASES["max_pool2d"])) == ["output[0] is not channels-last"]


def test_an_error_in_one_layout_alone_is_noticed() -> None:
    """And a process that died; not an error in both."""
    raised = Observation("avx2", "drawn", "raised", message="not implemented")
    assert list(differences(raised, observation(record(1)))) == ["not implemented"]
    assert list(differences(raised, raised)) == []
    assert list(differences(Observation("avx2", "drawn", "died"), observation(record(1)))) == ["the process died"]


def test_fixed_shapes_are_small_and_change_one_argument_at_a_time() -> None:
    """All of it channels-last, with real numbers, one thread, and nothing but forward and backward."""
    examples = fixed_examples(CASES["avg_pool2d"], "float32")
    first = examples[0]
    assert {name: first.sizes[name] for name in ("N", "C", "H", "W")} == {"N": 2, "C": 4, "H": 6, "W": 6}
    assert set(first.layouts.values()) == {"channels_last"}
    assert (first.fill, first.threads, first.inplace, first.path) == ("reals", 1, False, "plain")
    changed = [
        {name for name, value in example.sizes.items() if value != first.sizes[name]} for example in examples[1:]
    ]
    assert changed
    assert all(len(names) == 1 for names in changed)
