"""By how much each element is off: numbers at random, the same in every run of the same trial.

One trial has tensors of its own; several at once have a `TrialBatch`, each row of which gets the numbers that its trial
would get alone.
"""

from __future__ import annotations

import functools
import math
from typing import List, NamedTuple, Sequence, Tuple

import numpy as np
import torch

from ..tensors import Array, as_numpy
from .trial_batch import TrialBatch, rows_of

_LAST = 12
_BITS = 16
_COUNT = 1 << _BITS
_AHEAD = 256
"""States of the generator that are computed at a time: about as many as a trial draws."""
_MULTIPLIER, _INCREMENT = 6364136223846793005, 1442695040888963407
"""Where the next numbers begin: the linear congruential generator of Knuth, TAOCP vol. 2, 3rd ed., section 3.3.4."""


class Patterns:
    """The numbers of these trials, whose seeds they are; others at every call."""

    def __init__(self, trials: int | Sequence[int]) -> None:
        self.is_batch = not isinstance(trials, int)
        self._seeds = (trials,) if isinstance(trials, int) else tuple(trials)
        self._draws = 0
        self.trials = len(self._seeds)

    def scale(self, tensor: torch.Tensor, step: float) -> torch.Tensor:
        """The tensor with each element multiplied by a factor that is off from 1 by about `step`."""
        rows = self._rows(tensor)
        factors = self._slices(rows, step)
        is_alike = rows.is_contiguous() and not rows.is_complex()  # the product would have the strides of `factors`
        return self._wrap(factors.mul_(rows) if is_alike else rows * factors)

    def draw(self, tensor: torch.Tensor) -> torch.Tensor:
        """Numbers about as large as 1 in the tensor's shape."""
        return self._wrap(self._slices(self._rows(tensor), 0.0))

    def store(self, tensor: torch.Tensor, step: float, least: float) -> torch.Tensor:
        """The tensor as it is stored, each element off by about `step` of it, and by `least` at least if it is not 0.

        What is equal is stored alike: a sum of stored numbers keeps their errors in full where all are the same.
        """
        values = as_numpy(self._rows(tensor))
        pattern = self._draw_by_value(values)
        if least:
            away = np.abs(values)
            away = np.maximum(away * step, least) * (away != 0)
            return self._wrap(torch.from_numpy(np.asarray(values + away * pattern)))
        return self._wrap(torch.from_numpy(np.asarray(values * (1.0 + step * pattern))))

    def _draw_by_value(self, values: Array) -> Array:
        """Numbers that go with those of an array. Its last bits do not count: float64 has its own roundings."""
        mixed = np.asarray(np.abs(values)).view(np.uint64)
        mixed >>= np.uint64(_LAST)
        mixed *= np.uint64(_MULTIPLIER)
        mixed = mixed + self._column(self._next_states().addends, values.ndim)
        mixed >>= np.uint64(64 - _BITS)
        drawn: Array = _table(0.0).numpy().take(mixed.view(np.int64))
        return drawn

    def weigh(self, tensor: torch.Tensor, weights: Sequence[float]) -> torch.Tensor:
        """The tensor times a weight for each trial; of one weight, in all of them."""
        rows = self._rows(tensor)
        if len(weights) == 1:
            return self._wrap(rows * weights[0])
        return self._wrap(rows * torch.from_numpy(self._column(np.array(weights), rows.dim())))

    def _rows(self, tensor: torch.Tensor) -> torch.Tensor:
        return rows_of(tensor) if self.is_batch else tensor

    def _wrap(self, rows: torch.Tensor) -> torch.Tensor:
        return TrialBatch(rows) if self.is_batch else rows

    def _column(self, numbers: Array, dims: int) -> Array:
        """A number for each trial, which broadcasts against so many dimensions of rows."""
        return numbers.reshape([-1] + [1] * (dims - 1)) if self.is_batch else numbers[0]

    def _slices(self, rows: torch.Tensor, step: float) -> torch.Tensor:
        """As many numbers of the table as each trial needs, from another place in it for each."""
        offsets, shape = self._next_states().offsets, rows.shape[self.is_batch :]
        count = math.prod(shape)
        if count > _COUNT:
            table, times = _table(step)[:_COUNT], count // _COUNT + 1
            slices = [table.roll(-offset).repeat(times)[:count] for offset in offsets.tolist()]
            return torch.stack(slices).view(len(slices), *shape) if self.is_batch else slices[0].view(shape)
        numbers = _windows(step, count).index_select(0, offsets)
        return numbers.view(len(numbers), *shape) if self.is_batch else numbers.view(shape)

    def _next_states(self) -> _States:
        draw = self._draws
        self._draws += 1
        return _states(self._seeds, draw // _AHEAD)[draw % _AHEAD]


class _States(NamedTuple):
    """The state of the generator of each trial at one draw: where in the table it begins, and what goes with values."""

    state: Array
    offsets: torch.Tensor
    addends: Array


@functools.lru_cache(maxsize=64)  # the trials of every request have the same few seeds
def _states(seeds: Tuple[int, ...], part: int) -> List[_States]:
    """The states at `_AHEAD` draws in a row, after so many parts of as many."""
    state = _states(seeds, part - 1)[-1].state if part else np.array(seeds, dtype=np.uint64)
    states = []
    for _ in range(_AHEAD):
        state = state * np.uint64(_MULTIPLIER) + np.uint64(_INCREMENT)
        offsets = (state >> np.uint64(64 - _BITS)).astype(np.int64)
        states.append(_States(state, torch.from_numpy(offsets), state >> np.uint64(1)))
    return states


@functools.lru_cache(maxsize=256)
def _windows(step: float, count: int) -> torch.Tensor:
    """A row of `count` numbers of the table from each place in it on."""
    return _table(step).as_strided((_COUNT, count), (1, 1))


@functools.lru_cache(maxsize=16)  # one for each roundoff
def _table(step: float) -> torch.Tensor:
    """The numbers twice over, so that a slice may begin anywhere: uniform on +-sqrt(3), of variance 1.

    Two perturbations of one sign only would often cancel exactly.
    """
    raw = np.random.Philox(key=np.array([0, _COUNT], dtype=np.uint64)).random_raw(_COUNT)
    uniform = torch.from_numpy(np.tile((raw.astype(np.float64) * 2.0**-63 - 1.0) * math.sqrt(3.0), 2))
    return 1.0 + step * uniform if step else uniform
