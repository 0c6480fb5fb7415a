"""Examples whose checks could not have failed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from harness.core import Expression, Numerics
from harness.portable.memory_format import dense_strides

RAMP = np.arange(24.0).reshape(2, 3, 2, 2)
NHWC = (12, 1, 6, 3)


def reasons(make_scene: Any) -> dict[str, tuple[str, ...]]:
    """Why the example is not trusted."""
    return dict(make_scene.judge().untrusted)


@pytest.fixture
def make_scene(stage: Any) -> Any:
    """Return a stage whose input was drawn channels-last."""

    def build(*arguments: Any, **options: Any) -> Any:
        scene = stage(*arguments, **options)
        scene.change(inputs={"input": NHWC})
        return scene

    return build


def test_a_varied_output_of_two_layouts_is_trusted(make_scene: Any) -> None:
    """Nothing to object to."""
    assert reasons(make_scene(RAMP)) == {}


@pytest.mark.parametrize("value", [0.0, 7.0, np.nan])
def test_a_constant_output_is_not(make_scene: Any, value: float) -> None:
    """All the same: a kernel that reads the wrong elements gives the same."""
    assert reasons(make_scene(np.full_like(RAMP, value))) == {"constant output": ()}


def test_a_single_element_is_not_constant(make_scene: Any) -> None:
    """One number could still be wrong; among several outputs one that varies is enough."""
    scene = make_scene({"output[0]": np.ones((1, 3, 1, 1))[:, :1], "grad:input": RAMP})
    scene.change(inputs={"input": (1, 1, 1, 1)})
    assert "constant output" not in reasons(scene)
    assert reasons(make_scene({"output[0]": RAMP, "output[1]": np.zeros(3)})) == {}


def test_the_same_strides_in_both_layouts_are_not(stage: Any) -> None:
    """Drawn with the strides of the contiguous run compares a run with itself, unless grad_output differs."""
    scene = stage(RAMP)
    assert reasons(scene) == {"same layout": ()}
    scene.change(inputs={"input": (12, 4, 2, 1), "grad_output[0]": NHWC, "unknown": (3,)})
    assert reasons(scene) == {}
    scene.change(inputs={})
    assert reasons(scene) == {}


def test_other_strides_of_one_channel_are_trusted(stage: Any) -> None:
    """Nothing is addressed by them, and yet a kernel is chosen by them: the runs can differ."""
    column = np.arange(8.0).reshape(2, 1, 2, 2)
    scene = stage(column)
    scene.change(inputs={"input": dense_strides("contiguous", column.shape)})
    assert reasons(scene) == {"same layout": ()}
    scene.change(inputs={"input": dense_strides("channels_last", column.shape)})
    assert reasons(scene) == {}


def test_the_memory_given_to_out_makes_no_second_layout(stage: Any) -> None:
    """What is written in channels-last was still computed from the same strides in both runs."""
    scene = stage(RAMP)
    scene.change(inputs={"input": (12, 4, 2, 1), "out[0]": NHWC})
    assert reasons(scene) == {"same layout": ()}


def test_empty_outputs_are_not(make_scene: Any) -> None:
    """Nothing was computed; that alone is the reason."""
    scene = make_scene(np.zeros((0, 3, 2, 2)), "multilinear")
    assert reasons(scene) == {"empty": ()}


def test_empty_outputs_are_where_the_case_says_their_shape(make_scene: Any) -> None:
    """That is checked against no kernel; one of which the reference has another shape has no values to go by."""
    scene = make_scene(np.zeros((0, 3, 2, 2)), "multilinear")
    scene.case = replace(scene.case, result=tuple(map(Expression.parse, (0, 3, 2, 2))))
    assert reasons(scene) == {}
    scene.case = replace(scene.case, result=tuple(map(Expression.parse, (0, 4, 2, 2))))
    assert reasons(scene) == {"the reference has another shape": ()}


def test_where_no_bound_holds_nothing_was_judged(make_scene: Any) -> None:
    """More terms than the accumulator has precision for, in the cells where it is so."""
    scene = make_scene(RAMP + 1, "multilinear", "bfloat16", terms=300)
    assert reasons(scene) == {}
    half = {"*": {"avx2": "bfloat16"}}
    assert dict(scene.judge(accumulators=half).untrusted) == {"nothing judged": ("avx2",)}
    everywhere = {"*": {"avx2": "bfloat16", "avx512_core": "bfloat16"}}
    assert dict(scene.judge(accumulators=everywhere).untrusted) == {"nothing judged": ()}
    scene.poke("output[0]", 0, np.nan)
    assert len(scene.judge(accumulators=everywhere).findings) == 1


def test_findings_are_reported_beside_reasons(stage: Any) -> None:
    """An untrusted example that fails has failed."""
    scene = stage(RAMP)
    scene.poke("output[0]", (0, 0, 0, 0), 5.0)
    judgement = scene.judge()
    assert len(judgement.findings) == 1
    assert judgement.untrusted == {"same layout": ()}


def test_an_operator_that_is_its_own_reference_is_not_trusted(make_scene: Any) -> None:
    """What is wrong in it is wrong in the reference too; what differs from it is a finding all the same."""
    scene = make_scene(RAMP)
    scene.reference = replace(scene.reference, is_independent=False)
    assert reasons(scene) == {"its own reference": ()}
    scene.poke("output[0]", (0, 0, 0, 0), 5.0)
    assert len(scene.judge().findings) == 1


def test_without_observations_nothing_is_said(stage: Any) -> None:
    """An empty run has no findings."""
    scene = stage(RAMP)
    scene.observations = []
    assert scene.judge().findings == ()
    scene.reference = replace(scene.reference, status="raised", error="E")
    assert scene.judge().untrusted == {"the reference raised E: ": ()}


def test_a_constant_that_is_due_is_trusted(make_scene: Any) -> None:
    """A factory's output is one number throughout; another number is still wrong."""
    scene = make_scene(np.zeros_like(RAMP), Numerics("exact", "exact", constant=True))
    assert reasons(scene) == {}
    scene.poke("output[0]", (0, 0, 0, 0), 1.0)
    assert [finding.oracle for finding in scene.judge().findings] == ["values"]


def test_where_any_values_are_right_only_promised_strides_are_a_check(make_scene: Any) -> None:
    """Random numbers differ from the reference and from call to call; without a promise nothing was checked."""
    scene = make_scene(np.zeros_like(RAMP), "unspecified")
    scene.poke("output[0]", ..., np.nan)
    scene.change(unrepeated=("output[0]",))
    assert scene.judge().findings == ()
    assert reasons(scene) == {"nothing judged": ()}
    scene.case = replace(scene.case, channels_last=True)
    scene.strides("output[0]", NHWC, layouts=("drawn", "contiguous"))
    assert scene.judge().findings == ()
    assert reasons(scene) == {}
    scene.strides("output[0]", (12, 4, 2, 1))
    assert [finding.oracle for finding in scene.judge().findings] == ["strides"]
