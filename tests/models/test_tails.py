"""Networks that end as classifiers do, trained by correct kernels: a grid of them, of which a sample runs here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.version import Version

from harness.gate import Gate
from tests.faults.conftest import PYTHON, ROOT
from tests.models.tail_grid import (
    ACTIVATIONS,
    NORMS,
    POOLS,
    TRAINING,
    Alarms,
    Tail,
    draw_tails,
    false_alarms,
    judge_tail,
    open_grid,
    sample_of_tails,
)

ONE_NUMBER_EVERYWHERE = Tail(16, 1, "none", "ReLU", "AdaptiveAvgPool2d(1)", "Linear", 64, 64, 2)
"""The gradient of a global pool is one number at every position, and a rectifier leaves it or makes it zero."""

IDENTITY = Tail(24, 1, "none", "LeakyReLU", "AdaptiveAvgPool2d(1)", "Conv2d", 54, 80, 2)
SHIFTED = Tail(32, 2, "BatchNorm2d", "LeakyReLU", "AdaptiveAvgPool2d(1)", "Conv2d", 53, 61, 3)
"""What the mean of a batch norm's gradient is off by shifts the gradient of every pixel, and sums add that up."""

TAILS = [ONE_NUMBER_EVERYWHERE, IDENTITY, SHIFTED, *sample_of_tails(seed=3, count=12)]


@pytest.fixture(scope="module")
def grid() -> Iterator[Gate]:
    """The workers of `equivalence model`, with the networks."""
    with open_grid(ROOT, PYTHON) as gate:
        yield gate


@pytest.mark.parametrize(
    "tail", [ONE_NUMBER_EVERYWHERE, IDENTITY, SHIFTED, *sample_of_tails(seed=3, count=12)], ids=str
)
def test_rounding_is_no_fault(grid: Gate, tail: Tail) -> None:
    """No value of a step of training is called wrong, neither converted nor unconverted."""
    assert false_alarms(judge_tail(grid, tail)) == Alarms((), ())


def test_a_sum_without_its_last_column_is_found() -> None:
    """What equal terms may be off by is less than one column of 64, and the convolution is named."""
    files = (ROOT / "tests" / "faults" / "wrong_layers.py", Path(__file__).with_name("tail_faults.py"))
    with open_grid(ROOT, PYTHON, *files) as gate:
        if Version(gate.executor.build.torch) < Version("2.9"):
            pytest.skip("the planted kernels need torch.library.get_kernel")
        outcome = gate.try_model(ONE_NUMBER_EVERYWHERE.model, TRAINING)
    (failure,) = outcome.failures
    assert failure.findings[0].tensor == "grad:conv0.bias"
    assert failure.findings[0].kind == "layout"
    assert [module.path for module in failure.faulty_modules] == ["conv0"]


def test_the_grid_has_every_pool_with_every_activation_and_norm() -> None:
    """Two rounds are 288 networks, and no two of them are the same."""
    tails = list(draw_tails(seed=1, rounds=2))
    assert len(set(tails)) == 288
    assert {(tail.pool, tail.activation, tail.norm) for tail in tails} == {
        (pool, activation, norm) for pool in POOLS for activation in ACTIVATIONS for norm in NORMS
    }
