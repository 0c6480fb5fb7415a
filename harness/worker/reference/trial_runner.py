"""Trials of an operator, several at once where that can be done and one by one where it cannot."""

from __future__ import annotations

from typing import Callable, Iterator, List, Mapping, NamedTuple, Sequence

import numpy as np
import torch

from ..tensors import Array
from .rounding_noise import RoundingNoise
from .selections import Pushes, Selections
from .trial_batch import TrialBatch, row_of

TOGETHER = 8
"""Trials in one batch: as many as a usual request has."""

ELEMENTS = 1 << 16
"""Elements of the largest tensor in all trials of a batch: more do not fit into the cache of a core any more."""

Run = Callable[[RoundingNoise], Mapping[str, Array]]
"""Computes the operator under a mode, and gives float64 arrays by name; of several trials, with a row for each."""


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


class TrialResults(NamedTuple):
    """What some trials gave, with a row for each; the numbers by which each decided, and whether any has jumped.

    Of what is the same in all of them there may be one row.
    """

    results: Mapping[str, Array]
    numbers: List[List[torch.Tensor]]
    has_jumped: bool


class TrialRunner:
    """Runs trials by `run`, or by `run_batch` until that fails once: what it cannot do is done one by one.

    `elements` are those of the largest tensor.
    """

    def __init__(self, run: Run, run_batch: Run | None, elements: int) -> None:
        self._run = run
        self._run_batch = run_batch
        self._together = min(TOGETHER, max(1, ELEMENTS // max(1, elements)))

    def run_trials(self, steps: Steps, trials: Sequence[int]) -> Iterator[TrialResults]:
        """The outcomes of trials with roundings of these steps, in order."""
        for first in range(0, len(trials), self._together):
            part = trials[first : first + self._together]
            outcome = self._run_together(RoundingNoise(*steps, part), len(part))
            yield from [outcome] if outcome else [self.run_one(RoundingNoise(*steps, trial)) for trial in part]

    def run_pushed(self, pushes: Pushes) -> List[TrialResults]:
        """The outcomes without roundings, with the deciding numbers pushed so, and the opposite way."""
        both = [TrialBatch(torch.stack([push, -push])) for push in pushes]
        outcome = self._run_together(_exact_noise((0, 0), both), 2)
        if outcome:
            return [outcome]
        return [self.run_one(_exact_noise(0, signed)) for signed in (pushes, [-push for push in pushes])]

    def run_one(self, noise: RoundingNoise) -> TrialResults:
        """The outcome of one trial."""
        results = {name: np.asarray(array)[None] for name, array in self._run(noise).items()}
        return TrialResults(results, [noise.selections.numbers], noise.selections.has_jumped)

    def _run_together(self, noise: RoundingNoise, trials: int) -> TrialResults | None:
        """The outcome of several; None where they have to be run one by one."""
        if self._run_batch is None or trials < 2:
            return None
        try:
            results = self._run_batch(noise)
        except Exception:  # whatever cannot be batched; what is wrong with the call itself is raised again by one trial
            self._run_batch = None
            return None
        numbers = [[row_of(number, trial) for number in noise.selections.numbers] for trial in range(trials)]
        return TrialResults(results, numbers, noise.selections.has_jumped)


def _exact_noise(trials: int | Sequence[int], pushes: Pushes) -> RoundingNoise:
    """No roundings, and deciding numbers pushed so far."""
    return RoundingNoise(0.0, 0.0, 0.0, trials, Selections(pushes))
