"""How far the results of one build lie from those of another, in units of what each may lie from the reference."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np

from harness.core import Case, Example, Observation, Reference, TensorRecord
from harness.core.observation import Array
from harness.oracles.expected import Expected, expected_values
from harness.oracles.special_values import adjust_for_special_fill

Drift = dict[tuple[str, str], float]
"""(cell, tensor) to the worst drift of its two layouts."""

NO_BOUND: Final = float("inf")
"""The drift of elements that differ where the oracle asks for equality."""


def measure_drift(
    case: Case, example: Example, reference: Reference, pairs: Iterable[tuple[Observation, Observation]]
) -> Drift:
    """The worst of |A - B| over the allowance of the reference, for each cell and tensor (no unit).

    `pairs` are what the two builds observed of the example in the same cell and layout. Up to 2 both may be right;
    where elements that must be exact differ it is infinite. Tensors that are not in both, or differ in shape or dtype,
    and those of which any value is right, have none.
    """
    expectations: dict[str, Expected] = {}
    drift: Drift = {}
    for ours, theirs in pairs:
        for tensor in reference.values:
            record, other = ours.tensors.get(tensor), theirs.tensors.get(tensor)
            if record is None or other is None or not _are_comparable(record, other, reference.values[tensor]):
                continue
            if record.values.tobytes() == other.values.tobytes():
                worst = 0.0
            else:
                if tensor not in expectations:
                    expected = expected_values(case, example, reference, tensor)
                    expectations[tensor] = adjust_for_special_fill(expected, case, example, reference, tensor)
                worst = _worst_ratio(record.values, other.values, expectations[tensor])
            drift[ours.cell, tensor] = max(worst, drift.get((ours.cell, tensor), 0.0))
    return drift


def _are_comparable(record: TensorRecord, other: TensorRecord, reference: Array) -> bool:
    return record.dtype == other.dtype and record.shape == other.shape == reference.shape


def _worst_ratio(values: Array, others: Array, expected: Expected) -> float:
    if expected.free or values.size == 0:
        return 0.0
    with np.errstate(all="ignore"):
        same = (values == others) | (np.isnan(values) & np.isnan(others)) if _is_inexact(values) else values == others
        if expected.allowance is None:
            return 0.0 if bool(np.all(same)) else NO_BOUND
        error = np.abs(values - others) if _is_inexact(values) else np.abs(values.astype(np.float64) - others)
        ratios = np.where(np.isnan(error), NO_BOUND, error / np.asarray(expected.allowance))
    excused = False if expected.excused is None else expected.excused & ~(np.isfinite(values) & np.isfinite(others))
    return float(np.where(same | excused, 0.0, ratios).max())


def _is_inexact(values: Array) -> bool:
    """Whether the numbers can be NaN."""
    return bool(np.issubdtype(values.dtype, np.inexact))
