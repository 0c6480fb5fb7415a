"""The standard: what one tensor of one Example must be, element by element, before any result is looked at."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.nouns import Case, Example, Reference
from harness.oracles.bounds import UNJUDGED, allowance, elementwise_gradient, elementwise_output, perturbed
from harness.oracles.rounding import FORMATS, accumulator_of, round_to

Array = npt.NDArray[Any]
GRADIENT = "grad:"
INTEGRAL_FILLS = ("integers", "ones")


@dataclass(frozen=True)
class Standard:
    """What a tensor is compared with.

    `rounded` is the reference rounded to `dtype`, in the type that observations carry. `allowance` None asks for
    equality with it. `scale` is the allowance to divide an error by, infinite where there is no bound to compare with.
    """

    dtype: str
    reference: Array
    rounded: Array
    allowance: Array | None = None
    scale: Array | None = None
    signed_zero: bool = False

    @property
    def judges(self) -> bool:
        """Whether at least one element could fail by its value."""
        if self.allowance is None:
            return self.reference.size > 0
        return bool(np.any(~(self.allowance >= UNJUDGED)))


def expected_dtype(case: Case, example: Example, tensor: str, reference: Array) -> str:
    """Torch's name of the dtype due: integers as in the reference, a gradient as its input, else the example's."""
    if reference.dtype.kind not in "fc":
        return str(reference.dtype)
    if tensor.startswith(GRADIENT):
        spec = {spec.name: spec for spec in case.tensors}.get(tensor.removeprefix(GRADIENT))
        return (spec.dtype if spec else None) or example.dtype
    return example.dtype


def standard_of(
    case: Case, example: Example, reference: Reference, tensor: str, accumulator: str | None = None
) -> Standard:
    """The standard for `tensor` by the case's rule; `accumulator` replaces the dtype that sums are kept in."""
    values = reference.values[tensor]
    dtype = expected_dtype(case, example, tensor, values)
    if dtype not in FORMATS:
        return Standard(dtype, values, values)
    rounded = round_to(dtype, values)
    rule = case.numerics.rule(tensor)
    if rule == "exact":
        return Standard(dtype, values, rounded, signed_zero=example.fill == "special")
    kept = accumulator or accumulator_of(dtype)
    if rule == "normwise":
        allowed = perturbed(
            values, reference.spread[tensor], reference.stored.get(tensor), dtype=dtype, accumulator=kept
        )
    elif rule == "elementwise":
        allowed = _elementwise(case, reference, tensor, dtype, kept)
    else:
        integral = example.fill in INTEGRAL_FILLS and case.numerics.of(tensor).terms is None
        allowed = _summed(reference, tensor, dtype, kept, integral=integral)
    return Standard(dtype, values, rounded, allowed, np.where((allowed > 0) & (allowed < UNJUDGED), allowed, np.inf))


def _summed(reference: Reference, tensor: str, dtype: str, accumulator: str, *, integral: bool) -> Array:
    """Integers in and integers out: equality. Not where `terms` is declared: such coefficients are fractions."""
    values, bound = reference.values[tensor], reference.bound[tensor]
    integral = integral and _whole(values) and _whole(bound)
    return allowance(values, bound, reference.terms[tensor], dtype=dtype, accumulator=accumulator, integral=integral)


def _elementwise(case: Case, reference: Reference, tensor: str, dtype: str, accumulator: str) -> Array:
    numerics, values = case.numerics.of(tensor), reference.values[tensor]
    operand = _operand(reference.inputs.values(), values.shape)
    if not tensor.startswith(GRADIENT):
        return elementwise_output(numerics, values, operand, dtype, accumulator)
    cotangent = _operand(reference.grad_outputs.values(), values.shape)
    return elementwise_gradient(numerics, values, operand, cotangent, dtype)


def _operand(arrays: Iterable[Array], shape: tuple[int, ...]) -> Array:
    """The first array that broadcasts to `shape`; failing that the largest magnitude in any of them."""
    candidates = list(arrays)
    for array in candidates:
        if _broadcasts(array.shape, shape):
            return array
    largest = [float(np.max(np.abs(array[np.isfinite(array)]), initial=0.0)) for array in candidates]
    return np.asarray(max(largest, default=0.0))


def _broadcasts(shape: tuple[int, ...], target: tuple[int, ...]) -> bool:
    pairs = zip(reversed(shape), reversed(target), strict=False)
    return len(shape) <= len(target) and all(size in (1, due) for size, due in pairs)


def _whole(array: Array) -> bool:
    return bool(np.array_equal(array, np.rint(array)))
