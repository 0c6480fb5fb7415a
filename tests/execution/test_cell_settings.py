"""What can be switched off in a cell for one run: oneDNN, the filling of memory, the preload files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from harness.execution import AS_USUAL, CellSettings, Executor
from tests.execution import stand

UNWRITTEN = stand.case("misbehaving.unwritten")
LARGE = stand.example(UNWRITTEN, sizes={"N": 4, "C": 64, "H": 16, "W": 32})
NO_RELU = """
import torch

LIBRARY = torch.library.Library("aten", "IMPL")
LIBRARY.impl("relu", lambda x: x.clone(), "CPU", allow_override=True)
"""
OWN_OPERATOR = """
import torch

LIBRARY = torch.library.Library("mine", "DEF")
LIBRARY.define("double(Tensor x) -> Tensor")
LIBRARY.impl("double", lambda x: x * 2, "CompositeExplicitAutograd")


def double(x):
    return torch.ops.mine.double(x.detach())
"""


def share_poisoned(executor: Executor, settings: CellSettings) -> float:
    """How much of what nobody wrote is poison."""
    result = executor.run_isolated(UNWRITTEN, LARGE, cells=["avx2"], settings=settings)
    poison = np.frombuffer(b"\xbf" * 4 + b"\x40" * 4, np.float32)
    return float(np.isin(result.observations[0].tensors["output[0]"].values, poison).mean())


def test_without_onednn_its_kernels_do_not_run(executor: Executor) -> None:
    """The same numbers come from elsewhere, and the next run has oneDNN again."""
    example = stand.example(stand.CONV2D, sizes={"K": 8, "C": 8}, layouts={"input": "channels_last"})
    kernels = [
        executor.run_isolated(stand.CONV2D, example, cells=["avx2"], settings=settings).observations[0].kernels
        for settings in (CellSettings(onednn=False), AS_USUAL)
    ]
    assert kernels[0] == {}
    assert kernels[1]


def test_unpoisoned_memory_is_as_it_was(executor: Executor) -> None:
    """Of a large block nothing is poison, and in the next run all is."""
    assert share_poisoned(executor, CellSettings(poisoned=False)) < 0.5
    assert share_poisoned(executor, AS_USUAL) > 0.9


@pytest.mark.usefixtures("executor")  # which knows whether this machine has the level
def test_without_the_preload_files_stock_kernels_run(tmp_path: Path) -> None:
    """A kernel that a file replaces is PyTorch's own again; what only a file has cannot do without."""
    file = tmp_path / "no_relu.py"
    file.write_text(NO_RELU, "utf-8")
    relu, other = stand.case("torch.relu"), stand.case("no_relu.LIBRARY")
    with Executor([stand.SSE41], preload=[file], limit=4.0) as executor:
        least = [
            executor.run_isolated(relu, stand.example(relu), settings=settings)
            .observations[0]
            .tensors["output[0]"]
            .values.min()
            for settings in (AS_USUAL, CellSettings(preloaded=False), AS_USUAL)
        ]
        assert executor.can_do_without_preload(relu)
        assert not executor.can_do_without_preload(other)
    assert least[0] == least[2] < 0 == least[1]


@pytest.mark.usefixtures("executor")
def test_an_operator_of_a_preload_file_is_noted_by_its_name(tmp_path: Path) -> None:
    """Whether the case calls it or a function that does; what it calls of PyTorch's is not foreign."""
    file = tmp_path / "mine.py"
    file.write_text(OWN_OPERATOR, "utf-8")
    case, stock = stand.case("mine.double"), stand.case("torch.mul", arguments={"other": 2})
    with Executor([stand.SSE41], preload=[file], limit=4.0) as executor:
        example = stand.example(case)
        (result,) = executor.run(case, [example], traced=[example])
        isolated = executor.run_isolated(case, example, traced=True)
        plain = executor.run_isolated(stock, stand.example(stock), traced=True)
    assert [each.observations[0].foreign for each in (result, isolated, plain)] == [("mine::double",)] * 2 + [()]
    assert "aten::mul" in isolated.observations[0].operators
