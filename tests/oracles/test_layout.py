"""The strides oracle: who must hand which memory format on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from harness.core import Numerics, TensorSpec

SHAPE = (2, 3, 4, 5)
NCHW, NHWC, PERMUTED = (60, 20, 5, 1), (60, 1, 15, 3), (1, 2, 6, 24)
RAMP = np.arange(120.0).reshape(SHAPE)


@pytest.fixture
def scene(stage: Any) -> Any:
    """`input` drawn channels-last, the output preserves it, and it does."""
    scene = stage({"output[0]": RAMP, "grad:input": RAMP})
    scene.case = replace(scene.case, preserves=("input",))
    scene.change(inputs={"input": NHWC, "grad_output[0]": NHWC})
    scene.strides("output[0]", NHWC)
    scene.strides("grad:input", NHWC)
    return scene


def stride_messages(scene: Any) -> list[str]:
    """The messages of the strides oracle."""
    return [finding.message for finding in scene.judge().findings if finding.oracle == "strides"]


def test_channels_last_in_and_out_passes(scene: Any) -> None:
    """An operator that preserves both formats has no finding."""
    assert scene.judge().findings == ()


def test_channels_last_in_and_contiguous_out_is_a_layout_finding(scene: Any) -> None:
    """The exact strides due are in the sentence."""
    scene.strides("output[0]", NCHW)
    (finding,) = scene.judge().findings
    assert finding.message == "output[0] has strides (60, 20, 5, 1) where channels-last strides (60, 1, 15, 3) are due"
    assert (finding.oracle, finding.kind, finding.cells["avx2"]) == ("strides", "layout", 1.0)


@pytest.mark.parametrize("layout", ["drawn", "contiguous"])
def test_an_output_that_is_always_channels_last_is_so_whatever_comes_in(scene: Any, layout: str) -> None:
    """Contiguous inputs change nothing about it; of its gradient nothing is stride_messages."""
    scene.case = replace(scene.case, preserves=(), channels_last=True)
    scene.change(inputs={"input": NCHW, "grad_output[0]": NCHW})
    scene.strides("output[0]", NHWC, layouts=("drawn", "contiguous"))
    scene.strides("grad:input", PERMUTED)
    assert stride_messages(scene) == []
    scene.strides("output[0]", NCHW, layouts=(layout,))
    assert len(stride_messages(scene)) == 1


def test_sliced_channels_last_in_gives_dense_channels_last_out(scene: Any) -> None:
    """A view that suggests channels-last promises a dense channels-last output."""
    scene.change(inputs={"input": (120, 1, 30, 6), "grad_output[0]": NHWC})
    assert stride_messages(scene) == []
    scene.strides("output[0]", (120, 1, 30, 6))
    assert len(stride_messages(scene)) == 1


@pytest.mark.parametrize("strides", [PERMUTED, (0, 20, 5, 1)])
def test_an_ambiguous_input_promises_nothing(scene: Any, strides: tuple[int, ...]) -> None:
    """Permuted and expanded inputs leave the output's strides open."""
    scene.change(inputs={"input": strides, "grad_output[0]": NHWC})
    for due in (NCHW, NHWC, PERMUTED):
        scene.strides("output[0]", due)
        scene.strides("grad:input", due)
        assert stride_messages(scene) == []


def test_contiguous_drawn_in_means_contiguous_out(scene: Any) -> None:
    """The promise holds in both directions."""
    scene.change(inputs={"input": (120, 40, 10, 2), "grad_output[0]": NCHW})
    assert stride_messages(scene) == [
        "output[0] has strides (60, 1, 15, 3) where contiguous strides (60, 20, 5, 1) are due",
        "grad:input has strides (60, 1, 15, 3) where contiguous strides (60, 20, 5, 1) are due",
    ]


def test_the_contiguous_run_must_give_contiguous_outputs(scene: Any) -> None:
    """In all-contiguous runs channels-last out is a finding, unless strides are unspecified."""
    scene.strides("output[0]", NHWC, layouts=("contiguous",))
    assert stride_messages(scene) == [
        "output[0] has strides (60, 1, 15, 3) where contiguous strides (60, 20, 5, 1) are due"
    ]
    scene.case = replace(scene.case, preserves=())
    assert stride_messages(scene) == []


def test_an_operator_that_is_always_contiguous_must_be(scene: Any) -> None:
    """`preserves` None: contiguous whatever comes in, and gradients are left open."""
    scene.case = replace(scene.case, preserves=None)
    assert stride_messages(scene) == [
        "output[0] has strides (60, 1, 15, 3) where contiguous strides (60, 20, 5, 1) are due"
    ]


def test_one_channels_last_tensor_of_those_named_is_enough(scene: Any) -> None:
    """As in a convolution, whose weight alone makes the output channels-last; absent tensors do not count."""
    scene.case = replace(scene.case, preserves=("input", "weight", "bias"))
    scene.reference = replace(scene.reference, inputs={"input": RAMP, "weight": RAMP})
    scene.change(inputs={"input": NCHW, "weight": NHWC})
    assert stride_messages(scene) == []
    scene.change(inputs={"input": NCHW, "weight": PERMUTED})
    scene.strides("output[0]", PERMUTED)
    assert stride_messages(scene) == []
    scene.change(inputs={"input": NCHW, "weight": NCHW})
    assert len(stride_messages(scene)) == 1


@pytest.mark.parametrize(("own", "grad_output", "free"), [(NHWC, NHWC, False), (NCHW, NHWC, True), (NHWC, NCHW, True)])
def test_a_gradient_has_the_format_that_input_and_grad_output_share(
    scene: Any, own: Any, grad_output: Any, free: bool
) -> None:
    """Operators follow one or the other; only where both agree is the gradient's format due."""
    scene.change(inputs={"input": own, "grad_output[0]": grad_output})
    scene.strides("output[0]", own)
    scene.strides("grad:input", PERMUTED)
    assert (stride_messages(scene) == []) is free


@pytest.mark.parametrize(
    ("layout", "count"),
    [("channels_last", 1), ("channels_last:slice_c", 1), ("contiguous", 0), ("channels_last:loaded", 0), ("", 0)],
)
def test_grad_outputs_layout_name_stands_in_for_its_strides(scene: Any, layout: str, count: int) -> None:
    """Where the strides of grad_output were not recorded its name tells the format, if the name is plain."""
    scene.example = scene.example.but(layouts={"input": "channels_last", "grad_output": layout})
    scene.change(inputs={"input": NHWC})
    scene.strides("grad:input", NCHW)
    assert len(stride_messages(scene)) == count


def test_gradients_of_tensors_that_are_not_named_are_left_open(scene: Any) -> None:
    """A bias, or a weight that the format does not follow, may have any strides; so may an unrecorded input's."""
    scene.case = replace(scene.case, preserves=("other",))
    scene.strides("grad:input", PERMUTED)
    assert stride_messages(scene) == []
    scene.case = replace(scene.case, preserves=("input",))
    scene.change(inputs={})
    assert stride_messages(scene) == []


def test_a_gradient_of_a_vector_output_has_no_shared_format(stage: Any) -> None:
    """A full reduction hands no format back: its grad_output has none."""
    scene = stage({"output[0]": np.array(3.0), "grad:input": RAMP})
    scene.case = replace(scene.case, preserves=("input",))
    scene.reference = replace(scene.reference, inputs={"input": RAMP})
    scene.example = scene.example.but(layouts={"grad_output": "channels_last"})
    scene.change(inputs={"input": NHWC})
    assert stride_messages(scene) == []


def test_outputs_of_another_rank_and_empty_ones_are_skipped(stage: Any) -> None:
    """Only outputs of the first tensor's rank carry its format, and empty ones carry none."""
    flat = stage({"output[0]": np.arange(6.0).reshape(2, 3)})
    flat.case = replace(flat.case, preserves=None)
    flat.reference = replace(flat.reference, inputs={"input": RAMP})
    flat.strides("output[0]", (1, 2))
    assert stride_messages(flat) == []
    empty = stage({"output[0]": np.zeros((0, 3, 4, 5))})
    empty.case = replace(empty.case, preserves=None)
    empty.strides("output[0]", (1, 1, 1, 1))
    assert stride_messages(empty) == []


def test_strides_of_size_one_dimensions_are_free(stage: Any) -> None:
    """A 1x1 output is both; a one-channel output in the channels-last run is due channels-last over the rest."""
    scene = stage({"output[0]": np.arange(40.0).reshape(2, 1, 4, 5)})
    scene.case = replace(scene.case, preserves=("input",))
    scene.reference = replace(scene.reference, inputs={"input": RAMP})
    scene.change(inputs={"input": NHWC})
    scene.strides("output[0]", (20, 1, 5, 1))
    assert stride_messages(scene) == []
    scene.strides("output[0]", (20, 20, 5, 1))
    assert stride_messages(scene) == []


def test_an_in_place_result_keeps_its_inputs_strides(scene: Any) -> None:
    """Permuted or sliced, the tensor that was overwritten is the tensor that comes back."""
    scene.example = scene.example.but(inplace=True)
    scene.case = replace(scene.case, inplace="inplace", tensors=(TensorSpec("input", ()),))
    scene.change(inputs={"input": PERMUTED})
    assert stride_messages(scene) == [
        "output[0] has strides (60, 1, 15, 3) where its input's own strides (1, 2, 6, 24) are due"
    ]
    scene.strides("output[0]", PERMUTED)
    assert stride_messages(scene) == []


def test_five_dimensional_outputs_are_due_channels_last_3d(stage: Any) -> None:
    """NCDHW in NDHWC storage is handed on as such."""
    volume = np.arange(240.0).reshape(2, 3, 2, 4, 5)
    scene = stage({"output[0]": volume}, Numerics("exact", "exact"))
    scene.case = replace(scene.case, preserves=("input",))
    scene.change(inputs={"input": (120, 1, 60, 15, 3)})
    assert stride_messages(scene) == [
        "output[0] has strides (120, 40, 20, 5, 1) where channels-last strides (120, 1, 60, 15, 3) are due"
    ]


def test_a_gradient_may_be_grad_output_itself(scene: Any) -> None:
    """An identity hands on the view that it was given: those strides are as good as dense ones, and no others are."""
    sliced = (120, 1, 30, 6)
    scene.change(inputs={"input": NHWC, "grad_output[0]": sliced})
    scene.strides("grad:input", sliced)
    assert stride_messages(scene) == []
    scene.strides("grad:input", (180, 1, 45, 9))
    assert len(stride_messages(scene)) == 1
    scene.strides("output[0]", sliced)
    assert len(stride_messages(scene)) == 2


def test_a_shared_format_is_that_of_all(scene: Any) -> None:
    """Channels-last only where every named tensor is; one contiguous one decides, an ambiguous one leaves it open."""
    other = TensorSpec("other", ())
    scene.case = replace(scene.case, preserves=("input", "other"), shared=True, tensors=(*scene.case.tensors, other))
    scene.reference = replace(scene.reference, inputs={"input": RAMP, "other": RAMP})
    for strides, due in ((NHWC, NHWC), (NCHW, NCHW), (PERMUTED, None)):
        scene.change(inputs={"input": NHWC, "other": strides, "grad_output[0]": NHWC})
        for output in (NHWC, NCHW):
            scene.strides("output[0]", output)
            assert bool([text for text in stride_messages(scene) if text.startswith("output")]) == (
                due not in (None, output)
            )


def test_what_was_given_to_out_keeps_its_strides(scene: Any) -> None:
    """Whatever the case promises of outputs that the operator makes itself."""
    scene.change(inputs={"input": NHWC, "out[0]": NCHW})
    assert [text for text in stride_messages(scene) if text.startswith("output")] == [
        "output[0] has strides (60, 1, 15, 3) where the strides it was given (60, 20, 5, 1) are due"
    ]
    scene.strides("output[0]", NCHW)
    assert not [text for text in stride_messages(scene) if text.startswith("output")]


@pytest.mark.parametrize("path", ["vmap", "vmap_last", "vmap_one", "per_sample"])
def test_a_slice_of_a_batched_call_promises_no_strides(scene: Any, path: str) -> None:
    """Under vmap the batching rule decides where the dimension of the copies goes."""
    scene.strides("output[0]", NCHW)
    scene.example = replace(scene.example, path=path)
    assert not [text for text in stride_messages(scene) if text.startswith("output")]


def test_a_tangent_promises_no_strides(stage: Any) -> None:
    """Only the output it belongs to does."""
    scene = stage({"output[0]": RAMP, "jvp:output[0]": RAMP})
    scene.case = replace(scene.case, preserves=("input",))
    scene.change(inputs={"input": NHWC})
    scene.strides("output[0]", NHWC)
    assert stride_messages(scene) == []
