"""One forward pass that is followed: where images lose channels-last, and what is no image."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812 - as everybody calls it

from tests.execution.stand import module

SHAPE = (2, 3, 8, 8)


class Forward(nn.Module):
    """A convolution, what is under test, and another convolution."""

    def __init__(self, middle: Any, rank: int = 2) -> None:
        super().__init__()
        kind = nn.Conv2d if rank == 2 else nn.Conv3d
        self.first, self.last, self.middle = kind(3, 8, 3, padding=1), kind(8, 8, 3, padding=1), middle

    def forward(self, x: Any) -> Any:
        """One after the other."""
        return self.last(self.middle(self.first(x)))


def follow(model: Any, *shape: int) -> list[dict[str, Any]]:
    """The calls of a converted model with a converted image of ones."""
    image = torch.ones(shape)
    name = torch.channels_last if len(shape) == 4 else torch.channels_last_3d
    if len(shape) in (4, 5):
        model, image = model.to(memory_format=name), image.to(memory_format=name)
    trace = module("models.layout_trace").LayoutTrace(model, [image], [True])
    with torch.no_grad(), trace.follow():
        trace.note_end(model(image))
    calls: list[dict[str, Any]] = trace.calls
    return calls


def losses(middle: Any, shape: tuple[int, ...] = SHAPE) -> list[tuple[str, str, str]]:
    """How what is between two convolutions loses the format: function, in which way, in which module."""
    calls = follow(Forward(middle, len(shape) - 2), *shape)
    return [(call["function"].rpartition(".")[2], call["loses"], call["module"]) for call in calls if call["loses"]]


def tokens(x: Any, order: Any = lambda x: x) -> Any:
    """A map as tokens, (N, pixels, C), and as a map again."""
    n, c, h, w = x.shape
    return order(x.flatten(2).transpose(1, 2).reshape(n, h, w, c).permute(0, 3, 1, 2))


def attention(x: Any) -> Any:
    """A map through a product of all its tokens, contiguous behind it."""
    n, c, h, w = x.shape
    flat = x.flatten(2).transpose(1, 2)
    mixed = torch.einsum("npq,nqc->ncp", flat @ flat.transpose(1, 2), flat)
    return mixed.reshape(n, c, h, w).contiguous()


@pytest.mark.parametrize(
    "middle",
    [
        F.relu,
        nn.BatchNorm2d(8),
        lambda x: F.layer_norm(x.permute(0, 2, 3, 1), (8,)).permute(0, 3, 1, 2),
        lambda x: F.linear(x.permute(0, 2, 3, 1), torch.ones(8, 8)).permute(0, 3, 1, 2),
        tokens,
        lambda x: x + x.mean((2, 3), keepdim=True),
        lambda x: torch.cat(x.chunk(2, 1), 1),
        lambda x: F.interpolate(F.max_pool2d(x, 2), scale_factor=2),
    ],
    ids=["relu", "batch_norm", "layer_norm", "linear", "tokens", "pooled", "chunks", "resampled"],
)
def test_what_keeps_the_channels_innermost_loses_nothing(middle: Any) -> None:
    """Features-last layers, tokens and views are no losses, and both convolutions get NHWC."""
    assert losses(middle) == []
    assert [call["input_formats"] for call in follow(Forward(middle), *SHAPE) if call["kind"] == "convolution"] == [
        ["nhwc"],
        ["nhwc"],
    ]


@pytest.mark.parametrize(
    ("middle", "function"),
    [
        (lambda x: x.contiguous(), "contiguous"),
        (lambda x: tokens(x, lambda x: x.contiguous()), "contiguous"),
        (lambda x: torch.stack([x, x]).sum(0), "sum"),
        (lambda x: torch.stack(list(x)), "stack"),
        (lambda x: torch.fft.ifft2(torch.fft.fft2(x)).real, "fft2"),
        (lambda x: F.interpolate(x.mean((2, 3), keepdim=True), size=(8, 8)), "interpolate"),
        (F.instance_norm, "instance_norm"),
    ],
    ids=["contiguous", "tokens", "sum", "samples", "fft", "single pixel", "instance_norm"],
)
def test_the_call_that_gives_nchw_is_named_once(middle: Any, function: str) -> None:
    """What gets NCHW in consequence of it is not named as well."""
    assert losses(middle) == [(function, "gives nchw", "")]


@pytest.mark.parametrize(
    "middle",
    [
        lambda x: F.instance_norm(x).contiguous(memory_format=torch.channels_last),
        lambda x: F.instance_norm(x).to(memory_format=torch.channels_last),
        lambda x: F.instance_norm(x).clone(memory_format=torch.channels_last),
        lambda x: torch.stack([x, x]).sum(0).contiguous(memory_format=torch.channels_last),
    ],
    ids=["contiguous", "to", "clone", "not an image function"],
)
def test_a_loss_that_the_only_next_call_undoes_is_put_back(middle: Any) -> None:
    """The format is asked for by name: both convolutions get NHWC, and what it costs is a copy."""
    assert [how for _, how, _ in losses(middle)] == ["put back"]
    convolutions = [call for call in follow(Forward(middle), *SHAPE) if call["kind"] == "convolution"]
    assert [call["input_formats"] for call in convolutions] == [["nhwc"], ["nhwc"]]


def put_back_beside(x: Any) -> Any:
    """The format is put back for one of two calls."""
    lost = F.instance_norm(x)
    return lost.contiguous(memory_format=torch.channels_last) + lost


def put_back_after_reading(x: Any) -> Any:
    """The format is put back after another call has worked on NCHW."""
    lost = F.instance_norm(x)
    return torch.relu(lost) + lost.contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize(
    "middle",
    [
        F.instance_norm,
        put_back_beside,
        put_back_after_reading,
        lambda x: F.relu(F.instance_norm(x)).contiguous(memory_format=torch.channels_last),
        lambda x: F.instance_norm(x).contiguous().contiguous(memory_format=torch.channels_last),
    ],
    ids=["convolution", "one of two", "second of two", "one call later", "contiguous between"],
)
def test_a_loss_that_another_call_takes_as_it_is_stays_one(middle: Any) -> None:
    """A convolution restores the format too, but nobody has asked it to; what else takes the result works in NCHW."""
    assert losses(middle) == [("instance_norm", "gives nchw", "")]


def test_what_the_model_returns_is_taken_as_it_is() -> None:
    """A result in NCHW that is put back for a part of the model leaves it in NCHW too."""

    class Both(nn.Module):
        """Returns what it has put back as well."""

        def forward(self, x: Any) -> Any:
            """The same numbers in both formats."""
            lost = F.instance_norm(x)
            return lost, lost.contiguous(memory_format=torch.channels_last)

    assert [call["loses"] for call in follow(Both(), *SHAPE)] == ["gives nchw"]


def test_the_line_is_that_of_the_source_which_is_not_torch_s() -> None:
    """A module of torch's own stands for the line that calls it."""
    lost = next(call for call in follow(Forward(lambda x: x.contiguous()), *SHAPE) if call["loses"])
    file, line = lost["line"]
    assert file == __file__
    assert "x.contiguous()" in Path(file).read_text("utf-8").splitlines()[line - 1]


def test_a_convolution_that_gets_nchw_on_a_way_that_cannot_be_followed_is_named() -> None:
    """Whatever came before: its sides are those of an image of the network."""
    assert losses(attention) == [("conv2d", "gets nchw", "last")]


def test_boxes_are_no_pixels() -> None:
    """The head of a YOLO has (N, 16, 4, anchors) and a convolution of one tap on it: that is no image."""

    class Boxes(nn.Module):
        """Distributions over 16 bins for 4 sides of each anchor."""

        def __init__(self) -> None:
            super().__init__()
            self.first, self.bins = nn.Conv2d(3, 64, 3), nn.Conv2d(16, 1, 1)

        def forward(self, x: Any) -> Any:
            """Their means."""
            x = self.first(x).flatten(2)
            return self.bins(x.view(len(x), 4, 16, -1).transpose(2, 1).softmax(1))

    calls = follow(Boxes(), *SHAPE)
    assert [(call["module"], call["loses"]) for call in calls] == [("first", "")]


def test_weights_that_are_computed_are_no_images() -> None:
    """A parametrization works on tensors of four dimensions, and none of its calls is noted."""
    model = nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Conv2d(3, 8, 3)))
    assert [call["kind"] for call in follow(model, *SHAPE)] == ["convolution"]


def test_calls_by_keyword_are_followed() -> None:
    """Between modules, and of functions."""

    class ByName(nn.Module):
        """Every call by name."""

        def __init__(self) -> None:
            super().__init__()
            self.conv, self.norm = nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8)

        def forward(self, x: Any) -> Any:
            """The convolution and its norm."""
            return F.max_pool2d(input=self.norm(input=self.conv(input=x)), kernel_size=2)

    calls = follow(ByName(), *SHAPE)
    assert [(call["kind"], call["output_formats"]) for call in calls] == [
        ("convolution", ["nhwc"]),
        ("normalisation", ["nhwc"]),
        ("pooling", ["nhwc"]),
    ]


def test_multiply_adds_are_those_of_the_formula() -> None:
    """Output elements times the taps of one of them; of a transposed convolution input elements times taps."""
    plain, transposed = nn.Conv2d(3, 8, 3, groups=1), nn.ConvTranspose2d(3, 8, 3, stride=2)
    assert [call["multiply_adds"] for call in follow(plain, *SHAPE)] == [2 * 8 * 6 * 6 * 3 * 9]
    assert [call["multiply_adds"] for call in follow(transposed, *SHAPE)] == [2 * 3 * 8 * 8 * 8 * 9]


def test_one_channel_says_both_formats() -> None:
    """The convolution that takes it for NCHW is where a volume of one channel loses channels-last."""
    model = nn.Sequential(nn.Conv3d(1, 8, 3), nn.Conv3d(8, 8, 3))
    first = follow(model, 1, 1, 8, 8, 8)[0]
    assert first["input_formats"] == ["either"]
    assert (first["output_formats"], first["loses"]) in ((["nchw"], "gives nchw"), (["nhwc"], ""))


def test_a_call_that_raises_for_strides_is_noted() -> None:
    """A view of channels-last as a vector."""

    class Viewing(nn.Module):
        """Views its image."""

        def forward(self, x: Any) -> Any:
            """A vector for each sample."""
            return x.view(len(x), -1)

    model = Viewing()
    image = torch.ones(SHAPE).to(memory_format=torch.channels_last)
    trace = module("models.layout_trace").LayoutTrace(model, [image], [True])
    with pytest.raises(RuntimeError, match="view size"), trace.follow():
        model(image)
    [call] = trace.calls
    assert (call["function"], call["loses"], call["input_formats"]) == ("torch.Tensor.view", "raises", ["nhwc"])


def test_without_an_image_nothing_is_noted() -> None:
    """A network of vectors has no formats."""
    assert follow(nn.Linear(5, 4), 2, 5) == []


def test_an_image_without_a_batch_axis_is_seen_and_has_no_format() -> None:
    """By what is done with it: a tensor of three dimensions may be a sequence as well."""
    calls = follow(nn.Sequential(nn.Conv2d(3, 8, 3), nn.MaxPool2d(2)), 3, 8, 8)
    assert [(call["kind"], call["input_shape"]) for call in calls] == [
        ("convolution", [3, 8, 8]),
        ("pooling", [8, 6, 6]),
    ]
    assert all(not call["input_formats"] and not call["output_formats"] and not call["loses"] for call in calls)
    assert follow(nn.LSTM(8, 4), 3, 8, 8) == []


def test_what_each_dimension_is_of_an_image_is_told_of_a_call() -> None:
    """A stack has a batch more, a shuffle of channels their groups, a volume three sides."""
    calls = follow(Forward(lambda x: torch.stack([x, x]).sum(0)), *SHAPE)
    stacks = [call for call in calls if call["loses"]]
    assert [call["input_axes"] for call in stacks] == [["N", "N", "C", "P", "P"]]
    shuffles = follow(Forward(shuffle_channels), *SHAPE)
    assert [call["input_axes"] for call in shuffles if call["loses"]] == [["N", "C", "C", "P", "P"]]
    assert follow(Forward(nn.Identity(), rank=3), 1, 3, 4, 4, 4)[0]["input_axes"] == ["N", "C", "P", "P", "P"]


def shuffle_channels(x: Any) -> Any:
    """Channels in two groups, and the groups in turn."""
    n, c, h, w = x.shape
    return x.view(n, 2, c // 2, h, w).transpose(1, 2).contiguous().view(n, c, h, w)
