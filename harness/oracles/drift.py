"""How far the results of one build lie from those of another, in units of what each may lie from the reference.

Each build has a reference of its own, and one that is refined has a larger allowance: the larger one counts. Where the
two references themselves lie further apart than what they may be compared with, no distance says which build is wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import numpy as np

from harness.core import Case, Example, Observation, Reference, TensorRecord
from harness.core.observation import Array
from harness.oracles.bounds import UNLIMITED, overflow_mask
from harness.oracles.expected import Expected, expected_values
from harness.oracles.special_values import adjust_for_special_fill

Drift = dict[tuple[str, str], float]
"""(cell, tensor) to the worst drift of its two layouts."""

NO_BOUND: Final = float("inf")
"""The drift of elements that differ where the oracle asks for equality."""


def measure_drift(
    case: Case,
    example: Example,
    references: Sequence[Reference],
    pairs: Iterable[tuple[Observation, Observation]],
) -> Drift:
    """The worst of |A - B| over the allowance of the references, for each cell and tensor (no unit).

    `references` are those of the two builds, `pairs` what the two observed of the example in the same cell and layout.
    Where both are within their bounds it is 2 at most; where elements that must be exact differ, or one is a NaN or an
    infinity that is not due, it is infinite. Tensors that are not in both, or differ in shape or dtype, have none.
    """
    expectations: dict[str, list[Expected]] = {}
    drift: Drift = {}
    for ours, theirs in pairs:
        for tensor in _shared_tensors(references):
            record, other = ours.tensors.get(tensor), theirs.tensors.get(tensor)
            if record is None or other is None or not _are_comparable(record, other, references[0].values[tensor]):
                continue
            if record.values.tobytes() == other.values.tobytes():
                worst = 0.0
            else:
                if tensor not in expectations:
                    expectations[tensor] = _expectations(case, example, references, tensor)
                worst = float(_ratios(record.values, other.values, expectations[tensor]).max(initial=0.0))
            drift[ours.cell, tensor] = max(worst, drift.get((ours.cell, tensor), 0.0))
    return drift


def compare_references(case: Case, example: Example, references: Sequence[Reference]) -> Iterator[tuple[str, str]]:
    """Yield (tensor, sentence) where two builds compute another answer in float64: further apart than the allowance.

    Such is a convention that has changed, as that of a gradient at a bound: each build agrees with its own reference.
    """
    ours, theirs = references
    for tensor in (name for name in ours.values if name in theirs.values):
        values, others = ours.values[tensor], theirs.values[tensor]
        if values.shape != others.shape:
            yield tensor, f"the float64 reference has the shape {[*values.shape]}, the other build's {[*others.shape]}"
        elif values.tobytes() != others.tobytes():
            expectations = _expectations(case, example, references, tensor)
            if expectations[0].allowance is None:
                values, others = (expected.rounded for expected in expectations)
            differs = _ratios(values, others, expectations) > 1.0
            if differs.any():
                yield tensor, _reference_sentence(values, others, differs)


def _reference_sentence(values: Array, others: Array, differs: Array) -> str:
    flat = int(np.argmax(differs))
    index = [int(part) for part in np.unravel_index(flat, differs.shape)]
    example = f"(here {values.flat[flat]!s}, there {others.flat[flat]!s} at {index})"
    count = int(np.count_nonzero(differs))
    return f"the float64 references of the two builds differ in {count} of {differs.size} elements {example}"


def _shared_tensors(references: Sequence[Reference]) -> list[str]:
    """Those of which both references have a value, of one shape."""
    ours, theirs = (reference.values for reference in references)
    return [tensor for tensor in ours if tensor in theirs and ours[tensor].shape == theirs[tensor].shape]


def _expectations(case: Case, example: Example, references: Sequence[Reference], tensor: str) -> list[Expected]:
    return [
        adjust_for_special_fill(expected_values(case, example, reference, tensor), case, example, reference, tensor)
        for reference in references
    ]


def _are_comparable(record: TensorRecord, other: TensorRecord, reference: Array) -> bool:
    return record.dtype == other.dtype and record.shape == other.shape == reference.shape


def _ratios(values: Array, others: Array, expectations: Sequence[Expected]) -> Array:
    """The distance of each element over the larger allowance; 0 where neither can be wrong for what it differs by."""
    if any(expected.free for expected in expectations):
        return np.zeros(values.shape)
    with np.errstate(all="ignore"):
        same = (values == others) | (np.isnan(values) & np.isnan(others)) if _is_inexact(values) else values == others
        allowances = [expected.allowance for expected in expectations if expected.allowance is not None]
        if len(allowances) < len(expectations):
            return np.where(same, 0.0, NO_BOUND)
        allowance = np.maximum(*np.broadcast_arrays(*allowances))
        error = np.abs(values - others) if _is_inexact(values) else np.abs(values.astype(np.float64) - others)
        ratios = np.where(np.isfinite(error), error / allowance, NO_BOUND)
        ratios = np.where(np.isnan(ratios), NO_BOUND, ratios)
        same |= allowance == UNLIMITED
        for expected in expectations:
            same |= _excused_mask(values, others, expected)
    return np.asarray(np.where(same, 0.0, ratios))


def _excused_mask(values: Array, others: Array, expected: Expected) -> Array:
    """Where one of the two is no finite number, and may be none: an overflow that is due, or one that may be."""
    both_finite = np.isfinite(values) & np.isfinite(others)
    excused = np.zeros(values.shape, np.bool_) if expected.excused is None else expected.excused & ~both_finite
    if np.iscomplexobj(expected.reference) or expected.allowance is None:
        return np.asarray(excused)
    allowed = np.broadcast_to(expected.allowance, values.shape)
    for array in (values, others):
        excused = excused | overflow_mask(expected.dtype, array, expected.reference, allowed)
    return np.asarray(excused)


def _is_inexact(values: Array) -> bool:
    """Whether the numbers can be NaN."""
    return bool(np.issubdtype(values.dtype, np.inexact))
