"""A model is called with tensors and constants, by position and by keyword, in lists and dicts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from tests.execution.stand import module
from tests.worker.models.small_models import answer, fields, image_input, parse, planted, refer, run


class Keywords(nn.Module):
    """Takes nothing by position."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)

    def forward(self, *, pixels: Any, scale: float = 1.0) -> Any:
        """The convolution, times a constant."""
        return self.conv(pixels) * scale


class Batches(nn.Module):
    """Takes a dict of lists."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)

    def forward(self, batch: Any) -> Any:
        """The convolution of the second image."""
        return {"out": self.conv(batch["images"][1])}


def convolutions(reply: dict[str, Any]) -> list[tuple[list[str], list[str]]]:
    """Formats in and out of the convolutions of the converted run."""
    return [(call["input_formats"], call["output_formats"]) for call in reply["runs"]["both"]["image_calls"]]


def test_each_argument_stands_at_its_place() -> None:
    """Positions count in their order, whatever comes first."""
    inputs = [image_input("b", (2,), 1), image_input("x", (2,), "batch", "x", 0), image_input("a", (2,), 0)]
    constants = [{"place": ["batch", "flag"], "value": True}, {"place": ["empty"], "value": []}]
    tensors = [torch.zeros(index + 1) for index in range(3)]
    request = parse(fields(inputs=inputs, constants=constants))
    positional, named = module("models.call_arguments").call_arguments(request, tensors)
    assert [tensor.numel() for tensor in positional] == [3, 1]
    assert named["batch"]["x"][0] is tensors[1]
    assert (named["batch"]["flag"], named["empty"]) == (True, [])


@pytest.mark.parametrize("step", ["eval", "train"])
def test_keywords_and_constants_reach_the_model(monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    """The input is converted, and its gradient has its name."""
    inputs = [image_input("pixels", (1, 3, 8, 8), "pixels")]
    constants = [{"place": ["scale"], "value": 2.0}]
    reply = run(planted(monkeypatch, Keywords(), inputs=inputs, constants=constants, step=step))
    assert {each["status"] for each in reply["runs"].values()} == {"ok"}
    assert ("grad_input:pixels" in reply["runs"]["both"]["tensors"]) == (step == "train")
    assert convolutions(reply) == [(["nhwc"], ["nhwc"])]


@pytest.mark.parametrize("step", ["eval", "train"])
def test_a_module_that_is_called_by_keyword_is_calibrated_and_judged(
    monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """A batch norm gets the statistics of what it is given by name, and its running statistics have their floors."""

    class Named(nn.Module):
        """Calls a batch norm by keyword."""

        def __init__(self) -> None:
            super().__init__()
            self.bn = nn.BatchNorm2d(3)

        def forward(self, x: Any) -> Any:
            """The batch norm."""
            return self.bn(input=x)

    reply = refer(planted(monkeypatch, Named(), step=step))
    assert list(reply["state"]["statistics"]) == ["bn"]
    assert (reply["sensitivity"].get("buffer:bn.running_var", 0.0) > 0.0) == (step == "train")


def test_a_tensor_in_a_container_is_converted(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a dict, and in a list in it."""
    inputs = [image_input(f"image{index}", (1, 3, 8, 8), 0, "images", index) for index in range(2)]
    assert convolutions(run(planted(monkeypatch, Batches(), inputs=inputs))) == [(["nhwc"], ["nhwc"])]


def test_what_cannot_be_called_so_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message has the signature of the forward."""
    message = refer(planted(monkeypatch, Keywords()))["message"]
    assert message.startswith("its forward(*, pixels:")
    assert "too many positional arguments; give an input by its keyword, --input NAME:SHAPE" in message


def test_an_embedding_that_gets_fractions_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says how whole numbers are given."""
    model = nn.Sequential(nn.Embedding(16, 4))
    message = refer(planted(monkeypatch, model, inputs=[image_input("x", (2, 5))]))["message"]
    assert message == "0 is an Embedding, which takes whole numbers: give them as int64, --input int64:2,5"


def test_the_numbers_of_a_user_are_the_input(monkeypatch: pytest.MonkeyPatch) -> None:
    """The identity gives them back."""
    numbers = torch.arange(8, dtype=torch.float32)
    own = {**image_input("x", (8,)), "data": ("<f4", [8], numbers.numpy().tobytes())}
    dtype, _, raw = refer(planted(monkeypatch, nn.Identity(), inputs=[own]))["values"]["output[0]"]
    assert (dtype, raw) == ("<f8", numbers.double().numpy().tobytes())


def test_what_torch_has_saved_is_read_without_running_it(tmp_path: Path) -> None:
    """Half precision becomes float32; what is no plain data is refused in one sentence."""
    path = tmp_path / "batch.pt"
    torch.save({"x": [torch.ones(2, dtype=torch.bfloat16)], "n": 3}, path)
    kind, [(first, (inner, [tensor])), second] = answer("model-inputs", path=str(path))["content"]
    assert (kind, first, inner) == ("dict", "x", "list")
    assert tensor == ("tensor", ("<f4", [2], torch.ones(2).numpy().tobytes()))
    assert second == ("n", ("value", 3))
    torch.save(nn.Identity(), path)
    assert answer("model-inputs", path=str(path))["message"].startswith("torch.load cannot read it: ")


def test_a_loss_that_a_model_returns_is_what_it_is_trained_by(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside other outputs, an output without dimensions is one where it is called so."""

    class Trained(nn.Module):
        """Returns a loss with what it was computed from."""

        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 3)

        def forward(self, x: Any) -> Any:
            """A loss, and two outputs that are none."""
            logits = self.conv(x).mean((2, 3))
            return {"loss": logits.square().mean(), "logits": logits, "scale": logits.sum()}

    values = refer(planted(monkeypatch, Trained(), step="train"))["values"]
    assert values["loss"] == values["output['loss']"]
