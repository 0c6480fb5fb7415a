"""How long a sum is, and how many of its roundings are independent of each other."""

from __future__ import annotations

import math
from typing import Any, Sequence, Tuple

import numpy as np
import torch

from .. import pytree
from ..tensors import Array
from .trial_batch import rows_of

SAMPLE = 512
"""Terms that are looked at to see whether they repeat."""

SUMS = 4
"""Sums of one operator that are looked at where it makes many, each with its share of these terms."""

SIGNIFICANT = 12
"""Leading bits by which two terms are told apart."""

_CUT = 53 - SIGNIFICANT


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


def term_counts(name: str, args: Tuple[Any, ...], result: object) -> list[int]:
    """How many terms each element of each floating tensor of `result` adds up, for the operator of that name."""
    if name == "convolution":
        return [_convolution_terms(weight=args[1], groups=args[8], is_transposed=args[6])]
    if name == "convolution_backward":
        return _convolution_backward_terms(args, result)
    return [term_count(args, tensor) for tensor in floating_tensors(result)]


def _convolution_terms(weight: torch.Tensor, groups: int, *, is_transposed: bool) -> int:
    """Taps times channels of one group, and the bias; a transposed one meets no more taps than that.

    A weight is (out, in / groups, ...) and of a transposed convolution (in, out / groups, ...).
    """
    channels = weight.shape[0] // groups if is_transposed else weight.shape[1]
    return int(channels * math.prod(weight.shape[2:])) + 1


def _convolution_backward_terms(args: Tuple[Any, ...], result: object) -> list[int]:
    """Those of the gradients of input, weight and bias, as far as the output mask asks for them.

    The gradient of the input is a convolution of the other kind. That of the weight adds up over the places and images
    of what the kernel is applied to for each tap, which are those of grad_output, or of the input if transposed.
    """
    grad_output, image, weight = args[:3]
    is_transposed, groups = args[7], args[9]
    placed = image if is_transposed else grad_output
    counts = [
        _convolution_terms(weight, groups, is_transposed=not is_transposed),
        placed.numel() // max(1, placed.shape[1]),
        grad_output.numel() // max(1, grad_output.shape[1]),
    ]
    gradients = result if isinstance(result, tuple) else (result,)
    return [count for count, gradient in zip(counts, gradients) if floating_tensors(gradient)]


def effective_terms(args: Tuple[Any, ...], terms: int, dims: Sequence[int] | None = None) -> list[float]:
    """By how many roundings of its sum of magnitudes a sum of so many terms is off, in each trial; or in all alike.

    sqrt(n) where roundings are independent. Equal terms are rounded alike while the sum stays between two powers of
    two: of n terms with d values the errors of n / d add up in full, and d of these at random. How many values there
    are is read from the first terms, by their leading bits: those behind are the noise's own. Where `dims` are the
    dimensions that are added up it is read from some of the sums, and the one with the fewest values decides: the
    gradient of a smoothed loss is the same for all classes of a pixel, and another for each pixel.
    """
    operands = floating_tensors(args[:1])
    if terms < 2 or not operands:
        return [math.sqrt(terms)]
    sums = _sampled_sums(rows_of(operands[0]), dims)
    return [max(_effective(terms, values, sums.shape[2]) for values in _value_counts(each.numpy())) for each in sums]


def _effective(terms: int, values: int, looked_at: int) -> float:
    return terms / math.sqrt(min(terms, values)) if 2 * values <= looked_at else math.sqrt(terms)


def _sampled_sums(rows: torch.Tensor, dims: Sequence[int] | None) -> torch.Tensor:
    """Of each row some of the sums over these dimensions, with their first terms: (rows, sums, terms).

    Without dimensions the whole row is one sum.
    """
    if not dims:
        return rows.flatten(1)[:, None, :SAMPLE]
    reduced = [1 + dim % (rows.dim() - 1) for dim in dims]
    kept = [dim for dim in range(1, rows.dim()) if dim not in reduced]
    lines = rows.permute(0, *kept, *reduced).flatten(1 + len(kept))[..., : SAMPLE // SUMS]
    lines = lines.flatten(1, len(kept)) if kept else lines[:, None]
    return lines[:, :: max(1, -(-lines.shape[1] // SUMS))]


def _value_counts(lines: Array) -> list[int]:
    """How many different numbers each line of float64 has, rounded to `SIGNIFICANT` bits, half to even."""
    bits = (lines + 0.0).view(np.int64)  # -0.0 is 0.0
    bits = bits + ((1 << (_CUT - 1)) - 1) + ((bits >> _CUT) & 1) >> _CUT
    ordered = np.sort(bits, axis=1)
    counts: list[int] = (1 + np.count_nonzero(ordered[:, 1:] != ordered[:, :-1], axis=1)).tolist()
    return counts
