"""What to write in place of a call that loses the format."""

from __future__ import annotations

import pytest

from harness.models.advice import instead, places_put_back, places_to_change
from harness.models.image_call import LayoutLoss
from tests.models.calls import image_call

VOLUME = "NCPPP"
SHUFFLED = "NCCPP"
STACK = "NNCPP"


def test_the_same_line_in_several_modules_is_one_place() -> None:
    """It says how many there are; what loses nothing is no place."""
    blocks = [image_call(f"blocks.{index}", "", loses=LayoutLoss.GIVES, line="net.py:3") for index in range(12)]
    [place] = places_to_change([image_call("conv"), *blocks])
    assert len(place.calls) == 12
    assert place.sentence.startswith("blocks.0 (Module): ")


def test_a_line_that_is_not_known_does_not_merge_modules() -> None:
    """Each module is a place by itself."""
    calls = [image_call(name, "", loses=LayoutLoss.GIVES) for name in ("a", "b")]
    assert [len(place.calls) for place in places_to_change(calls)] == [1, 1]


def test_what_is_put_back_right_behind_is_no_place_but_a_copy() -> None:
    """One for each line of source too; a replacement that keeps the format is said, nothing else."""
    norms = [
        image_call(name, "normalisation", loses=LayoutLoss.PUT_BACK, gave="nchw", line="net.py:3") for name in "ab"
    ]
    stack = image_call("c", "", function="torch.stack", loses=LayoutLoss.PUT_BACK, gave="nchw", line="net.py:4")
    assert places_to_change([*norms, stack]) == []
    first, second = places_put_back([image_call("conv"), *norms, stack])
    assert first.sentence.endswith("got NHWC and gave NCHW, which is put back right behind it (net.py:3)")
    assert (len(first.calls), first.instead) == (2, "")
    assert "an addition keeps the format" in second.instead


@pytest.mark.parametrize(
    ("function", "loses", "axes", "words"),
    [
        ("torch.Tensor.sum", LayoutLoss.GIVES, STACK, "an addition keeps the format"),
        ("torch.stack", LayoutLoss.GIVES, "NCPP", "an addition keeps the format"),
        (
            "torch.Tensor.sum",
            LayoutLoss.GIVES,
            "NCPP",
            "behind it: x = x.contiguous(",
        ),
        ("torch.Tensor.contiguous", LayoutLoss.GIVES, "NCPP", "contiguous(memory_format=torch.channels_last)"),
        ("torch.Tensor.contiguous", LayoutLoss.GIVES, VOLUME, "contiguous(memory_format=torch.channels_last_3d)"),
        ("torch.Tensor.contiguous", LayoutLoss.GIVES, SHUFFLED, "torch.nn.functional.channel_shuffle"),
        ("torch.Tensor.view", LayoutLoss.RAISES, "NCPP", "reshape in place of view"),
        ("torch.fft.rfft2", LayoutLoss.GIVES, "NCPP", "behind it"),
        ("torch.fft.rfft2", LayoutLoss.GIVES, STACK, "memory_format=torch.channels_last)"),
        ("torch.fft.rfft2", LayoutLoss.GIVES, VOLUME, "memory_format=torch.channels_last_3d"),
    ],
)
def test_what_to_write_instead(function: str, loses: LayoutLoss, axes: str, words: str) -> None:
    """By the function and what it is given: a stack, groups of channels, a volume; in the format of that image."""
    assert words in instead(image_call("a", "", function=function, loses=loses, axes=axes))


def test_a_convolution_that_gets_nchw_wants_the_format_back_before_it() -> None:
    """The call itself is right."""
    assert "before it" in instead(image_call("a", loses=LayoutLoss.GETS, got="nchw"))


def test_a_single_pixel_is_expanded() -> None:
    """Its strides say both formats, and an interpolation takes it for NCHW."""
    call = image_call("pooled", "resampling", loses=LayoutLoss.GIVES, got="either", gave="nchw", shape=(2, 8, 1, 1))
    assert "x.expand(-1, -1, H, W)" in instead(call)
