"""What draws random numbers is named, with the line; and a class to freeze that is not there."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from tests.worker.models.small_models import planted, refer


class Draws(nn.Module):
    """Draws random numbers in every mode."""

    def forward(self, x: Any) -> Any:
        """Noise is added."""
        return x + torch.rand(x.shape)


class Drops(nn.Module):
    """Calls a dropout."""

    def __init__(self) -> None:
        super().__init__()
        self.drop = nn.Dropout(0.5)
        self.conv = nn.Conv2d(3, 4, 1)

    def forward(self, x: Any) -> Any:
        """A dropout, and a convolution."""
        return self.conv(self.drop(x))


def line_of(kind: type[nn.Module]) -> str:
    """The last line of a class's forward, as messages name it."""
    return f"(tests/worker/models/test_random_calls.py:{kind.forward.__code__.co_firstlineno + 2})"


def test_the_line_that_draws_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the module whose forward it is in, and what to declare."""
    message = refer(planted(monkeypatch, nn.Sequential(Draws())))["message"]
    assert f"aten.rand draws random numbers in 0 (Draws) {line_of(Draws)}; if it must, declare it seeded" in message


def test_a_module_that_can_be_frozen_is_named_with_the_line_that_calls_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """And with the option."""
    message = refer(planted(monkeypatch, Drops(), step="train"))["message"]
    assert f"drop is a Dropout that is on {line_of(Drops)}; switch it off, or freeze its class" in message
    assert message.endswith("frozen: [Dropout], --frozen Dropout")


def test_what_may_draw_and_does_not_is_not_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Attention has a dropout, of zero here; what is named is what comes after it."""

    class Attends(nn.Module):
        """Attention of an image with itself."""

        def forward(self, x: Any) -> Any:
            """Nothing is dropped."""
            return nn.functional.scaled_dot_product_attention(x, x, x)

    message = refer(planted(monkeypatch, nn.Sequential(Attends(), Draws())))["message"]
    assert f"aten.rand draws random numbers in 1 (Draws) {line_of(Draws)}" in message


def test_what_is_random_without_torch_is_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody can seed it from outside."""

    class Counts(nn.Module):
        """Gives another number at each call of any copy."""

        calls = 0

        def forward(self, x: Any) -> Any:
            """The number is added."""
            type(self).calls += 1
            return x + self.calls

    assert "no function of torch was seen to draw" in refer(planted(monkeypatch, Counts()))["message"]


def test_a_class_to_freeze_that_is_not_there_is_a_problem_where_it_has_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    """The classes that there are are named."""
    model = nn.Sequential(nn.ReLU())
    message = refer(planted(monkeypatch, model, frozen=("Dropot",), needs_frozen=True))["message"]
    assert message == "it has no module of the class 'Dropot' to freeze; its classes are ReLU, Sequential"
    assert refer(planted(monkeypatch, model, frozen=("Dropot",)))["status"] == "ok"
