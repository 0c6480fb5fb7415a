"""Why an example in which nothing is wrong does not count as passed: no check of it could have failed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from harness.core import Case, Example, Observation, Reference
from harness.core.observation import Array
from harness.oracles.expected import due_shape
from harness.portable.memory_format import dense_strides
from harness.portable.tensor_name import TensorKind, kind_of, with_kind

Reasons = dict[str, tuple[str, ...]]
"""Why an example is untrusted, as the summary says it, and the cells for which that holds; no cell stands for all."""

EMPTY: Final = "empty"
CONSTANT_OUTPUT: Final = "constant output"
SAME_LAYOUT: Final = "same layout"
NOTHING_JUDGED: Final = "nothing judged"
OTHER_SHAPE: Final = "the reference has another shape"
OWN_REFERENCE: Final = "its own reference"
"""The reference is the operator itself: what is wrong in it is wrong in the reference too."""


def vacuity_reasons(case: Case, example: Example, reference: Reference, observations: Sequence[Observation]) -> Reasons:
    """The reasons that lie in the example itself, which hold for all cells.

    Of an empty output the shape can be wrong where the case says what it is; else it is the stock kernel's own.
    """
    by_name = {name: values for name, values in reference.values.items() if kind_of(name) is TensorKind.OUTPUT}
    outputs = list(by_name.values())
    reasons = [] if reference.is_independent else [OWN_REFERENCE]
    if any(values.shape != (due_shape(case, example, name) or values.shape) for name, values in by_name.items()):
        reasons.append(OTHER_SHAPE)
    if has_empty_outputs(reference) and case.result is None:
        reasons.append(EMPTY)
    larger = [values for values in outputs if values.size > 1]
    expected = case.numerics.constant or case.numerics.output == "unspecified"
    if larger and not expected and all(_is_constant(values) for values in larger):
        reasons.append(CONSTANT_OUTPUT)
    if same_layout(reference, observations):
        reasons.append(SAME_LAYOUT)
    return dict.fromkeys(reasons, ())


def has_empty_outputs(reference: Reference) -> bool:
    """Whether there is not one element in all that the call returns."""
    outputs = [values for name, values in reference.values.items() if kind_of(name) is TensorKind.OUTPUT]
    return bool(outputs) and all(values.size == 0 for values in outputs)


def same_layout(reference: Reference, observations: Sequence[Observation]) -> bool:
    """Whether every drawn input had the strides of the contiguous run; False where nothing was recorded.

    Those of dimensions of size 1 count: PyTorch reads a memory format off them, and takes another kernel for it.
    """
    drawn = [each for each in observations if each.layout == "drawn" and each.inputs]
    return bool(drawn) and all(_inputs_as_contiguous(reference, each) for each in drawn[:1])


def _inputs_as_contiguous(reference: Reference, observation: Observation) -> bool:
    for name, strides in observation.inputs.items():
        array = reference.inputs.get(name)
        if kind_of(name) is TensorKind.GRAD_OUTPUT:  # what out= is given is written to, and has no layout to be read in
            array = reference.values.get(with_kind(name, TensorKind.OUTPUT))
        if array is not None and tuple(strides) != dense_strides("contiguous", array.shape):
            return False
    return True


def _is_constant(values: Array) -> bool:
    first = values.flat[0]
    return bool(np.all(np.isnan(values)) if np.isnan(first) else np.all(values == first))
