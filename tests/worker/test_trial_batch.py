"""Trials that run at once: each of them gives what it gives alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from tests.execution import stand
from tests.worker.test_monte_carlo import OPERATORS, Run, drawn

TRIALS = 3
Function = Callable[..., Any]


def write_into_a_view(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """A copy of x of which one channel is y's."""
    copy = x.clone()
    copy[:, 1].copy_(y[:, 0])
    return copy


FUNCTIONS: dict[str, Function] = {
    "elementwise": lambda x, y: (x * y - 2.0).abs().clamp_min(0.1).rsqrt(),
    "broadcast": lambda x, y: x + y[0, 0] * x.mean([0, 2, 3]).reshape(1, -1, 1, 1) - x.sum(),
    "comparison": lambda x, y: torch.where(torch.logical_and(x > y, x < 0.9), x, torch.zeros_like(y)),
    "reduction": lambda x, y: x.amax([1], keepdim=True) + y.mean() - x.sum(2).mean([0, 1], keepdim=True),
    "views": lambda x, y: (
        x.permute(0, 2, 3, 1).flatten(1, 2).unsqueeze(0).squeeze() + y.reshape(2, 20, 3).transpose(0, 0)
    ),
    "parts": lambda x, y: torch.cat([*x.split(2, 1), y[:, 1:].flip([0, -1])], 1)[..., 1:3].select(2, -1),
    "stack": lambda x, y: torch.stack([x, y, torch.ones(x.shape, dtype=x.dtype)], -1).unbind(-1)[1],
    "expand": lambda x, y: x[:, :1].expand(2, 2, -1, 4, 5).repeat(1, 1, 3, 1, 1) * y,
    "gather": lambda x, y: x.gather(3, (y > 0.5).to(torch.int64).clamp(0, 4)),
    "scatter": lambda x, y: torch.zeros_like(x).scatter_add(2, (y > 0.5).to(torch.int64), y),
    "product": lambda x, y: torch.bmm(x.flatten(1, 2), y.flatten(1, 2).transpose(1, 2)),
    "padding": lambda x, y: torch.nn.functional.pad(x, [1, 2, 0, 1]) * y.new_full([1], 2.0),
    "row by row": lambda x, y: torch.nn.functional.avg_pool2d(x, 2).cumsum(1) + y.std(),
    "several results": lambda x, y: torch.var_mean(x * y, [2])[1],
    "in place": lambda x, y: x.clone().mul_(y).add_(1.0, alpha=0.5).masked_fill_(y > 0.5, 0.25),
    "into a view": write_into_a_view,
}


def batches() -> Any:
    """The module under test."""
    return stand.module("reference.trial_batch")


def random_rows(seed: int) -> torch.Tensor:
    """Images, others for each trial."""
    return torch.rand(TRIALS, 2, 3, 4, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("both", [True, False])
def test_each_row_is_what_its_trial_gives_alone(name: str, both: bool) -> None:
    """Whether both operands depend on the trial or one of them."""
    first, second = random_rows(1), random_rows(2)
    second = second if both else second[:1].repeat(TRIALS, 1, 1, 1, 1)
    batch = batches().TrialBatch
    result = FUNCTIONS[name](batch(first.clone()), batch(second.clone()) if both else second[0].clone())
    due = torch.stack([FUNCTIONS[name](*row) for row in zip(first, second, strict=True)])
    assert tuple(result.shape) == tuple(due.shape[1:])
    torch.testing.assert_close(result.rows, due, rtol=1e-14, atol=1e-15)


def test_autograd_goes_through_a_batch() -> None:
    """The gradient of each trial is its own, of an input that they share as well."""
    rows = random_rows(3)
    batch = batches().TrialBatch(rows).requires_grad_()
    leaf = batches().repeat_for(torch.ones(5, dtype=torch.float64, requires_grad=True), TRIALS)
    total = (torch.nn.functional.softplus(batch) * leaf).sum()
    gradients = torch.autograd.grad(total, [batch, leaf])
    torch.testing.assert_close(gradients[0].rows, torch.sigmoid(rows))
    torch.testing.assert_close(gradients[1].rows, torch.nn.functional.softplus(rows).sum([1, 2, 3]))


def test_what_all_trials_share_is_not_written_into() -> None:
    """One trial would overwrite the other."""
    with pytest.raises(batches().NotBatched):
        torch.zeros(2, 3, 4, 5, dtype=torch.float64).add_(batches().TrialBatch(random_rows(4)))


def test_a_number_that_differs_between_trials_is_none() -> None:
    """What a function reads from a tensor steers all trials at once."""
    alike = batches().repeat_for(torch.tensor(2.5, dtype=torch.float64), TRIALS)
    assert alike.item() == 2.5
    with pytest.raises(batches().NotBatched):
        batches().TrialBatch(torch.arange(3.0)).item()


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("name", OPERATORS)
def test_trials_at_once_move_a_result_as_far(
    name: str, dtype: str, run_here: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The moves are the same numbers, and no operator is left that has to be run one by one."""
    runner = stand.module("reference.trial_runner")
    example = drawn(OPERATORS[name], dtype, absent=("mean", "variance") if name == "batch_norm" else ())
    alone: list[Any] = []
    run_one = runner.TrialRunner.run_one
    monkeypatch.setattr(runner.TrialRunner, "run_one", lambda self, noise: alone.append(noise) or run_one(self, noise))
    together = run_here(OPERATORS[name], example).reference
    assert len(alone) <= 4  # those without roundings, for each kind of them and each kernel of attention
    monkeypatch.setattr(runner, "TOGETHER", 1)
    one_by_one = run_here(OPERATORS[name], example).reference
    assert len(alone) >= 8
    for kind in ("inner_sensitivity", "storage_sensitivity"):
        moves, due = getattr(together, kind), getattr(one_by_one, kind)
        assert moves.keys() == due.keys()
        for tensor, moved in moves.items():
            np.testing.assert_allclose(
                moved, due[tensor], rtol=1e-6, atol=1e-15 * np.abs(together.values[tensor]).max()
            )


def test_what_cannot_be_batched_is_run_one_by_one() -> None:
    """A run that looks at numbers gives the same moves, one trial after the other."""
    monte_carlo = stand.module("reference.monte_carlo")
    start = torch.linspace(1.0, 2.0, 7, dtype=torch.float64)
    modes: list[Any] = []

    def run(mode: Any) -> dict[str, Any]:
        """What is printed, of all things."""
        modes.append(mode)
        with mode:
            moved = start * 3.0
        return {"y": np.array(moved.tolist())}

    steps = monte_carlo.Steps(2.0**-9, 2.0**-9, 0.0)
    values = {"y": (start * 3.0).numpy()}
    due = monte_carlo.largest_moves(run, values, steps)
    assert len(modes) == 8
    moves = monte_carlo.largest_moves(run, values, steps, run_batch=run)
    assert len(modes) == 8 + 1 + 8
    np.testing.assert_array_equal(moves["y"], due["y"])


def test_a_batch_draws_what_its_trials_draw_alone() -> None:
    """Others for each trial and at every call, also in tensors larger than the table of numbers."""
    patterns = stand.module("reference.patterns").Patterns
    batch, alone = patterns(range(TRIALS)), [patterns(trial) for trial in range(TRIALS)]
    for shape in ((3, 4), (), (70_000,)):
        tensor = torch.ones(shape, dtype=torch.float64)
        rows = batch.scale(tensor, 2.0**-9).rows
        assert len({tuple(row.flatten()[:3].tolist()) for row in rows}) == TRIALS
        torch.testing.assert_close(rows, torch.stack([each.scale(tensor, 2.0**-9) for each in alone]), rtol=0, atol=0)
