"""Networks as people have them: lazy, on meta, complex, compiled, opaque, with tensors that are no parameters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from tests.execution.stand import module
from tests.worker.models.small_models import image_input, parse, planted, refer, run


class Plain(nn.Module):
    """A tensor, a list of tensors, and one that was computed from a leaf, none of them a parameter."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 1)
        self.scale = torch.ones(1, requires_grad=True) * 2
        self.more = [torch.ones(1)]

    def forward(self, x: Any) -> Any:
        """A convolution, scaled."""
        return self.conv(x) * self.scale + self.more[0]


class Complex(nn.Module):
    """A parameter of complex numbers on the spectrum of an image."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(3, 1, 1, dtype=torch.cfloat))

    def forward(self, x: Any) -> Any:
        """The spectrum, scaled."""
        return torch.fft.rfft2(x) * self.weight


class Lazy(nn.Module):
    """Its channels are those of its first input."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.LazyConv2d(4, 3)

    def forward(self, x: Any) -> Any:
        """The convolution alone."""
        return self.conv(x)


def on_meta(*extra: tuple[str, Any]) -> nn.Module:
    """A network whose parameters have no memory; `extra` are buffers."""
    with torch.device("meta"):
        model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
        holder = nn.Module()
        for name, value in extra:
            holder.register_buffer(name, torch.full((1,), value))
    return nn.Sequential(model, *([holder] if extra else []))


@pytest.mark.parametrize(
    "make",
    [
        Plain,
        Complex,
        Lazy,
        on_meta,
        lambda: nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)).bfloat16(),
        lambda: nn.utils.weight_norm(nn.Conv2d(3, 4, 3)),
    ],
    ids=["plain tensors", "complex", "lazy", "meta", "bfloat16", "weight_norm"],
)
@pytest.mark.parametrize("step", ["eval", "train"])
@pytest.mark.filterwarnings("ignore:.*deprecated")
def test_a_network_as_people_have_it_is_judged(
    monkeypatch: pytest.MonkeyPatch, make: Callable[[], Any], step: str
) -> None:
    """The reference is in float64, and every run of a cell returns what it has."""
    about = planted(monkeypatch, make(), step=step)
    reference = refer(about)
    assert reference["status"] == "ok", reference
    reply = run(about)
    assert {state["status"] for state in reply["runs"].values()} == {"ok"}
    assert {name for name, *_ in [reference["values"]["output[0]"]]} == {"<f8"}
    assert set(reply["runs"]["nchw"]["tensors"]) == set(reference["values"])


class Twice(nn.Module):
    """Its parameters and a buffer are attributes as well, in a list and by a second name."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 1)
        self.register_buffer("scale", torch.ones(1))
        self.weights = list(self.conv.parameters())
        self.by_another_name = self.scale


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_an_attribute_that_is_a_parameter_or_a_buffer_stays_that_one(dtype: torch.dtype) -> None:
    """What a step of training writes into a parameter is what a forward reads from the list that holds it."""
    model: Any = module("models.preparation").cast(Twice(), dtype)
    assert model.weights[0] is model.conv.weight
    assert model.weights[1] is model.conv.bias
    assert model.by_another_name is model.scale
    assert model.scale.dtype == dtype


def test_a_recurrent_network_is_trained_in_float64_as_in_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    """An LSTM reads its weights from a list of its own, and the output after a step is that of the new ones."""
    changes: dict[str, Any] = {"step": "train", "inputs": [image_input("x", (2, 3, 5))]}
    about = planted(monkeypatch, nn.LSTM(5, 4), **changes)
    reference, reply = refer(about), run(about)
    values = {name: np.frombuffer(data[2], np.float64) for name, data in reference["values"].items()}
    tensors = reply["runs"]["nchw"]["tensors"]
    for name in ("output[0]", "after:output[0]"):
        actual = np.frombuffer(tensors[name][3], np.float32)
        np.testing.assert_allclose(actual, values[name], rtol=1e-4, atol=1e-6)
    assert not np.allclose(values["output[0]"], values["after:output[0]"], rtol=1e-4, atol=1e-6)


def test_complex_results_are_compared_by_their_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The real and imaginary parts are one more dimension."""
    about = planted(monkeypatch, Complex(), step="train")
    values = refer(about)["values"]
    assert list(values["output[0]"][1]) == [2, 3, 8, 5, 2]
    assert list(values["grad:weight"][1]) == [3, 1, 1, 2]
    weight = module("models.builder").build_model(parse(about)).weight
    assert (weight.real != 0).all()
    assert (weight.imag != 0).all()


def test_a_buffer_that_nobody_knows_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where its module can reset itself the values are those of a new one."""
    reply = refer(planted(monkeypatch, on_meta(("table", 3.0))))
    assert reply["status"] == "problem"
    assert reply["message"].startswith("its buffer 1.table is on meta, and nobody knows its values")


def test_a_quantised_network_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """It computes in integers, and says which module does."""

    class Quantised(nn.Module):
        """Stands for a module of torch.ao.nn.quantized."""

    Quantised.__module__ = "torch.ao.nn.quantized.dynamic.modules.linear"
    reply = refer(planted(monkeypatch, nn.Sequential(nn.Conv2d(3, 4, 3), Quantised())))
    assert reply["status"] == "problem"
    assert reply["message"].startswith("1 is a Quantised, which computes in integers")


@pytest.mark.filterwarnings("ignore:.*deprecated")
def test_a_scripted_network_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """It says how the network is judged as such a program."""
    reply = refer(planted(monkeypatch, torch.jit.script(nn.Sequential(nn.Conv2d(3, 4, 3)))))
    assert reply["status"] == "problem"
    assert "give the factory of the network that was scripted, which --runner script" in reply["message"]


def test_what_a_factory_compiled_is_compiled_in_cells_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reference runs the network that was compiled, in float64."""
    original = nn.Sequential(nn.Conv2d(3, 4, 3))
    wrapper = nn.Module()
    setattr(wrapper, "_orig_mod", original)  # noqa: B010 - the name is torch's, and private
    about = parse(planted(monkeypatch, wrapper))
    builder = module("models.builder")
    assert builder.runner_of(about) == "compile"
    assert type(builder.build_reference(about)) is nn.Sequential
    assert builder.runner_of(parse(planted(monkeypatch, original))) == "eager"
