"""One model in a cell: every conversion runs, and all tensors of the step come back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.execution.stand import module
from tests.worker.models.small_models import BLOCKS, fields, image_input, parse, run

torch = pytest.importorskip("torch")


def test_every_conversion_is_run_and_really_converts() -> None:
    """The layers of a converted model get images in channels-last, those of the unconverted one do not."""
    runs = run(fields())["runs"]
    assert list(runs) == ["nchw", "both", "model", "input"]
    first = {conversion: run["modules"][0] for conversion, run in runs.items()}
    assert {conversion: call["input_formats"] for conversion, call in first.items()} == {
        "nchw": ["nchw"], "both": ["nhwc"], "model": ["nchw"], "input": ["nhwc"],
    }  # fmt: skip
    calls = {conversion: [call["output_formats"] for call in run["image_calls"]] for conversion, run in runs.items()}
    assert calls == {"nchw": [], "both": [["nhwc"]] * 4, "model": [], "input": []}


def test_a_training_step_gives_loss_gradients_buffers_and_what_comes_after() -> None:
    """Every parameter has a gradient, and the model moved by it runs once more."""
    tensors = run(fields(step="train"))["runs"]["both"]["tensors"]
    assert {"output[0]", "loss", "grad:0.weight", "grad_input:x", "buffer:1.running_var", "after:output[0]"} <= {
        *tensors
    }


def positions(width: int) -> Any:
    """A factory: a model that mixes the numbers of its columns, made and cast by itself, into a convolution."""

    class Positions(torch.nn.Module):  # type: ignore[name-defined,misc] # torch is found at run time
        def __init__(self) -> None:
            super().__init__()
            self.conv = torch.nn.Conv2d(4, 2, 1)

        def forward(self, x: Any) -> Any:
            grid = torch.linspace(0, 1, width).add(torch.arange(width).float() / 3)
            return self.conv(torch.cat([x, grid.expand(x.shape[0], 1, x.shape[2], width)], 1))

    return Positions()


def test_numbers_that_a_model_makes_itself_are_float64_in_the_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    """A grid of float32 neither stops the float64 model nor leaves it with float32's errors."""
    monkeypatch.setattr(module("callables.blocks"), "positions", positions, raising=False)
    request = parse(fields(f"{BLOCKS}.positions", arguments={"width": 8}))
    builder = module("models.builder")
    model = builder.build_model(request).double()
    inputs = builder.inputs(request, torch.float64)
    columns = np.linspace(0, 1, 8) + np.arange(8) / 3
    kernel, bias = (parameter.detach().numpy() for parameter in model.parameters())
    images = np.concatenate([inputs[0].numpy(), np.broadcast_to(columns, (2, 1, 8, 8))], 1)
    expected = np.einsum("nchw,oc->nohw", images, kernel[:, :, 0, 0]) + bias[:, None, None]
    step = module("models.step").ModelStep(request, model, inputs, double=True)
    output = dict(step.run())["output[0]"].numpy()
    assert np.abs(output - expected).max() < 1e-14


def test_a_missing_compiler_is_said_and_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Inductor without one is skipped: the message says what is missing and how to get it."""
    monkeypatch.setattr(module("operators.compiled").shutil, "which", lambda _name: None)
    reply = run(fields(runner="compile"))
    assert reply["status"] == "skipped"
    assert reply["message"].startswith("inductor needs a C++ compiler, and none is on the path; install g++ or clang")


def test_a_model_that_raises_only_where_it_is_followed_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was not seen to its end is not called right: nothing would be said to lose the format."""

    def refuse(*_: object) -> None:
        message = "I am being watched"
        raise RuntimeError(message)

    monkeypatch.setattr(module("models.layout_trace").LayoutTrace, "note", refuse)
    reply = run(fields())
    assert reply["status"] == "problem"
    assert "RuntimeError: I am being watched where its functions are followed, and not otherwise" in reply["message"]


@pytest.mark.parametrize("runner", ["checkpoint", "ddp"])
def test_a_step_of_a_wrapped_model_is_the_step_of_the_model(runner: str) -> None:
    """Every tensor comes back under its own name, and with the same bits in every conversion."""
    about = fields(f"{BLOCKS}.squeeze_excite", step="train")
    plain, wrapped = run(about)["runs"], run({**about, "runner": runner})["runs"]
    for conversion in ("nchw", "both"):
        tensors = wrapped[conversion]["tensors"]
        assert {name: data[3] for name, data in tensors.items()} == {
            name: data[3] for name, data in plain[conversion]["tensors"].items()
        }


def test_a_distributed_model_leaves_no_process_group() -> None:
    """What runs next in the worker is not distributed: SyncBatchNorm would refuse the CPU."""
    assert run(fields(step="train", runner="ddp"))["status"] == "ok"
    assert not torch.distributed.is_initialized()


def test_ways_to_convert_are_looked_at_once() -> None:
    """In evaluation, in the run of all that is converted."""
    evaluated, trained = run(fields(f"{BLOCKS}.clips", inputs=[clip()])), run(fields(step="train"))
    faults = {conversion: run["conversion_faults"] for conversion, run in evaluated["runs"].items()}
    assert [fault[0] for fault in faults.pop("both")] == ["to"]
    assert not any(faults.values())
    assert not any(run["conversion_faults"] for run in trained["runs"].values())


def clip() -> dict[str, Any]:
    """Three frames of three channels."""
    return image_input("x", (2, 3, 3, 8, 8))
