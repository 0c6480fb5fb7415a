"""How far roundings move the result of a nonlinear operator or a composition: Monte Carlo arithmetic in float64.

D. S. Parker, Monte Carlo Arithmetic, UCLA CSD-970002, 1997: perturb the operands and the result of every operation by
about a unit roundoff, at random (`RoundingNoise`), and look at how far the result moves. Where something is decided by
a number that is off, both decisions are tried (`selections`).
"""

from __future__ import annotations

from typing import Iterable, Mapping, Sequence

import numpy as np
import torch

from ...portable.operator_protocol import PATTERNS
from ..tensors import Array
from . import selections
from .rounding_noise import RoundingNoise
from .trial_runner import Run, Steps, TrialResults, TrialRunner

__all__ = ["RoundingNoise", "Steps", "largest_moves"]

SMALLEST = 2.0**-40
"""A perturbation that float64 resolves; that of a smaller unit roundoff is scaled down from it."""

TRIALS = PATTERNS
"""Patterns. The largest move of eight is below a quarter of its standard deviation once in 400,000 elements.

A night looks at hundreds of millions of elements, so that what this condemns is looked at again with more patterns.
"""

TYPICAL = 1.73
"""The largest of eight moves in standard deviations, in one half of all cases: P(|z| < 1.73) to the eighth is 1/2."""


EXACTLY = Steps(0.0, 0.0, 0.0)


def largest_moves(
    run: Run, values: Mapping[str, Array], steps: Steps, patterns: int = TRIALS, run_batch: Run | None = None
) -> dict[str, Array]:
    """The largest move of each element over the trials, by name; infinite where a trial was not finite.

    `values` are the unperturbed results of `run`. `run_batch` runs several trials at once, if there is such a way. More
    patterns than `TRIALS` tell the standard deviation of a move, which is then at least what the largest of so few
    would typically show: `TYPICAL` times that.
    """
    roundoff = max(steps.inner, steps.stored)
    scale = max(roundoff, SMALLEST) / roundoff
    elements = max((value.size for value in values.values()), default=0)
    runner, noise = TrialRunner(run, run_batch, elements), steps.times(scale)
    outcomes = [*runner.run_trials(noise, range(TRIALS))]
    moves: dict[str, Array] = {}
    for outcome in outcomes:
        _add_moves(moves, outcome.results, values, scale)
    if patterns > TRIALS:
        deviations = _root_mean_squares(runner.run_trials(noise, range(TRIALS, patterns)), values, scale)
        moves = {name: np.maximum(move, TYPICAL * deviations[name]) for name, move in moves.items()}
    numbers = [trial for outcome in outcomes for trial in outcome.numbers]
    if numbers[0]:
        _add_jumps(moves, runner, numbers, scale)
    return moves


def _root_mean_squares(outcomes: Iterable[TrialResults], values: Mapping[str, Array], scale: float) -> dict[str, Array]:
    """The standard deviation of each element's move, whose mean is 0."""
    squares: dict[str, Array] = {}
    trials = 0
    for outcome in outcomes:
        trials += len(outcome.numbers)
        for name, results in outcome.results.items():
            mean = np.square(_moves(results, values[name], scale)).mean(0)
            squares[name] = squares.get(name, 0.0) + mean * len(outcome.numbers)
    return {name: np.sqrt(total / trials) for name, total in squares.items()}


def _add_jumps(
    moves: dict[str, Array], runner: TrialRunner, numbers: Sequence[Sequence[torch.Tensor]], scale: float
) -> None:
    """Add how far the results move where each deciding number is pushed as far as it may be off.

    They are compared with what the same decompositions give unpushed, which in float64 is not quite the operator.
    """
    plain = runner.run_one(RoundingNoise(*EXACTLY, 0))
    values = {name: results[0] for name, results in plain.results.items()}
    pushes = selections.largest_pushes(numbers, plain.numbers[0], scale)
    for pair in range(selections.PAIRS):
        pushed = runner.run_pushed(selections.signed_pushes(pushes, pair))
        for outcome in pushed:
            _add_moves(moves, outcome.results, values, 1.0)
        if not any(outcome.has_jumped for outcome in pushed):
            return


def _add_moves(
    moves: dict[str, Array], results: Mapping[str, Array], values: Mapping[str, Array], scale: float
) -> None:
    """Keep the larger of the moves so far and of those of some trials, which are `scale` times as large."""
    for name, moved in results.items():
        away = _moves(moved, values[name], scale).max(0)
        moves[name] = np.maximum(moves[name], away) if name in moves else away


def _moves(results: Array, value: Array, scale: float) -> Array:
    """How far each trial has moved a result, one row for each; infinite where it is no number."""
    with np.errstate(invalid="ignore", over="ignore"):
        away: Array = np.abs(results - value)
        away /= scale
    away[np.isnan(away)] = np.inf
    return away
