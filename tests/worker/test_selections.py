"""What is decided by a number that is rounded: both decisions count, wherever it may lie on either side of a jump."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from tests.execution import stand

torch = pytest.importorskip("torch")

Run = Callable[[Any], Mapping[str, Any]]
UNIT = 2.0**-9
"""The unit roundoff of bfloat16."""


def moves(run: Run, *, unit: float = UNIT) -> dict[str, Any]:
    """The largest moves of what a run gives, where numbers are stored with that roundoff."""
    monte_carlo = stand.module("reference.monte_carlo")
    values = run(monte_carlo.RoundingNoise(0.0, 0.0, 0.0, 0))
    largest: dict[str, Any] = monte_carlo.largest_moves(run, values, monte_carlo.Steps(0.0, unit, 0.0))
    return largest


def relu6_gradient(numbers: Any) -> Run:
    """The gradient of relu6 of numbers that are stored before it."""

    def run(mode: Any) -> dict[str, Any]:
        x = torch.as_tensor(numbers, dtype=torch.float64).requires_grad_()
        with mode:
            (gradient,) = torch.autograd.grad(torch.nn.functional.relu6(x * 1.0).sum(), x)
        return {"grad": gradient.numpy()}

    return run


def near_six(count: int = 200) -> Any:
    """Numbers below 6 by less than one rounding of bfloat16."""
    return 6.0 * (1.0 - UNIT * np.linspace(0.02, 0.98, count))


def test_a_gradient_may_jump_wherever_a_rounding_passes_the_jump() -> None:
    """Below 6 by less than a rounding it may be 0 as well as 1, in every element."""
    assert (moves(relu6_gradient(near_six()))["grad"] >= 1.0).all()


def test_random_perturbations_alone_would_miss_some(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of eight uniform perturbations none passes the jump for some elements that one rounding does take past it."""
    monkeypatch.setattr(stand.module("reference.selections"), "PAIRS", 0)
    assert (moves(relu6_gradient(near_six()))["grad"] < 0.5).any()


@pytest.mark.parametrize("number", [-3.0, 0.5, 3.0, 5.8, 6.2, 9.0])
def test_far_from_a_jump_nothing_jumps(number: float) -> None:
    """The gradient of what is decided firmly moves by roundings alone."""
    assert moves(relu6_gradient([number]))["grad"].max() < 4 * UNIT


def test_what_is_read_and_not_computed_decides_firmly() -> None:
    """An operand that no operator has made is what it is, however near the jump."""

    def run(mode: Any) -> dict[str, Any]:
        x = torch.as_tensor(near_six()).requires_grad_()
        with mode:
            (gradient,) = torch.autograd.grad(torch.nn.functional.relu6(x), x, torch.ones_like(x))
        return {"grad": gradient.numpy()}

    assert moves(run)["grad"].max() < 4 * UNIT


def test_jumps_that_cancel_are_seen_one_without_the_other() -> None:
    """Two contributions of opposite signs to one sum may jump by themselves."""

    def run(mode: Any) -> dict[str, Any]:
        scale = torch.ones((), dtype=torch.float64, requires_grad=True)
        with mode:
            y = torch.nn.functional.relu6(scale * torch.as_tensor(near_six(2)))
            (gradient,) = torch.autograd.grad(y, scale, torch.tensor([1.0, -1.0], dtype=torch.float64))
        return {"grad": gradient.numpy()}

    assert moves(run)["grad"] > 5.0


def test_two_tensors_that_are_compared_may_be_either_way() -> None:
    """Where their difference is less than they may be off by, the other one may be selected."""
    left = torch.linspace(1.0, 2.0, 50, dtype=torch.float64)

    def run(mode: Any) -> dict[str, Any]:
        with mode:
            first, second = left * 1.0, (left * (1 + UNIT / 4)) * 1.0
            return {"mask": torch.where(first < second, 1.0, 0.0).double().numpy()}

    assert (moves(run)["mask"] == 1.0).all()


@pytest.mark.parametrize(("numbers", "runs"), [([0.5], 8 + 1 + 1 + 2), ([5.999], 8 + 1 + 1 + 8)])
def test_runs_are_added_where_something_is_decided(numbers: list[float], runs: int) -> None:
    """One without roundings and two that are pushed; the other pairs only where something jumps."""
    done = []
    plain = relu6_gradient(numbers)

    def run(mode: Any) -> Mapping[str, Any]:
        done.append(mode)
        return plain(mode)

    moves(run)
    assert len(done) == runs


def test_nothing_is_added_where_nothing_is_decided() -> None:
    """Eight trials, and the run that this test asks for itself."""
    done = []

    def run(mode: Any) -> dict[str, Any]:
        done.append(mode)
        with mode:
            return {"y": (torch.ones(3, dtype=torch.float64) * 2).numpy()}

    moves(run)
    assert len(done) == 8 + 1


@pytest.mark.parametrize(
    ("shapes", "transposed", "groups", "counts"),
    [
        (((2, 6, 5, 5), (4, 3, 3, 3), (2, 4, 3, 3)), False, 2, [28, 19, 18, 18]),
        (((2, 6, 5, 5), (6, 1, 3, 3), (2, 6, 5, 5)), False, 6, [10, 10, 50, 50]),
        (((2, 6, 4, 4), (6, 5, 3, 3), (2, 10, 6, 6)), True, 2, [28, 46, 32, 72]),
    ],
)
def test_the_sums_of_a_convolution_are_as_long_as_its_shapes_say(
    shapes: tuple[tuple[int, ...], ...], transposed: bool, groups: int, counts: list[int]
) -> None:
    """Those of the output, then of the gradients of input, weight and bias, by shapes of input, weight and output."""
    term_counts = stand.module("reference.sum_length").term_counts
    image, weight, output = (torch.ones(shape) for shape in shapes)
    extent: tuple[Any, ...] = ([1, 1], [0, 0], [1, 1])
    forward = (image, weight, None, *extent, transposed, [0, 0], groups)
    backward = (output, image, weight, [output.shape[1]], *extent, transposed, [0, 0], groups, [True] * 3)
    gradients = (image, weight, torch.ones(output.shape[1]))
    assert term_counts("convolution", forward, output) == counts[:1]
    assert term_counts("convolution_backward", backward, gradients) == counts[1:]
    assert term_counts("convolution_backward", backward, (None, weight, None)) == counts[2:3]
