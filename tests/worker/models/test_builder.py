"""How a model is filled and calibrated in the worker: alike everywhere, and in range."""

from __future__ import annotations

import pytest

from tests.execution.stand import module
from tests.worker.models.small_models import fields, parse, refer

torch = pytest.importorskip("torch")


def test_parameters_are_the_same_in_every_worker() -> None:
    """Two builds of one request agree bit for bit, whatever torch's generator did in between."""
    builder = module("models.builder")
    first = builder.build_model(parse(fields()))
    builder.release()
    torch.manual_seed(99)
    second = builder.build_model(parse(fields()))
    for parameter, other in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.equal(parameter, other)


def test_activations_stay_in_range() -> None:
    """After calibration every layer of a deep model gives numbers around 1."""
    builder = module("models.builder")
    deep = fields(arguments={"channels": 3, "width": 8, "depth": 12})
    request = parse(deep, refer(deep)["state"])
    model = builder.build_model(request).eval()
    sizes: list[float] = []
    for layer in model:
        layer.register_forward_hook(
            lambda _layer, _inputs, output: sizes.append(float(output.detach().square().mean().sqrt()))
        )
    model(*builder.inputs(request))
    assert min(sizes) > 0.1
    assert max(sizes) < 10
