"""Why an example that found nothing does not count as passed: no check of it could have failed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.core import Case, Observation, Reference
from harness.portable.memory_format import dense_strides, strides_agree

Array = npt.NDArray[Any]


def vacuity_reasons(
    case: Case, reference: Reference, observations: Sequence[Observation]
) -> dict[str, tuple[str, ...]]:
    """The reasons that lie in the example itself; the empty tuple stands for all cells."""
    outputs = [values for name, values in reference.values.items() if name.startswith("output")]
    reasons = []
    if outputs and all(values.size == 0 for values in outputs):
        reasons.append("empty")
    larger = [values for values in outputs if values.size > 1]
    expected = case.numerics.constant or case.numerics.output == "unspecified"
    if larger and not expected and all(_constant(values) for values in larger):
        reasons.append("constant output")
    if same_layout(reference, observations):
        reasons.append("same layout")
    return dict.fromkeys(reasons, ())


def same_layout(reference: Reference, observations: Sequence[Observation]) -> bool:
    """Whether every drawn input was contiguous over its dimensions larger than 1; False where nothing was recorded."""
    drawn = [seen for seen in observations if seen.layout == "drawn" and seen.inputs]
    return bool(drawn) and all(_contiguous(reference, seen) for seen in drawn[:1])


def _contiguous(reference: Reference, observation: Observation) -> bool:
    for name, strides in observation.inputs.items():
        array = reference.inputs.get(name)
        if array is None:
            array = reference.values.get(name.replace("grad_output", "output"))
        if array is not None and not strides_agree(array.shape, strides, dense_strides("contiguous", array.shape)):
            return False
    return True


def _constant(values: Array) -> bool:
    first = values.flat[0]
    return bool(np.all(np.isnan(values)) if np.isnan(first) else np.all(values == first))
