"""What a model makes by itself where it is its own reference: float64 in place of float32, and the same draws."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.execution.stand import module

torch = pytest.importorskip("torch")

DRAWS: dict[str, Callable[[Any], Any]] = {
    "rand": lambda x: torch.rand(x.shape),
    "rand of a dtype": lambda x: torch.rand(x.shape, dtype=torch.float32),
    "randn_like": torch.randn_like,
    "normal": lambda x: torch.normal(0.0, 1.0, x.shape),
    "uniform_": lambda x: x.new_empty(x.shape).uniform_(),
    "bernoulli_": lambda x: x.new_empty(x.shape).bernoulli_(0.5),
    "dropout": lambda x: torch.nn.functional.dropout(x, 0.5, training=True),
    "rrelu": lambda x: torch.nn.functional.rrelu(-x, training=True),
    "multinomial": lambda x: torch.multinomial(x, 2),
    "randperm": lambda x: torch.randperm(x.shape[1]),
    "randint": lambda x: torch.randint(0, 9, x.shape),
}


@pytest.mark.parametrize("name", DRAWS)
def test_the_reference_draws_what_float32_draws(name: str) -> None:
    """Of the same seed, whatever draws it: in float64 torch's generator would give other numbers."""
    draw, ones = DRAWS[name], torch.ones(4, 5)
    torch.manual_seed(3)
    drawn = draw(ones)
    torch.manual_seed(3)
    with module("models.promote_float64").promote_float64():
        reference = draw(ones.double())
    assert reference.dtype is (torch.float64 if drawn.is_floating_point() else drawn.dtype)
    assert torch.equal(reference, drawn.to(reference.dtype))


def test_what_may_draw_and_does_not_is_computed_in_float64() -> None:
    """Rrelu draws a slope for each element in training, and in evaluation multiplies by their mean: in float64 here."""
    thirds = -torch.arange(1.0, 6.0, dtype=torch.float64) / 3
    plain = torch.nn.functional.rrelu(thirds, training=False)
    with module("models.promote_float64").promote_float64():
        reference = torch.nn.functional.rrelu(thirds, training=False)
    assert torch.equal(reference, plain)
    assert not torch.equal(reference, reference.float().double())


def test_what_is_made_or_cast_is_float64() -> None:
    """A grid of coordinates that the model makes by itself, and a cast to float32."""
    with module("models.promote_float64").promote_float64():
        assert torch.linspace(0, 1, 3).dtype is torch.float64
        assert torch.ones(3).float().dtype is torch.float64
    assert torch.ones(3).dtype is torch.float32
