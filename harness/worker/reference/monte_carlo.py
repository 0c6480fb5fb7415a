"""How far roundings move the result of a nonlinear operator or a composition: Monte Carlo arithmetic in float64.

D. S. Parker, Monte Carlo Arithmetic, UCLA CSD-970002, 1997: perturb the operands and the result of every operation by
about a unit roundoff, at random (`RoundingNoise`), and look at how far the result moves. Where something is decided by
a number that is off, both decisions are tried (`selections`).
"""

from __future__ import annotations

from typing import Callable, Mapping, NamedTuple, Sequence

import numpy as np
import torch

from ...portable.operator_protocol import PATTERNS
from ..tensors import Array
from . import selections
from .rounding_noise import RoundingNoise

__all__ = ["RoundingNoise", "Steps", "largest_moves"]

SMALLEST = 2.0**-40
"""A perturbation that float64 resolves; that of a smaller unit roundoff is scaled down from it."""

TRIALS = PATTERNS
"""Patterns. The largest move of eight is below a quarter of its standard deviation once in 400,000 elements.

A night looks at hundreds of millions of elements, so that what this condemns is looked at again with more patterns.
"""

TYPICAL = 1.73
"""The largest of eight moves in standard deviations, in one half of all cases: P(|z| < 1.73) to the eighth is 1/2."""


class Steps(NamedTuple):
    """How large roundings are, relative to what is rounded: inside operators, and of what is stored between them.

    `tiny` is the least that a stored number moves.
    """

    inner: float
    stored: float
    tiny: float

    def times(self, factor: float) -> Steps:
        """So many times as large."""
        return Steps(*(step * factor for step in self))


Run = Callable[[RoundingNoise], Mapping[str, Array]]
"""Computes the operator under a mode, and gives float64 arrays by name."""

EXACTLY = Steps(0.0, 0.0, 0.0)


def largest_moves(run: Run, values: Mapping[str, Array], steps: Steps, patterns: int = TRIALS) -> dict[str, Array]:
    """The largest move of each element over the trials, by name; infinite where a trial was not finite.

    `values` are the unperturbed results of `run`. More patterns than `TRIALS` tell the standard deviation of a move,
    which is then at least what the largest of so few would typically show: `TYPICAL` times that.
    """
    roundoff = max(steps.inner, steps.stored)
    scale = max(roundoff, SMALLEST) / roundoff
    trials = [RoundingNoise(*steps.times(scale), trial) for trial in range(TRIALS)]
    moves: dict[str, Array] = {}
    for trial in trials:
        _add_moves(moves, run(trial), values, scale)
    if patterns > TRIALS:
        more = [RoundingNoise(*steps.times(scale), trial) for trial in range(TRIALS, patterns)]
        deviations = _root_mean_squares(run, more, values, scale)
        moves = {name: np.maximum(move, TYPICAL * deviations[name]) for name, move in moves.items()}
    if trials[0].selections.numbers:
        _add_jumps(moves, run, [trial.selections.numbers for trial in trials], scale)
    return moves


def _root_mean_squares(
    run: Run, trials: Sequence[RoundingNoise], values: Mapping[str, Array], scale: float
) -> dict[str, Array]:
    """The standard deviation of each element's move, whose mean is 0."""
    squares: dict[str, Array] = {}
    for trial in trials:
        moves: dict[str, Array] = {}
        _add_moves(moves, run(trial), values, scale)
        for name, move in moves.items():
            squares[name] = squares.get(name, 0.0) + np.square(move)
    return {name: np.sqrt(total / len(trials)) for name, total in squares.items()}


def _add_jumps(moves: dict[str, Array], run: Run, numbers: Sequence[Sequence[torch.Tensor]], scale: float) -> None:
    """Add how far the results move where each deciding number is pushed as far as it may be off.

    They are compared with what the same decompositions give unpushed, which in float64 is not quite the operator.
    """
    plain = RoundingNoise(*EXACTLY, 0)
    values = run(plain)
    pushes = selections.largest_pushes(numbers, plain.selections.numbers, scale)
    for pair in range(selections.PAIRS):
        has_jumped = False
        for sign in (1.0, -1.0):
            signed = [sign * push for push in selections.signed_pushes(pushes, pair)]
            pushed = RoundingNoise(*EXACTLY, 0, selections.Selections(signed))
            _add_moves(moves, run(pushed), values, 1.0)
            has_jumped |= pushed.selections.has_jumped
        if not has_jumped:
            return


def _add_moves(
    moves: dict[str, Array], results: Mapping[str, Array], values: Mapping[str, Array], scale: float
) -> None:
    """Keep the larger of the moves so far and of those of a run, which are `scale` times as large."""
    for name, moved in results.items():
        with np.errstate(invalid="ignore", over="ignore"):
            away: Array = np.abs(moved - values[name]) / scale
        away = np.where(np.isnan(away), np.inf, away)
        moves[name] = np.maximum(moves[name], away) if name in moves else away
