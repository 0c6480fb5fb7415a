"""The reference of a model: how far its tensors move, and which models are refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.worker.models.small_models import fields, image_input, planted, refer, run

torch = pytest.importorskip("torch")


def test_errors_stay_within_a_small_multiple_of_the_sensitivity() -> None:
    """The measured movement predicts what float32 really loses."""
    about = fields(step="train")
    reply, runs = refer(about), run(about)["runs"]
    for name, (dtype, shape, raw) in reply["values"].items():
        value = np.frombuffer(raw, dtype).reshape(shape)
        got = np.frombuffer(runs["nchw"]["tensors"][name][3], np.float32).reshape(shape)
        assert np.abs(got - value).max() <= 8 * reply["sensitivity"][name] + 2.0**-24 * np.abs(value).max(), name


def test_a_model_that_draws_random_numbers_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A dropout that is on is named, and so is the way to switch it off; frozen, it is fine."""
    model = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.Dropout(0.5))
    about = planted(monkeypatch, model, step="train")
    reply = refer(about)
    assert reply["status"] == "problem"
    assert reply["message"].startswith("two runs with the same input differ (output[0]")
    assert "1 is a Dropout that is on; switch it off, or freeze its class: frozen: [Dropout]" in reply["message"]
    assert refer({**about, "frozen": ("Dropout",)})["status"] == "ok"


def test_an_output_that_is_no_tensor_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The problem says what is where, and what a model may return."""

    class Wordy(torch.nn.Module):  # type: ignore[name-defined,misc] # torch is found at run time
        def forward(self, x: Any) -> Any:
            return {"image": x, "label": "cat"}

    expected = "output['label'] is a str; a model returns tensors, in tuples, lists, dicts or dataclasses"
    assert refer(planted(monkeypatch, Wordy())) == {"status": "problem", "message": expected}


def test_a_forward_that_takes_a_dict_says_how_to_give_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it takes an item by its name from what was given as a tensor; what else it raises is told as it is."""

    class OfBatch(torch.nn.Module):  # type: ignore[name-defined,misc] # torch is found at run time
        def forward(self, batch: Any) -> Any:
            return batch["image"] * 2

    class Broken(torch.nn.Module):  # type: ignore[name-defined,misc] # torch is found at run time
        def forward(self, x: Any) -> Any:
            return {"image": x}["mask"]

    sentence = (
        "its forward takes batch['image'], and batch was given as a tensor: describe the dict in a file, "
        "--inputs FILE, by {batch: {image: {shape: [2, 3, 8, 8]}}}"
    )
    assert refer(planted(monkeypatch, OfBatch())) == {"status": "problem", "message": sentence}
    about = planted(monkeypatch, OfBatch(), inputs=[image_input("batch", (2, 3, 8, 8), "batch", "image")])
    assert refer(about)["status"] == "ok"
    assert refer(planted(monkeypatch, Broken()))["message"] == "the model raised KeyError: 'mask'"


def test_an_input_shaped_nhwc_is_recognised() -> None:
    """The message says that channels-last is a matter of strides."""
    reply = refer(fields(inputs=[image_input("x", (1, 24, 24, 3))]))
    assert reply["status"] == "problem"
    assert "is shaped [1, 24, 24, 3], that is NHWC" in reply["message"]
    assert "give [1, 3, 24, 24]" in reply["message"]
    assert "changes the strides of a tensor and not its shape" in reply["message"]
