"""Where a model loses channels-last."""

from __future__ import annotations

from dataclasses import replace

from harness.models.format_loss import losses
from harness.models.model import ModuleRecord


def call(path: str, given: str, returned: str, *, alias: bool = False, parent: bool = False) -> ModuleRecord:
    """One call of a module with one image in and one out."""
    return ModuleRecord(path, "Module", (given,), (returned,), alias, parent)


def told(*calls: ModuleRecord) -> list[str]:
    """The paths of the modules that lost the format."""
    return [loss.path for loss in losses(calls)]


def test_a_model_that_keeps_the_format_loses_nothing() -> None:
    """NHWC in and NHWC out, at every module."""
    assert told(call("a", "nhwc", "nhwc"), call("", "nhwc", "nhwc", parent=True)) == []


def test_a_module_that_gives_nchw_for_nhwc_lost_it() -> None:
    """The parent, which hands on what its child gave it, is not blamed as well."""
    calls = [call("a", "nhwc", "nhwc"), call("b", "nhwc", "nchw"), call("c", "nchw", "nchw")]
    assert told(*calls, call("", "nhwc", "nchw", parent=True)) == ["b"]


def test_a_forward_that_turns_its_image_loses_nothing() -> None:
    """What the next module gets is the image with its features last: contiguous strides are right for it."""
    norm = replace(call("layer.norm", "nchw", "nchw"), turned=True)
    calls = [call("layer.a", "nhwc", "nhwc"), norm, call("layer", "nhwc", "nchw", parent=True)]
    assert told(*calls, call("", "nhwc", "nchw", parent=True)) == []
    assert told(calls[0], replace(norm, turned=False), calls[2]) == ["layer"]


def test_a_forward_that_loses_it_between_its_modules_is_named() -> None:
    """A child that gets NCHW, where all before it gave NHWC, points at the code in between."""
    calls = [
        call("layer.a", "nhwc", "nhwc"),
        call("layer.b", "nchw", "nhwc"),
        call("layer", "nhwc", "nhwc", parent=True),
    ]
    [loss] = losses([*calls, call("", "nhwc", "nhwc", parent=True)])
    assert loss.path == "layer"
    assert "gave layer.b (Module) NCHW" in loss.message


def test_a_view_is_no_loss() -> None:
    """A permuted view has other strides and moved nothing."""
    assert told(call("permute", "nhwc", "nchw", alias=True)) == []


def test_what_is_made_of_a_turned_view_is_no_loss() -> None:
    """Contiguous strides of (N, H, W, C) are what channels-last was of (N, C, H, W): the stem of a Swin transformer."""
    calls = [
        call("stem.conv", "nhwc", "nhwc"),
        call("stem.permute", "nhwc", "nchw", alias=True),
        call("stem.norm", "nchw", "nchw"),
    ]
    assert told(*calls, call("stem", "nhwc", "nchw", parent=True), call("", "nhwc", "nchw", parent=True)) == []
    assert told(*calls, call("stem", "nhwc", "nchw", parent=True), call("lost", "nhwc", "nchw")) == ["lost"]


def test_a_linear_layer_takes_no_image() -> None:
    """Four dimensions, features last, whose strides are channels-last by accident: a table that was converted."""
    linear = replace(call("mlp.0", "nhwc", "nchw"), kind="Linear")
    calls = [linear, call("mlp.1", "nchw", "nchw"), call("mlp", "nhwc", "nchw", parent=True)]
    assert told(*calls) == []
    assert told(call("mlp.0", "nhwc", "nchw"), *calls[1:]) == ["mlp.0"]


def test_images_too_small_to_tell_say_nothing() -> None:
    """One pixel is in both formats."""
    assert told(call("pool", "nhwc", "either"), call("fc", "either", "nchw")) == []


def test_nchw_in_is_nobody_s_loss() -> None:
    """Only what got channels-last can lose it."""
    assert told(call("a", "nchw", "nchw"), call("", "nchw", "nchw", parent=True)) == []


def bare(path: str) -> ModuleRecord:
    """One call of a module that gets and gives no image."""
    return ModuleRecord(path, "Module", (), (), alias=False, parent=True)


def test_masks_of_one_channel_do_not_hide_what_is_within() -> None:
    """A detector that was given no image and gives what is in either format stands for its modules too."""
    body = [call("detector.body", "nchw", "nhwc"), call("detector.pool", "nhwc", "nchw")]
    detector = replace(bare("detector"), returned=("either",))
    assert told(*body, detector, replace(call("", "nhwc", "either"), parent=True)) == ["detector.pool", ""]


def test_what_gets_no_image_itself_is_looked_into() -> None:
    """A detector is given a list of images of three dimensions, and what it makes of them is NCHW."""
    calls = [
        bare("detector.transform"),
        call("detector.body.conv", "nchw", "nhwc"),
        call("detector.body", "nchw", "nhwc"),
    ]
    [loss] = losses([*calls, bare("detector"), replace(call("", "nhwc", "nhwc", parent=True), returned=())])
    assert loss.path == ""
    assert "gave detector.body (Module) NCHW" in loss.message


def test_a_loss_before_that_of_a_child_is_told_as_well() -> None:
    """The model's own forward gives NCHW to the first module, and a later one loses what that made of it."""
    calls = [
        call("body", "nchw", "nhwc"),
        call("heads.pool", "nhwc", "nchw"),
        call("heads", "nhwc", "either", parent=True),
    ]
    assert told(*calls, call("", "nhwc", "either", parent=True)) == ["heads.pool", ""]


def test_a_list_of_modules_is_no_module_in_between() -> None:
    """The modules in it are called by the one that holds the list."""
    calls = [call("layers.blocks.0", "nhwc", "nhwc"), call("layers.blocks.1", "nchw", "nhwc")]
    assert told(*calls, call("layers", "nhwc", "nhwc", parent=True)) == ["layers"]
