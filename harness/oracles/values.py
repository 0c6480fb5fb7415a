"""Compare one returned tensor with its standard."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.oracles.bounds import UNLIMITED, overflows
from harness.oracles.pattern import where
from harness.oracles.standard import Standard

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Fault:
    """One broken property in one cell and layout. `ratio` is error over allowance, 1 where there is no number."""

    ratio: float
    message: str
    where: str = ""
    extent: int = 0


@dataclass(frozen=True)
class Comparison:
    """`headroom` is the worst error over allowance (None where equality was asked); `fault` None where all is well."""

    headroom: float | None
    fault: Fault | None = None


def compare(tensor: str, values: Array, standard: Standard) -> Comparison:
    """Judge `values`, which have the shape and dtype of the standard already."""
    with np.errstate(all="ignore"):
        if standard.allowance is None or standard.scale is None:
            return _equal(tensor, values, standard)
        return _bounded(tensor, values, standard, standard.allowance, standard.scale)


def _equal(tensor: str, values: Array, standard: Standard) -> Comparison:
    wrong = np.zeros(values.shape, np.bool_)
    for got, due in zip(_parts(values), _parts(standard.rounded), strict=True):
        differs = got != due
        if standard.signed_zero:
            differs |= np.signbit(got) != np.signbit(due)
        if differs.any() and due.dtype.kind == "f":
            differs &= ~(np.isnan(got) & np.isnan(due))
        wrong |= differs
    if not wrong.any():
        return Comparison(None)
    exact = values if np.iscomplexobj(values) else values.astype(np.float64)
    error = np.where(wrong, np.abs(exact - standard.reference), -1.0)
    return Comparison(None, _fault(tensor, values, standard, wrong, rank=error, ratio=1.0))


def _parts(array: Array) -> tuple[Array, ...]:
    """The real and the imaginary part of a complex array; any other is its own part."""
    return (array.real, array.imag) if np.iscomplexobj(array) else (array,)


def _bounded(tensor: str, values: Array, standard: Standard, allowed: Array, scale: Array) -> Comparison:
    error = np.abs(values - standard.reference)
    ratios = error / scale
    headroom = float(ratios.max(initial=0.0))
    if not np.isfinite(headroom):
        headroom = float(ratios[np.isfinite(ratios)].max(initial=0.0))
    wrong = ~(error <= allowed)
    if wrong.any():
        wrong[wrong] = ~_right_after_all(values[wrong], standard, allowed[wrong], wrong)
    if not wrong.any():
        return Comparison(headroom)
    failing = ratios[wrong]
    worst = float(failing[np.isfinite(failing)].max(initial=0.0))
    rank = np.where(wrong, np.where(allowed > 0, ratios, error), -1.0)
    return Comparison(headroom, _fault(tensor, values, standard, wrong, rank=rank, ratio=max(worst, 1.0)))


def _right_after_all(values: Array, standard: Standard, allowed: Array, mask: Array) -> Array:
    """Of elements whose error is no number within the bound: the same NaN or Inf, and overflow that is due."""
    reference = standard.reference[mask]
    if np.iscomplexobj(reference):
        pairs = zip(_parts(values), _parts(standard.rounded[mask]), strict=True)
        return np.asarray(np.all([(got == due) | (np.isnan(got) & np.isnan(due)) for got, due in pairs], axis=0))
    same = (np.isnan(values) & np.isnan(reference)) | (np.isinf(values) & (values == standard.rounded[mask]))
    overflow = np.isinf(values) & (np.signbit(values) == np.signbit(reference))
    overflow &= overflows(standard.dtype, reference, allowed)
    return np.asarray(same | overflow | (allowed == UNLIMITED))


def _fault(tensor: str, values: Array, standard: Standard, wrong: Array, *, rank: Array, ratio: float) -> Fault:  # noqa: PLR0913
    """`rank` orders the elements; the worst is shown, NaN first."""
    flat = int(np.argmax(np.where(np.isnan(rank), np.inf, rank)))
    count = int(np.count_nonzero(wrong))
    worst = f", worst {ratio:.2g} times the bound" if ratio > 1.0 else ""
    index = [int(part) for part in np.unravel_index(flat, wrong.shape)]
    shown = f"(got {values.flat[flat]!s}, expected {standard.rounded.flat[flat]!s} at {index})"
    message = f"{tensor} differs from the float64 reference in {count} of {wrong.size} elements{worst} {shown}"
    return Fault(ratio, message, where(wrong, tensor), count)
