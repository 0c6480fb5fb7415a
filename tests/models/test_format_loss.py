"""Where a model loses channels-last."""

from __future__ import annotations

from dataclasses import replace

from harness.models.format_loss import format_losses
from harness.models.model import ModuleRecord


def call(
    path: str, input_format: str, output_format: str, *, is_view: bool = False, is_parent: bool = False
) -> ModuleRecord:
    """One call of a module with one image in and one out."""
    return ModuleRecord(path, "Module", (input_format,), (output_format,), is_view, is_parent)


def losing_paths(*calls: ModuleRecord) -> list[str]:
    """The paths of the modules that lost the format."""
    return [loss.path for loss in format_losses(calls)]


def test_a_model_that_keeps_the_format_loses_nothing() -> None:
    """NHWC in and NHWC out, at every module."""
    assert losing_paths(call("a", "nhwc", "nhwc"), call("", "nhwc", "nhwc", is_parent=True)) == []


def test_a_module_that_gives_nchw_for_nhwc_lost_it() -> None:
    """The parent, which hands on what its child gave it, is not blamed as well."""
    calls = [call("a", "nhwc", "nhwc"), call("b", "nhwc", "nchw"), call("c", "nchw", "nchw")]
    assert losing_paths(*calls, call("", "nhwc", "nchw", is_parent=True)) == ["b"]


def test_a_forward_that_turns_its_image_loses_nothing() -> None:
    """What the next module gets is the image with its features last: contiguous strides are right for it."""
    norm = replace(call("layer.norm", "nchw", "nchw"), permuted_input=True)
    calls = [call("layer.a", "nhwc", "nhwc"), norm, call("layer", "nhwc", "nchw", is_parent=True)]
    assert losing_paths(*calls, call("", "nhwc", "nchw", is_parent=True)) == []
    assert losing_paths(calls[0], replace(norm, permuted_input=False), calls[2]) == ["layer"]


def test_a_forward_that_loses_it_between_its_modules_is_named() -> None:
    """A child that gets NCHW, where all before it gave NHWC, points at the code in between."""
    calls = [
        call("layer.a", "nhwc", "nhwc"),
        call("layer.b", "nchw", "nhwc"),
        call("layer", "nhwc", "nhwc", is_parent=True),
    ]
    [loss] = format_losses([*calls, call("", "nhwc", "nhwc", is_parent=True)])
    assert loss.path == "layer"
    assert "gave layer.b (Module) NCHW" in loss.message


def test_a_view_is_no_loss() -> None:
    """A permuted view has other strides and moved nothing."""
    assert losing_paths(call("permute", "nhwc", "nchw", is_view=True)) == []


def test_what_is_made_of_a_turned_view_is_no_loss() -> None:
    """Contiguous strides of (N, H, W, C) are what channels-last was of (N, C, H, W): the stem of a Swin transformer."""
    calls = [
        call("stem.conv", "nhwc", "nhwc"),
        call("stem.permute", "nhwc", "nchw", is_view=True),
        call("stem.norm", "nchw", "nchw"),
    ]
    assert (
        losing_paths(*calls, call("stem", "nhwc", "nchw", is_parent=True), call("", "nhwc", "nchw", is_parent=True))
        == []
    )
    assert losing_paths(*calls, call("stem", "nhwc", "nchw", is_parent=True), call("lost", "nhwc", "nchw")) == ["lost"]


def test_a_linear_layer_takes_no_image() -> None:
    """Four dimensions, features last, whose strides are channels-last by accident: a table that was converted."""
    linear = replace(call("mlp.0", "nhwc", "nchw"), class_name="Linear")
    calls = [linear, call("mlp.1", "nchw", "nchw"), call("mlp", "nhwc", "nchw", is_parent=True)]
    assert losing_paths(*calls) == []
    assert losing_paths(call("mlp.0", "nhwc", "nchw"), *calls[1:]) == ["mlp.0"]


def test_images_too_small_to_tell_say_nothing() -> None:
    """One pixel is in both formats."""
    assert losing_paths(call("pool", "nhwc", "either"), call("fc", "either", "nchw")) == []


def test_nchw_in_is_nobody_s_loss() -> None:
    """Only what got channels-last can lose it."""
    assert losing_paths(call("a", "nchw", "nchw"), call("", "nchw", "nchw", is_parent=True)) == []


def bare(path: str) -> ModuleRecord:
    """One call of a module that gets and gives no image."""
    return ModuleRecord(path, "Module", (), (), is_view=False, is_parent=True)


def test_masks_of_one_channel_do_not_hide_what_is_within() -> None:
    """A detector that was given no image and gives what is in either format stands for its modules too."""
    body = [call("detector.body", "nchw", "nhwc"), call("detector.pool", "nhwc", "nchw")]
    detector = replace(bare("detector"), output_formats=("either",))
    assert losing_paths(*body, detector, replace(call("", "nhwc", "either"), is_parent=True)) == ["detector.pool", ""]


def test_what_gets_no_image_itself_is_looked_into() -> None:
    """A detector is given a list of images of three dimensions, and what it makes of them is NCHW."""
    calls = [
        bare("detector.transform"),
        call("detector.body.conv", "nchw", "nhwc"),
        call("detector.body", "nchw", "nhwc"),
    ]
    [loss] = format_losses(
        [*calls, bare("detector"), replace(call("", "nhwc", "nhwc", is_parent=True), output_formats=())]
    )
    assert loss.path == ""
    assert "gave detector.body (Module) NCHW" in loss.message


def test_a_loss_before_that_of_a_child_is_told_as_well() -> None:
    """The model's own forward gives NCHW to the first module, and a later one loses what that made of it."""
    calls = [
        call("body", "nchw", "nhwc"),
        call("heads.pool", "nhwc", "nchw"),
        call("heads", "nhwc", "either", is_parent=True),
    ]
    assert losing_paths(*calls, call("", "nhwc", "either", is_parent=True)) == ["heads.pool", ""]


def test_a_list_of_modules_is_no_module_in_between() -> None:
    """The modules in it are called by the one that holds the list."""
    calls = [call("layers.blocks.0", "nhwc", "nhwc"), call("layers.blocks.1", "nchw", "nhwc")]
    assert losing_paths(*calls, call("layers", "nhwc", "nhwc", is_parent=True)) == ["layers"]
