"""What decides by a number that is itself rounded: comparisons, and the masks of backward.

The gradient of relu6 jumps where its operand passes 0 or 6. In a fused kernel that operand is the sum of a convolution,
which is off by its roundings, so that near a jump both sides are right. Random perturbations are a poor witness of it:
where the operand lies one rounding from the jump, the largest of eight uniform ones passes it with a probability of
85 %, and a right kernel fails for the rest. But a jump needs no luck. The operand z may be off by what the same bound
allows it as a result, E = ALLOWED max |moved z - z| over the trials. Both sides are right where the decision is another
for some z' within z +- E, and where z is compared with a number that is so at one of the two ends.

So each such operand is pushed by +E or by -E, with nothing else perturbed. The sign is drawn for each element, and the
next run has the opposite ones: an element that can jump does so in one run of each pair, for certain. Which of several
jumps come together in a kernel nobody knows. Of those that meet in one sum the pairs are eight draws, and the largest
move of the result over all of them counts as any other move does.

Max pooling is not among these: where one of many places is selected, two ends for each do not show every selection.
"""

from __future__ import annotations

import functools
from typing import Any, Callable, Sequence, Tuple

import torch

from .sum_length import is_perturbable
from .trial_batch import rows_of

OPERANDS = {
    "ge": 0,
    "gt": 0,
    "hardshrink_backward": 1,
    "hardsigmoid_backward": 1,
    "hardtanh_backward": 1,
    "le": 0,
    "leaky_relu_backward": 1,
    "lt": 0,
    "sgn": 0,
    "sign": 0,
    "softshrink_backward": 1,
    "threshold_backward": 1,
}
"""Operators that decide by a number, and which argument that is. Between two jumps they do not depend on it."""

ALLOWED = 4.0
"""How many of its largest moves an operand may be off by: as a result by `INNER` and `STORAGE` (oracles/bounds.py)."""

PAIRS = 4
"""Draws of signs, each run with its opposite."""

Operator = Callable[..., Any]

Pushes = Sequence[torch.Tensor]
"""What is added to each deciding number, in the order of a run."""


class Selections:
    """The numbers that decide in one run, in the order in which operators ask for them.

    `pushes` is what is added to each of them, in the same order; `has_jumped` says that a decision was another for it.
    """

    def __init__(self, pushes: Sequence[torch.Tensor] = ()) -> None:
        self.numbers: list[torch.Tensor] = []
        self.has_jumped = False
        self._pushes = pushes

    def watch(self, func: Operator, name: str, args: Tuple[Any, ...]) -> Operator:
        """The operator, with its operand noted and pushed if it decides by a floating number; else as it is."""
        place = OPERANDS.get(name)
        if place is None or not isinstance(args[place], torch.Tensor) or not is_perturbable(args[place]):
            return func
        return functools.partial(self._run, func, place)

    def _run(self, func: Operator, place: int, *args: Any, **keywords: Any) -> Any:
        turn, operand = len(self.numbers), args[place]
        self.numbers.append(_deciding_number(operand, *args[place + 1 : place + 2]).clone())
        plain = func(*args, **keywords)
        if turn >= len(self._pushes):
            return plain
        pushed = func(*args[:place], operand + self._pushes[turn], *args[place + 1 :], **keywords)
        self.has_jumped |= not torch.equal(rows_of(pushed), rows_of(plain))
        return pushed


def _deciding_number(operand: torch.Tensor, other: object = None) -> torch.Tensor:
    """The difference where two tensors are compared; a plain number that one is compared with is not off."""
    return operand - other if isinstance(other, torch.Tensor) and other.is_floating_point() else operand


def largest_pushes(trials: Sequence[Sequence[torch.Tensor]], plain: Sequence[torch.Tensor], scale: float) -> Pushes:
    """How far each deciding number may be off, from what it was in the trials, with roundings `scale` times as large.

    Nothing where the trials did not all decide by the same numbers in the same order.
    """
    shapes = [number.shape for number in plain]
    if any([number.shape for number in trial] != shapes for trial in trials):
        return []
    return [_largest_push(number, moved, scale) for number, *moved in zip(plain, *trials)]


def _largest_push(number: torch.Tensor, moved: Sequence[torch.Tensor], scale: float) -> torch.Tensor:
    away = torch.stack([(each - number).abs() for each in moved]).amax(0)
    return torch.nan_to_num(away, nan=0.0, posinf=0.0) * (ALLOWED / scale)


def signed_pushes(pushes: Sequence[torch.Tensor], pair: int) -> Pushes:
    """The pushes with the signs of that draw, which is the same in every run."""
    generator = torch.Generator().manual_seed(pair)
    return [push * (2.0 * torch.randint(0, 2, push.shape, generator=generator) - 1.0) for push in pushes]
