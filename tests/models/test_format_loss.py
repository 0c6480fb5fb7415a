"""Where a model loses channels-last: the calls that do, one for each module."""

from __future__ import annotations

import pytest

from harness.models.format_loss import format_losses
from harness.models.image_call import LayoutLoss
from tests.models.calls import image_call


def test_calls_that_keep_the_format_are_no_losses() -> None:
    """What a call raises is not said here either: the run that raised says it. Nor what is put back behind a call."""
    calls = [image_call("conv"), image_call("", loses=LayoutLoss.RAISES), image_call("", loses=LayoutLoss.PUT_BACK)]
    assert list(format_losses(calls)) == []


@pytest.mark.parametrize(
    ("loses", "got", "words"),
    [
        (LayoutLoss.GIVES, "nhwc", "got NHWC and gave NCHW"),
        (LayoutLoss.GIVES, "either", "got what is in both formats, and gave NCHW"),
        (LayoutLoss.GETS, "nchw", "got NCHW"),
    ],
)
def test_a_loss_says_the_module_the_function_what_happened_and_the_line(
    loses: LayoutLoss, got: str, words: str
) -> None:
    """The sentence is enough to find the place."""
    call = image_call("block", function="torch.Tensor.sum", loses=loses, got=got, gave="nchw", line="net.py:7")
    [loss] = format_losses([call])
    assert (loss.path, loss.message) == ("block", f"block (Module): torch.Tensor.sum {words} (net.py:7)")


def test_a_module_is_named_once_by_the_first_of_its_calls() -> None:
    """Its later calls may lose it in consequence; other modules are named for themselves."""
    first, second = (image_call("a", function=name, loses=LayoutLoss.GIVES, gave="nchw") for name in ("f", "g"))
    losses = list(format_losses([first, second, image_call("", loses=LayoutLoss.GIVES, gave="nchw")]))
    assert [loss.path for loss in losses] == ["a", ""]
    assert ": f got" in losses[0].message
    assert losses[1].message.startswith("the model's own forward (Module): ")
