"""Compare one returned tensor with what is expected of it, or with the same tensor in the other layout."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from harness.core import Mismatch
from harness.core.observation import Array
from harness.oracles.bounds import UNLIMITED, overflow_mask
from harness.oracles.describe_mask import describe_mask
from harness.oracles.expected import Expected

PEER: Final = 4.0
"""How many times less accurate than in the other layout a `normwise` tensor may be."""

FLOOR: Final = 1 / 8
"""What the other layout's error counts for at least, in units of the bound: a few elements may be right by chance."""


FEWEST: Final = 16
"""Elements below which the two layouts' errors are not compared: the bound alone judges.

The ratio of two mean squares of k errors of one size follows the F distribution with k and k degrees of freedom. By
chance it exceeds PEER squared once in 1.6 million tensors for k = 16, in 14,000 for 10, and in 6 for a single number.
"""


@dataclass(frozen=True)
class Fault:
    """One broken property in one cell and layout. `ratio` is error over allowance, 1 where there is no number.

    `extent` is how many elements differ, and `mismatch` which, where elements were compared.
    """

    ratio: float
    message: str
    where: str = ""
    extent: int = 0
    mismatch: Mismatch | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class Comparison:
    """`headroom` is the worst error over allowance (None where equality was asked); `fault` None where all is well.

    `typical` is the root mean square of error over allowance, of `count` elements.
    """

    headroom: float | None
    fault: Fault | None = None
    typical: float = 0.0
    count: int = 0


def compare(tensor: str, values: Array, expected: Expected) -> Comparison:
    """Judge `values`, which have the shape and the dtype that are expected already."""
    if expected.free:
        return Comparison(None)
    with np.errstate(all="ignore"):
        if expected.allowance is None or expected.scale is None:
            return _compare_exactly(tensor, values, expected)
        return _compare_within_bounds(tensor, values, expected, expected.allowance, expected.scale)


def accuracy_fault(tensor: str, own: Comparison, peer: Comparison, layout: str) -> Fault | None:
    """The fault of a layout that is much less accurate than its peer in the same cell, within the bound or not.

    Dynamo compares a compiled model's error with the eager one's in the same way (torch/_dynamo/utils.py, `same`).
    """
    reached = PEER * max(peer.typical, FLOOR)
    if own.fault or own.count < FEWEST or own.typical <= reached:
        return None
    other = "contiguous" if layout == "drawn" else "drawn"
    message = f"in layout {layout} {tensor} is off by {own.typical:.2g} of the bound (root mean square)"
    return Fault(own.typical / reached, f"{message}, in layout {other} by {peer.typical:.2g}")


def difference_fault(tensor: str, drawn: Array, contiguous: Array) -> Fault | None:
    """The fault of integers that are not those of the contiguous layout in the same cell, within the bound or not."""
    wrong = np.asarray(drawn != contiguous)
    if not wrong.any():
        return None
    index = tuple(int(part) for part in np.argwhere(wrong)[0])
    values = f"(got {drawn[index]!s} in layout drawn, {contiguous[index]!s} in layout contiguous at {[*index]})"
    count = int(np.count_nonzero(wrong))
    message = f"{tensor} is not the same in both layouts in {count} of {wrong.size} elements {values}"
    mismatch = Mismatch(str(drawn.dtype), drawn, contiguous, wrong)
    return Fault(1.0, message, describe_mask(wrong, tensor), count, mismatch)


def _compare_exactly(tensor: str, values: Array, expected: Expected) -> Comparison:
    wrong = np.zeros(values.shape, np.bool_)
    for got, due in zip(_parts(values), _parts(expected.rounded), strict=True):
        differs = got != due
        if expected.signed_zero:
            differs |= np.signbit(got) != np.signbit(due)
        if differs.any() and due.dtype.kind == "f":
            differs &= ~(np.isnan(got) & np.isnan(due))
        wrong |= differs
    if not wrong.any():
        return Comparison(None)
    exact = values if np.iscomplexobj(values) else values.astype(np.float64)
    error = np.where(wrong, np.abs(exact - expected.reference), -1.0)
    return Comparison(None, _fault(tensor, values, expected, wrong, rank=error, ratio=1.0))


def _parts(array: Array) -> tuple[Array, ...]:
    """The real and the imaginary part of a complex array; any other is its own part."""
    return (array.real, array.imag) if np.iscomplexobj(array) else (array,)


def _compare_within_bounds(tensor: str, values: Array, expected: Expected, allowed: Array, scale: Array) -> Comparison:
    allowed = np.asarray(allowed)  # NumPy makes scalars of arrays without a dimension, and those cannot be indexed
    error = np.asarray(np.abs(values - expected.reference))
    ratios = np.asarray(error / scale)
    finite = ratios[np.isfinite(ratios)]
    headroom = float(finite.max(initial=0.0))
    typical = float(np.sqrt(np.mean(np.square(finite)))) if finite.size else 0.0
    wrong = np.asarray(~(error <= allowed))
    if expected.fixed_zeros is not None:
        wrong |= expected.fixed_zeros & (np.signbit(values) != np.signbit(expected.rounded))
    if wrong.any():
        wrong[wrong] = ~_non_finite_as_due(values[wrong], expected, allowed[wrong], wrong)
    if not wrong.any():
        return Comparison(headroom, None, typical, finite.size)
    failing = ratios[wrong]
    worst = float(failing[np.isfinite(failing)].max(initial=0.0))
    rank = np.where(wrong, np.where(allowed > 0, ratios, error), -1.0)
    fault = _fault(tensor, values, expected, wrong, rank=rank, ratio=max(worst, 1.0))
    return Comparison(headroom, fault, typical, finite.size)


def _non_finite_as_due(values: Array, expected: Expected, allowed: Array, mask: Array) -> Array:
    """Of elements whose error is no number within the bound: the same NaN or Inf, overflow that is due or excused."""
    reference = expected.reference[mask]
    if np.iscomplexobj(reference):
        pairs = zip(_parts(values), _parts(expected.rounded[mask]), strict=True)
        return np.asarray(np.all([(got == due) | (np.isnan(got) & np.isnan(due)) for got, due in pairs], axis=0))
    same = (np.isnan(values) & np.isnan(reference)) | (np.isinf(values) & (values == expected.rounded[mask]))
    overflow = overflow_mask(expected.dtype, values, reference, allowed)
    excused = ~np.isfinite(values) & ~np.isnan(reference)
    excused &= np.asarray(expected.excused)[mask] if expected.excused is not None else False
    return np.asarray(same | overflow | excused | (allowed == UNLIMITED))


def _fault(tensor: str, values: Array, expected: Expected, wrong: Array, *, rank: Array, ratio: float) -> Fault:  # noqa: PLR0913 - what its message says
    """The fault of the elements that are `wrong`. `rank` orders them; the message has the worst, NaN first."""
    flat = int(np.argmax(np.where(np.isnan(rank), np.inf, rank)))
    count = int(np.count_nonzero(wrong))
    worst = f", worst {ratio:.2g} times the bound" if ratio > 1.0 else ""
    index = [int(part) for part in np.unravel_index(flat, wrong.shape)]
    example = f"(got {values.flat[flat]!s}, expected {expected.rounded.flat[flat]!s} at {index})"
    message = f"{tensor} differs from the float64 reference in {count} of {wrong.size} elements{worst} {example}"
    mismatch = Mismatch(expected.dtype, values, expected.rounded, wrong)
    return Fault(ratio, message, describe_mask(wrong, tensor), count, mismatch)
