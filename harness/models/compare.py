"""One tensor of a model against its float64 reference: how far off it is, and how far it may be."""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np

from harness.core import TensorRecord
from harness.core.observation import Array
from harness.models.model import ModelReference
from harness.oracles import Fault
from harness.portable.dtypes import finfo

SAFETY: Final = 8.0
"""How many times its measured sensitivity a tensor may be off.

Over the suites here, on correct kernels, the worst is 1.9, in tensors of a few elements: the sensitivity is that to one
random perturbation and its opposite.
"""

RELATIVE: Final = 4.0
"""How many times the unconverted run's error, or the sensitivity if that is larger, a converted run may be off.

An unconverted run that is wrong itself is no yardstick: of its error only so much counts as it is allowed.
"""


class ModelComparison(NamedTuple):
    """A tensor against its reference: error over allowance (NaN where nothing can be said), and both of them.

    Of floats the error is the largest absolute difference; of other numbers it is how many differ.
    """

    ratio: float
    error: float
    allowance: float


def rounding_floor(reference: ModelReference, tensor: str, record: TensorRecord) -> float:
    """How far a tensor may move: its measured sensitivity, and one rounding of its largest element in its own dtype."""
    rounding = finfo(record.dtype).unit_roundoff * _largest(reference.values[tensor])
    return reference.sensitivity.get(tensor, 0.0) + rounding


def is_decisive(reference: ModelReference, tensor: str, record: TensorRecord) -> bool:
    """Whether a wrong tensor would show: the allowance is smaller than the tensor itself.

    What is zero but for rounding, such as the gradient of a bias in front of a batch norm, is judged all the same.
    """
    value = reference.values[tensor]
    if value.dtype.kind != "f":
        return record.values.size > 0
    return record.values.size > 0 and RELATIVE * rounding_floor(reference, tensor, record) < _largest(value)


def compare_tensor(
    reference: ModelReference, tensor: str, record: TensorRecord, plain_error: float | None
) -> ModelComparison:
    """A tensor against its reference; `plain_error` is that of the unconverted run.

    None: this is that run, or there is no such tensor in it.
    """
    value = reference.values[tensor]
    if value.dtype.kind != "f":
        return _compare_whole_numbers(reference, tensor, record)
    floor = rounding_floor(reference, tensor, record)
    error = float(_differences(record.values, value).max(initial=0.0))
    allowance = SAFETY * floor
    if plain_error is not None:
        allowance = RELATIVE * max(min(plain_error, allowance), floor)
    if not value.size or not math.isfinite(floor):
        return ModelComparison(math.nan, error, allowance)
    return ModelComparison(error / allowance if allowance else math.inf if error else 0.0, error, allowance)


def _compare_whole_numbers(reference: ModelReference, tensor: str, record: TensorRecord) -> ModelComparison:
    """Numbers that are no floats (labels, indices, masks) are equal, unless rounding changes them in float64 too."""
    if not math.isfinite(reference.sensitivity.get(tensor, 0.0)) or not record.values.size:
        return ModelComparison(math.nan, 0.0, 0.0)
    differing = float(np.count_nonzero(record.values != reference.values[tensor]))
    return ModelComparison(math.inf if differing else 0.0, differing, 0.0)


def _largest(value: Array) -> float:
    return float(np.abs(value).max(initial=0.0))


def _differences(returned: Array, value: Array) -> Array:
    """Absolute differences; 0 where both are the same infinity or both no number, infinite where one alone is."""
    with np.errstate(invalid="ignore"):
        absolute = np.abs(returned.astype(np.float64) - value)
    agree = (returned == value) | (np.isnan(returned) & np.isnan(value))
    differences: Array = np.where(agree, 0.0, np.where(np.isnan(absolute), np.inf, absolute))
    return differences


def value_fault(tensor: str, record: TensorRecord, value: Array, comparison: ModelComparison) -> Fault:
    """What is said of a tensor that is off by more than its allowance."""
    _, error, allowance = comparison
    scale = _largest(value) or 1.0
    ratio = error / allowance if allowance else math.inf
    differing = int(np.count_nonzero(_differences(record.values, value) > allowance))
    times = f"{ratio:.2g} times" if math.isfinite(ratio) else "beyond"
    message = (
        f"{tensor} is off by {error / scale:.2g} of its largest element, {times} the allowance "
        f"({allowance / scale:.2g}), in {differing} of {value.size} elements"
    )
    return Fault(ratio, message)
