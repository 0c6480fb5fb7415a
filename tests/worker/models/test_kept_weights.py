"""The weights that a factory gave are the same in every worker: those of the reference."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from tests.worker.models.small_models import answer, planted, refer


def test_a_cell_has_the_weights_of_the_reference(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A factory that gives others when it is called again does not matter; nothing is calibrated."""
    file = tmp_path / "weights.pt"
    first, second = (nn.Conv2d(3, 4, 3) for _ in range(2))
    assert not torch.equal(first.weight, second.weight)
    about = planted(monkeypatch, first, weights_file=str(file))
    reply = refer(about)
    assert reply["state"] == {"powers": {}, "statistics": {}}
    kept = torch.load(file, weights_only=True)["weight"]
    assert torch.equal(kept, first.weight)
    planted(monkeypatch, second)
    ran = answer("model-run", about, state=reply["state"], runs=("nchw",))["runs"]["nchw"]["tensors"]["output[0]"]
    output = torch.frombuffer(bytearray(ran[3]), dtype=torch.float32).double()
    value = torch.frombuffer(bytearray(reply["values"]["output[0]"][2]), dtype=torch.float64)
    torch.testing.assert_close(output, value, rtol=1e-4, atol=1e-5)


def test_a_cell_without_the_file_says_why_it_cannot_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It makes no weights of its own."""
    file = tmp_path / "weights.pt"
    about = planted(monkeypatch, nn.Conv2d(3, 4, 3), weights_file=str(file))
    reply = answer("model-run", about, state={"powers": {}, "statistics": {}}, runs=("nchw",))
    assert reply["status"] == "problem"
    assert "this worker runs on another" in reply["message"]
    assert not file.exists()
