"""Single modules: recorded in the reference, run by themselves there and in a cell, and lost with their process."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.execution.stand import module
from tests.worker.models.small_models import answer, fields, planted, refer

torch = pytest.importorskip("torch")


def record(about: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What requests say of the model, with its state; and the reply with the recorded calls."""
    stateful = {**about, "state": refer(about)["state"]}
    return stateful, answer("model-record-calls", stateful)


def test_calls_are_recorded_in_the_order_in_which_they_end() -> None:
    """Each call has its path, its class, and whether it called modules itself; the whole model's is the last."""
    _about, reply = record(fields(arguments={"channels": 3, "width": 4, "depth": 1}))
    assert [tuple(call.values()) for call in reply["calls"]] == [
        ("0", "Conv2d", False),
        ("1", "BatchNorm2d", False),
        ("2", "ReLU", False),
        ("", "Sequential", True),
    ]


def test_a_call_by_itself_comes_to_the_same_in_the_reference_and_in_a_cell() -> None:
    """A convolution is fed its recorded arguments and gradient; a cell agrees within float32's rounding."""
    about, _reply = record(fields(step="train"))
    fed = answer("model-feed", about, call=0)
    assert fed["status"] == "ok"
    isolated = answer(
        "model-isolate",
        about,
        path="0",
        call_arguments=fed["call_arguments"],
        gradients=fed["gradients"],
        conversions=("both",),
        images={"both": [("nhwc", "float32")]},
    )
    runs = isolated["runs"]
    assert (isolated["status"], list(runs)) == ("ok", ["nchw", "both"])
    assert list(fed["values"]) == ["output[0]", "grad_input[0][0]", "grad:weight"]
    for name, (dtype, shape, raw) in fed["values"].items():
        value = np.frombuffer(raw, dtype).reshape(shape)
        for data in (runs["nchw"]["tensors"][name], runs["both"]["tensors"][name]):
            got = np.frombuffer(data[3], np.float32).reshape(shape)
            assert np.abs(got - value).max() <= 8 * fed["sensitivity"][name] + 2.0**-24 * np.abs(value).max(), name
    (call,) = isolated["calls"]
    assert call["function"] in {"torch.conv2d", "torch.nn.functional.conv2d"}  # as torch.overrides names it
    assert call["arguments"]["input"] == ("tensor", "float32", [2, 3, 8, 8], [192, 1, 24, 3])
    assert (call["arguments"]["stride"], "groups" in call["defaults"], "padding" in call["defaults"]) == (
        [1, 1],
        True,
        False,
    )


def test_what_no_process_can_be_given_alone_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    """A module that fails on its recorded arguments says how, in one sentence."""

    class Child(torch.nn.Module):  # type: ignore[name-defined,misc] # torch is found at run time
        def forward(self, pair: Any) -> Any:
            assert isinstance(pair, tuple), "not a tuple"
            return pair[0] * 2

    class Parent(torch.nn.Module):  # type: ignore[name-defined,misc] # torch is found at run time
        def __init__(self) -> None:
            super().__init__()
            self.child = Child()

        def forward(self, x: Any) -> Any:
            return self.child((x,))

    about, _reply = record(planted(monkeypatch, Parent()))
    assert answer("model-feed", about, call=0) == {"status": "problem", "message": "AssertionError: not a tuple"}


def test_calls_that_another_process_recorded_are_lost() -> None:
    """A worker that took the place of the one that recorded them says so, in a status and not by an error."""
    about, _reply = record(fields())
    module("models.isolation").release_calls()  # as good as a process that has just begun
    reply = answer("model-feed", about, call=0)
    assert reply == {"status": "lost", "message": "they were recorded in another process, or have been released"}


def test_the_calls_of_another_model_are_not_taken_for_those_asked_for() -> None:
    """The recording is that of one model with one seed; a request about another one finds its calls lost."""
    about, _reply = record(fields())
    assert answer("model-feed", {**about, "seed": 2}, call=0)["status"] == "lost"
    assert answer("model-feed", about, call=0)["status"] == "ok"


def test_releasing_what_is_not_there_is_no_error() -> None:
    """The harness releases at the end whatever became of the worker in between."""
    assert answer("model-release") == answer("model-release") == {"status": "ok"}
