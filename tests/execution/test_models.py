"""Models in the worker: how they are filled, what is refused, what comes back."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from harness.execution.workers import bundle
from tests.execution.stand import module

torch = pytest.importorskip("torch")


@pytest.fixture(scope="module", autouse=True)
def _worker() -> None:
    """The worker's package, in this process."""
    bundle.in_this_process()


def request(factory: str = "nhwc_equivalence.worker.callables.blocks.conv_bn_relu", **changes: Any) -> dict[str, Any]:
    """A request for a small model."""
    arguments = {"channels": 3, "width": 4, "depth": 2}
    asked = {
        "factory": factory,
        "arguments": arguments if factory.startswith("nhwc_equivalence.worker.callables.blocks") else {},
        "inputs": [("x", (2, 3, 8, 8), "float32", True, 3)],
        "step": "eval",
        "runner": "eager",
        "precision": "float32",
        "conversions": ("both", "model", "input"),
        "frozen": (),
        "watch": (),
        "seeded": False,
        "seed": 1,
        "threads": 1,
    }
    return {**asked, **changes}


def referred(asked: dict[str, Any]) -> dict[str, Any]:
    """The reference's reply."""
    reply: dict[str, Any] = module("models.sensitivity").refer(asked)
    return reply


def served(asked: dict[str, Any]) -> dict[str, Any]:
    """A cell's reply, with the state of the reference."""
    state = referred(asked)["state"]
    reply: dict[str, Any] = module("models.run_step").serve(
        {**asked, "state": state}, module("kernel_trace").Trace(active=False)
    )
    return reply


def rms(tensor: Any) -> float:
    """The root mean square."""
    return float(tensor.detach().square().mean().sqrt())


def test_parameters_are_the_same_in_every_worker() -> None:
    """Two builds of one request agree bit for bit, whatever torch's generator did in between."""
    first = module("models.builder").built(request())
    module("models.builder").release()
    torch.manual_seed(99)
    second = module("models.builder").built(request())
    for one, other in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.equal(one, other)


def test_activations_stay_in_range() -> None:
    """After calibration every layer of a deep model gives numbers around 1."""
    asked = request(arguments={"channels": 3, "width": 8, "depth": 12})
    model = module("models.builder").built(asked, referred(asked)["state"]).eval()
    sizes: list[float] = []
    for layer in model:
        layer.register_forward_hook(lambda _one, _given, output: sizes.append(rms(output)))
    model(*module("models.builder").inputs(asked))
    assert min(sizes) > 0.1
    assert max(sizes) < 10


def test_every_conversion_is_run_and_really_converts() -> None:
    """The layers of a converted model get images in channels-last, those of the unconverted one do not."""
    runs = served(request())["runs"]
    assert list(runs) == ["nchw", "both", "model", "input"]
    first = {conversion: run["modules"][0] for conversion, run in runs.items()}
    assert {name: record[2] for name, record in first.items()} == {
        "nchw": ["nchw"], "both": ["nhwc"], "model": ["nchw"], "input": ["nhwc"],
    }  # fmt: skip
    assert first["model"][3] == ["nhwc"]


def test_a_training_step_gives_loss_gradients_buffers_and_what_comes_after() -> None:
    """Every parameter has a gradient, and the model moved by it runs once more."""
    tensors = served(request(step="train"))["runs"]["both"]["tensors"]
    assert {"output[0]", "loss", "grad:0.weight", "grad_input:x", "buffer:1.running_var", "after:output[0]"} <= {
        *tensors
    }


def positions(width: int) -> Any:
    """A factory: a model that mixes the numbers of its columns, made and cast by itself, into a convolution."""

    class Positions(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = torch.nn.Conv2d(4, 2, 1)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            grid = torch.linspace(0, 1, width).add(torch.arange(width).float() / 3)
            return self.conv(torch.cat([x, grid.expand(x.shape[0], 1, x.shape[2], width)], 1))

    return Positions()


def test_numbers_that_a_model_makes_itself_are_float64_in_the_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    """A grid of float32 neither stops the float64 model nor leaves it with float32's errors."""
    monkeypatch.setattr(module("callables.blocks"), "positions", positions, raising=False)
    asked = request("nhwc_equivalence.worker.callables.blocks.positions", arguments={"width": 8})
    model = module("models.builder").built(asked).double()
    value = module("models.run_step").Stepper(
        asked, model, module("models.builder").inputs(asked, double=True), double=True
    )
    columns = np.linspace(0, 1, 8) + np.arange(8) / 3
    kernel, bias = (parameter.detach().numpy() for parameter in model.parameters())
    images = np.concatenate([value.given[0].numpy(), np.broadcast_to(columns, (2, 1, 8, 8))], 1)
    expected = np.einsum("nchw,oc->nohw", images, kernel[:, :, 0, 0]) + bias[:, None, None]
    found = dict(value.run())["output[0]"].numpy()
    assert np.abs(found - expected).max() < 1e-14


def test_errors_stay_within_a_small_multiple_of_the_spread() -> None:
    """The measured movement predicts what float32 really loses."""
    asked = request(step="train")
    reply, runs = referred(asked), served(asked)["runs"]
    for name, (dtype, shape, raw) in reply["values"].items():
        value = np.frombuffer(raw, dtype).reshape(shape)
        got = np.frombuffer(runs["nchw"]["tensors"][name][3], np.float32).reshape(shape)
        assert np.abs(got - value).max() <= 8 * reply["spread"][name] + 2.0**-24 * np.abs(value).max(), name


@pytest.mark.parametrize(
    ("factory", "said"),
    [
        ("no_such_package.net.make", "no module named 'no_such_package'"),
        ("torch.nn.NoSuchModule", "torch.nn has no 'NoSuchModule'"),
        ("torch.nn.Conv2d", "torch.nn.Conv2d raised TypeError: "),
        ("torch.zeros_like", "torch.zeros_like raised TypeError: "),
        ("builtins.dict", "builtins.dict returned a dict; a factory returns a torch.nn.Module"),
    ],
)
def test_a_model_that_cannot_be_made_is_one_sentence(factory: str, said: str) -> None:
    """What is wrong with the name or the call, and no traceback."""
    problem = referred(request(factory))["problem"]
    assert problem.startswith(said)
    assert "\n" not in problem


def made(monkeypatch: pytest.MonkeyPatch, model: Any) -> dict[str, Any]:
    """A request for a model that is there already."""
    monkeypatch.setattr(module("callables.blocks"), "given", lambda: model, raising=False)
    module("models.builder").release()
    return request("nhwc_equivalence.worker.callables.blocks.given", arguments={})


def test_a_model_that_draws_random_numbers_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A dropout that is on is named, and so is the way to switch it off; frozen, it is fine."""
    model = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.Dropout(0.5))
    asked = {**made(monkeypatch, model), "step": "train"}
    module("operators.lookup").resolve.cache_clear()
    problem = referred(asked)["problem"]
    assert problem.startswith("two runs with the same input differ (output[0]")
    assert "1 is a Dropout that is on; switch it off, or freeze its class: frozen: [Dropout]" in problem
    assert "values" in referred({**asked, "frozen": ("Dropout",)})


def test_an_output_that_is_no_tensor_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is where is said, and what a model may return."""

    class Wordy(torch.nn.Module):  # type: ignore[name-defined,misc] # torch is found at run time
        def forward(self, x: Any) -> Any:
            return {"image": x, "label": "cat"}

    asked = made(monkeypatch, Wordy())
    module("operators.lookup").resolve.cache_clear()
    expected = "output['label'] is a str; a model returns tensors, in tuples, lists, dicts or dataclasses"
    assert referred(asked)["problem"] == expected


def test_an_input_shaped_nhwc_is_recognised() -> None:
    """The message says that channels-last is a matter of strides."""
    problem = referred(request(inputs=[("x", (1, 24, 24, 3), "float32", True, 3)]))["problem"]
    assert "is shaped [1, 24, 24, 3], that is NHWC" in problem
    assert "give [1, 3, 24, 24]" in problem
    assert "changes the strides of a tensor and not its shape" in problem


def test_a_missing_compiler_is_said_and_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Inductor without one: what is missing and how to get it, in place of a run."""
    monkeypatch.setattr(module("models.runners").shutil, "which", lambda _name: None)
    reply = served(request(runner="compile"))
    assert reply["skip"].startswith("inductor needs a C++ compiler, and none is on the path; install g++ or clang")


@dataclasses.dataclass
class Answer:
    """What a model may return: containers in containers, numbers, and nothing."""

    logits: Any
    hidden: Any = None
    steps: int = 3


def test_outputs_are_named_by_their_place_in_any_structure() -> None:
    """Dictionaries, lists, named tuples and data classes; a single tensor is called as an operator's."""
    tensor = torch.zeros(1)
    pair = torch.zeros(2, 2).max(0)
    assert list(module("pytree").named(tensor)) == ["output[0]"]
    nested = {"out": [tensor, (tensor, None)], "answer": Answer(tensor, hidden=pair)}
    assert list(module("pytree").named(nested)) == [
        "output['out'][0]", "output['out'][1][0]", "output['answer'].logits", "output['answer'].hidden[0]",
        "output['answer'].hidden[1]",
    ]  # fmt: skip
    with pytest.raises(module("pytree").NotTensors, match="output is a list without any tensor in it"):
        module("pytree").named([1, None])
