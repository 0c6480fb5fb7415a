"""How long a sum is, and how many of its roundings are independent of each other."""

from __future__ import annotations

import math
from typing import Any, Tuple

import torch

from .. import pytree

SAMPLE = 512
"""Terms that are looked at to see whether they repeat."""


def is_perturbable(tensor: torch.Tensor) -> bool:
    """Whether there is a number in it that may be rounded."""
    return bool(tensor.is_floating_point() and tensor.numel())


def floating_tensors(part: object) -> list[torch.Tensor]:
    """The floating tensors in a container that are not empty, in order."""
    return [tensor for tensor in pytree.flatten(part) if is_perturbable(tensor)]


def term_count(args: Tuple[Any, ...], result: torch.Tensor) -> int:
    """How many terms each element of `result` adds up, from the shapes of the operands."""
    operands = floating_tensors(args)
    if len(args) > 3 and isinstance(args[1], int):  # scatter_add: all of a line may go to one place
        return max(1, int(args[3].shape[args[1]]))
    if len(operands) > 1 and operands[-1].dim() == 2:
        return max(1, int(operands[-1].shape[0]))
    largest = max((int(operand.numel()) for operand in operands), default=1)
    return max(1, largest // max(1, int(result.numel())))


def effective_terms(args: Tuple[Any, ...], terms: int) -> float:
    """By how many roundings of its sum of magnitudes a sum of so many terms is off.

    sqrt(n) where roundings are independent. Equal terms are rounded alike while the sum stays between two powers of
    two: of n terms with d values the errors of n / d add up in full, and d of these at random. How many values there
    are is read from the first terms, by their leading bits: those behind are the noise's own.
    """
    operands = floating_tensors(args[:1])
    if terms < 2 or not operands:
        return math.sqrt(terms)
    mantissa, exponent = torch.frexp(operands[0].flatten()[:SAMPLE])
    values = len(torch.unique(torch.ldexp((mantissa * 2.0**12).round(), exponent)))
    return terms / math.sqrt(min(terms, values)) if 2 * values <= len(mantissa) else math.sqrt(terms)
