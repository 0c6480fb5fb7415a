"""What every module gets and gives in a forward pass that is followed."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from tests.execution.stand import module


class Blocks(nn.Module):
    """Blocks in a list, which is never called, the last of them called by name; a map becomes tokens at the end."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.ModuleList([nn.Conv2d(3, 8, 1), nn.Conv2d(8, 8, 1)])
        self.norm = nn.LayerNorm(8)
        self.unused = nn.Linear(8, 2)

    def forward(self, x: Any) -> Any:
        """One convolution, the other one twice, and a normalisation of its channels."""
        x = self.blocks[0](x)
        x = self.blocks[1](input=self.blocks[1](x).contiguous())
        return self.norm(x.permute(0, 2, 3, 1))


class Raises(nn.Module):
    """Gives nothing."""

    def forward(self, x: Any) -> Any:
        """Raise as a view of channels-last does."""
        return x.view(x.shape[0], -1)


def layouts(model: Any) -> list[dict[str, Any]]:
    """The modules of a converted model that was called with a converted image of (2, 3, 4, 6), as far as it came."""
    model = model.to(memory_format=torch.channels_last)
    image = torch.ones(2, 3, 4, 6).to(memory_format=torch.channels_last)
    trace = module("models.layout_trace").LayoutTrace(model, [image], [True])
    with torch.no_grad(), trace.follow():
        try:
            model(image)
        except RuntimeError as error:
            assert "view" in str(error)  # noqa: PT017 - what else raises is no part of the test
    data: list[dict[str, Any]] = trace.modules.data()
    return data


def test_modules_stand_in_the_order_of_their_calls_with_format_dtype_and_shape() -> None:
    """A parent stands before its children, what is no image has no format, and what is not called comes last."""
    data = layouts(Blocks())
    assert [(call["path"], call["class_name"], call["calls"]) for call in data] == [
        ("", "Blocks", 1), ("blocks.0", "Conv2d", 1), ("blocks.1", "Conv2d", 1), ("blocks.1", "Conv2d", 1),
        ("norm", "LayerNorm", 1), ("blocks", "ModuleList", 0), ("unused", "Linear", 0),
    ]  # fmt: skip
    assert data[1]["inputs"] == [("nhwc", "float32", [2, 3, 4, 6])]
    assert data[1]["outputs"] == [("nhwc", "float32", [2, 8, 4, 6])]
    assert data[-1] == {"path": "unused", "class_name": "Linear", "inputs": [], "outputs": [], "calls": 0}


def test_a_call_by_name_is_like_any_other_and_other_formats_are_other_calls() -> None:
    """The second call of the same convolution gets NCHW."""
    calls = [call for call in layouts(Blocks()) if call["path"] == "blocks.1"]
    assert [[layout[0] for layout in call["inputs"]] for call in calls] == [["nhwc"], ["nchw"]]


def test_tokens_that_keep_the_channels_innermost_are_in_channels_last() -> None:
    """What goes into a LayerNorm behind a permutation is what it was."""
    norm = next(call for call in layouts(Blocks()) if call["path"] == "norm")
    assert norm["inputs"] == norm["outputs"] == [("nhwc", "float32", [2, 4, 6, 8])]


def test_what_has_no_pixels_any_more_is_no_image() -> None:
    """A pooled image is one of a single pixel, and flattened it is none."""
    by_path = {call["path"]: call for call in layouts(nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()))}
    assert by_path["1"]["inputs"] == [("either", "float32", [2, 3, 1, 1])]
    assert by_path["1"]["outputs"] == [("", "float32", [2, 3])]


def test_calls_that_get_and_give_the_same_formats_are_counted() -> None:
    """One that is called three times in a row is one entry."""
    conv = nn.Conv2d(3, 3, 1)
    by_path = {call["path"]: call["calls"] for call in layouts(nn.Sequential(conv, conv, conv))}
    assert by_path == {"": 1, "0": 3}


@pytest.mark.parametrize("last", [Raises(), nn.Sequential(Raises())])
def test_a_module_that_raises_has_given_nothing(last: nn.Module) -> None:
    """It is there with what it got, and so are its parents."""
    data = layouts(nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), last))
    assert data[0]["path"] == ""
    assert data[0]["outputs"] == data[-1]["outputs"] == []
    assert data[-1]["inputs"] == [("nhwc", "float32", [2, 8, 4, 6])]


def test_a_list_of_many_tensors_is_told_by_the_first_of_them() -> None:
    """The wire stays small where a module takes hundreds."""

    class Many(nn.Module):
        def forward(self, x: Any) -> Any:
            return [x] * 100

    [data] = layouts(Many())
    assert len(data["outputs"]) == module("models.module_layouts").MOST_TENSORS
