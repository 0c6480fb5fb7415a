"""Dtypes beside the four floating ones: which is due, and how complex numbers and buffers are judged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import pytest

from harness.core import Case, Example, Numerics, Observation, Reference, TensorRecord, TensorSpec
from harness.core.case import Rule
from harness.oracles import round_to
from harness.oracles.expected import expected_dtype
from harness.portable.memory_format import dense_strides
from tests.oracles.conftest import Stage

Build = Callable[..., Stage]
SPECS = (TensorSpec("input", ()), TensorSpec("weight", (), dtype="float32"), TensorSpec("mean", (), buffer=True))
CASE = Case("s.yaml::c", "c", "s.yaml", 1, "torch.c", (), SPECS, Numerics("exact", "exact"))
EXAMPLE = Example(CASE.id, "bfloat16", {}, {})


@pytest.mark.parametrize(
    ("tensor", "inplace", "due"),
    [
        ("output[0]", False, "float32"),
        ("output[0]", True, "bfloat16"),
        ("output[1]", False, "int64"),
        ("output[2]", False, "bfloat16"),
        ("grad:weight", False, "float32"),
        ("grad:input", False, "bfloat16"),
        ("buffer:mean", False, "bfloat16"),
    ],
)
def test_the_due_dtype(tensor: str, inplace: bool, due: str) -> None:
    """As the reference was told; in place, for gradients and buffers the tensor's own; untold, the example's."""
    outputs = {"output[0]": np.zeros(2), "output[1]": np.zeros(2, np.int64), "output[2]": np.zeros(2)}
    others = {name: np.zeros(2) for name in ("grad:weight", "grad:input", "buffer:mean")}
    reference = Reference("ok", {**outputs, **others}, dtypes={"output[0]": "float32"})
    assert expected_dtype(CASE, EXAMPLE.but(inplace=inplace), reference, tensor) == due


def _complex(values: Any, rule: Rule = "exact", fill: str = "reals", **changes: Any) -> Stage:
    """A stage whose only output is complex64."""
    array = np.asarray(values, dtype=np.complex128)
    case = replace(CASE, tensors=SPECS[:1], numerics=Numerics(rule, rule))
    reference = Reference(
        "ok",
        {"output[0]": array},
        bound={"output[0]": np.abs(array)},
        terms={"output[0]": np.ones(array.shape)},
        inputs={"input": array},
        dtypes={"output[0]": "complex64"},
    )
    strides = dense_strides("contiguous", array.shape)
    record = TensorRecord("complex64", array.shape, strides, round_to("complex64", array))
    layouts: tuple[Literal["drawn", "contiguous"], ...] = ("drawn", "contiguous")
    observations = [Observation("avx2", layout, "ok", {"output[0]": record}) for layout in layouts]
    stage = Stage(case, Example(case.id, "complex64", {}, {}, fill=fill), reference, observations)
    for index, value in changes.get("poke", {}).items():
        stage.poke("output[0]", index, value, cells=("avx2",))
    return stage


@pytest.mark.parametrize("rule", ["exact", "multilinear", "elementwise"])
def test_complex_numbers_rounded_once_pass(rule: str) -> None:
    """Each part to the dtype of the parts."""
    assert not _complex([1 / 3 + 1j / 7, -2 + 0.1j, 0], rule).judge().findings


@pytest.mark.parametrize("rule", ["exact", "multilinear", "elementwise"])
@pytest.mark.parametrize("wrong", [1 / 3 + 1j / 6, -1 / 3 + 1j / 7, 1 / 3 - 1j / 7, complex("nan")])
def test_either_part_can_be_wrong(rule: str, wrong: complex) -> None:
    """The imaginary part is not lost on the way."""
    [finding] = _complex([1 / 3 + 1j / 7, 2], rule, poke={0: wrong}).judge().findings
    assert finding.key == ("values", "output[0]")
    assert "1 of 2 elements" in finding.message


def test_a_complex_product_has_three_roundings_for_one() -> None:
    """Higham's Lemma 3.5: more than a real product may, and no more than that."""
    unit = 2.0**-24
    assert not _complex([1.0], "multilinear", poke={0: 1 + 4 * unit}).judge().findings
    assert _complex([1.0], "multilinear", poke={0: 1 + 8 * unit}).judge().findings


def test_nan_and_infinity_are_compared_part_by_part() -> None:
    """One NaN is another; an infinity in the other part is not."""
    odd = complex(np.nan, np.inf)
    assert not _complex([odd, 1], fill="special").judge().findings
    assert _complex([odd, 1], fill="special", poke={0: complex(np.nan, -np.inf)}).judge().findings
    assert not _complex([odd, 1], "multilinear").judge().findings
    assert _complex([odd, 1], "multilinear", poke={0: complex(np.inf, np.nan)}).judge().findings


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.bool_])
def test_other_dtypes_are_equal_or_wrong(stage: Build, dtype: Any) -> None:
    """There is no bound to be within, whatever the rule."""
    scene = stage(np.asarray([0, 1, 1], dtype), rule="multilinear")
    assert not scene.judge().findings
    scene.poke("output[0]", 0, 1)
    [finding] = scene.judge().findings
    assert finding.key == ("values", "output[0]")


def _scene_with_buffer(stage: Build) -> Stage:
    scene = stage({"output[0]": np.ones((2, 3, 2, 2)) * np.arange(3)[:, None, None], "buffer:mean": np.arange(3.0)})
    scene.case = replace(scene.case, tensors=(SPECS[0], replace(SPECS[2], dtype="float32")))
    scene.observations = [
        replace(observation, inputs={**observation.inputs, "mean": (1,)}) for observation in scene.observations
    ]
    return scene


def test_a_buffer_is_judged_as_an_output(stage: Build) -> None:
    """Its values by the outputs' rule."""
    assert not _scene_with_buffer(stage).judge().findings
    scene = _scene_with_buffer(stage)
    scene.poke("buffer:mean", 1, 5.0)
    assert [finding.key for finding in scene.judge().findings] == [("values", "buffer:mean")]


def test_a_buffer_keeps_its_strides_and_what_lies_beside_it(stage: Build) -> None:
    """Neither may an operator that writes it change."""
    scene = _scene_with_buffer(stage)
    scene.strides("buffer:mean", (2,))
    scene.change(written=("mean",))
    findings = {finding.key: finding.message for finding in scene.judge().findings}
    assert set(findings) == {("strides", "buffer:mean"), ("written", "mean")}
    assert findings["written", "mean"] == "the call changed memory beside the elements of mean"
