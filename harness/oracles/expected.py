"""What one tensor of one Example must be, element by element, before any result is looked at."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np

from harness.core import Case, Example, Reference
from harness.core.observation import Array
from harness.oracles.bounds import (
    UNJUDGED,
    coordinate_error,
    elementwise_allowance,
    elementwise_gradient_allowance,
    gamma,
    multilinear_allowance,
    normwise_allowance,
)
from harness.oracles.rounding import round_to
from harness.portable.dtypes import COMPLEX, FLOATING, accumulator_of, finfo, part_of
from harness.portable.fills import WHOLE_FILLS
from harness.portable.tensor_name import FIRST_OUTPUT, TensorKind, gradient, kind_of, parse, with_kind

SUMMANDS: Final = 4
"""Roundings to the dtype on the way to a number that the double backward gives, besides the last.

It is a sum of at most three products of tensors, one for each tensor that the gradient is a product with, each of which
an operator stores; autograd adds them up in two more steps, and hands on what it has accumulated in another.
"""


@dataclass(frozen=True)
class Expected:
    """What a tensor is compared with.

    `rounded` is the reference rounded to `dtype`, in the type that observations carry. `allowance` None asks for
    equality with it. `scale` is the allowance to divide an error by, infinite where there is no bound to compare with.
    `signed_zero`: under equality the sign of zero counts. Beside an allowance, `fixed_zeros` are the elements whose
    zero has a sign that is due, `excused` those that may be NaN or infinite although the reference is not NaN, and
    `alike` those that must then be so in both formats. `free`: any values are right.
    """

    dtype: str
    reference: Array
    rounded: Array
    allowance: Array | None = None
    scale: Array | None = None
    signed_zero: bool = False
    fixed_zeros: Array | None = None
    excused: Array | None = None
    alike: Array | None = None
    free: bool = False

    @property
    def judges(self) -> bool:
        """Whether at least one element could fail by its value."""
        if self.free:
            return False
        if self.allowance is None:
            return self.reference.size > 0
        return bool(np.any(~(self.allowance >= UNJUDGED)))


def due_shape(case: Case, example: Example, tensor: str) -> tuple[int, ...] | None:
    """The shape that the case gives an output; None for what it says nothing of, where it is the reference's.

    A stock kernel that gets shapes wrong is wrong in the reference too.
    """
    if case.result is None or kind_of(tensor) is not TensorKind.OUTPUT:
        return None
    return tuple(int(extent.evaluate(dict(example.sizes))) for extent in case.result)


def expected_dtype(case: Case, example: Example, reference: Reference, tensor: str) -> str:
    """Torch's name of the dtype due: a gradient's and a buffer's are their tensor's own, in place it is the input's.

    Any other output's is the one that the reference names. Where the call raises in the example's dtype it names none;
    then integers are due as the reference has them, and for all else the example's dtype. So is it for tangents.
    """
    name = parse(tensor)
    if name.kind in (TensorKind.GRADIENT, TensorKind.BUFFER):
        return {spec.name: spec.dtype for spec in case.tensors}.get(name.of) or example.dtype
    if name.kind is TensorKind.TANGENT:
        return example.dtype
    if name.kind is TensorKind.SECOND:
        is_of_output = kind_of(name.of) is TensorKind.GRAD_OUTPUT
        like = with_kind(name.of, TensorKind.OUTPUT) if is_of_output else gradient(name.of)
        return expected_dtype(case, example, reference, like)
    if example.inplace and tensor == FIRST_OUTPUT:
        return case.tensors[0].dtype or example.dtype
    values = reference.values[tensor]
    plain = str(values.dtype) if values.dtype.kind not in "fc" else example.dtype
    return reference.dtypes.get(tensor, plain)


def expected_values(
    case: Case, example: Example, reference: Reference, tensor: str, accumulator: str | None = None
) -> Expected:
    """What is expected of `tensor` by the case's rule; `accumulator` replaces the dtype that sums are kept in."""
    values = reference.values[tensor]
    dtype = expected_dtype(case, example, reference, tensor)
    part, rule = part_of(dtype), case.numerics.rule(tensor)
    is_second = kind_of(tensor) is TensorKind.SECOND
    if rule == "unspecified" or (is_second and example.fill == "special"):
        return Expected(dtype, values, values, free=True)
    if part not in FLOATING:
        return _resampled_bytes(reference, tensor, dtype) if rule == "resampling" else Expected(dtype, values, values)
    rounded = round_to(dtype, values)
    if rule == "exact":
        return Expected(dtype, values, rounded, signed_zero=example.fill == "special")
    allowed = _allowance(case, example, reference, tensor, dtype, accumulator or accumulator_of(part))
    if dtype in COMPLEX:  # the error of a modulus, where that of each part has been bounded
        allowed = np.where(allowed < UNJUDGED, allowed * np.sqrt(2.0), allowed)
    return Expected(dtype, values, rounded, allowed, np.where((allowed > 0) & (allowed < UNJUDGED), allowed, np.inf))


def _allowance(  # noqa: PLR0913, PLR0917 - what a bound depends on
    case: Case, example: Example, reference: Reference, tensor: str, dtype: str, accumulator: str
) -> Array:
    """How far each element may lie from the reference, by the tensor's rule, where that is not equality."""
    rule = case.numerics.rule(tensor)
    if rule == "normwise":
        inner, storage = reference.inner_sensitivity[tensor], reference.storage_sensitivity.get(tensor)
        values = reference.values[tensor]
        return normwise_allowance(values, inner, storage, dtype=part_of(dtype), accumulator=accumulator)
    if rule == "elementwise":
        return _bound_elementwise(case, reference, tensor, part_of(dtype), accumulator)
    if rule == "resampling":
        return _bound_resampling(reference, tensor, part_of(dtype), accumulator)
    integral = example.fill in WHOLE_FILLS and case.numerics.of(tensor).terms is None
    allowed = _bound_multilinear(reference, tensor, dtype, accumulator, integral=integral)
    if kind_of(tensor) is not TensorKind.SECOND:
        return allowed
    stored = gamma(SUMMANDS, finfo(part_of(dtype)).unit_roundoff) * reference.bound[tensor]
    return np.where(allowed > 0, allowed + stored, allowed)


def _bound_multilinear(reference: Reference, tensor: str, dtype: str, accumulator: str, *, integral: bool) -> Array:
    """Integers in and integers out: equality. Not where `terms` is declared: such coefficients are fractions.

    A product of complex numbers is within sqrt(2) gamma_2 <= gamma_3 of the true one, a sum within u, as those of real
    numbers are (Higham, 2nd ed., Lemma 3.5): three roundings where real numbers have one.
    """
    values, bound = reference.values[tensor], reference.bound[tensor]
    terms = reference.terms[tensor] * (3 if dtype in COMPLEX else 1)
    integral = integral and _whole(values) and _whole(bound)
    return multilinear_allowance(values, bound, terms, dtype=part_of(dtype), accumulator=accumulator, integral=integral)


def _bound_resampling(reference: Reference, tensor: str, dtype: str, accumulator: str) -> Array:
    values, bound, terms = reference.values[tensor], reference.bound[tensor], reference.terms[tensor]
    moved = coordinate_error(reference.inner_sensitivity[tensor], accumulator)
    return multilinear_allowance(values, bound, terms, dtype=dtype, accumulator=accumulator, moved=moved)


def _resampled_bytes(reference: Reference, tensor: str, dtype: str) -> Expected:
    """The bound is that of the passes in fixed point; their weights come from coordinates in float64."""
    values = reference.values[tensor]
    allowed = reference.bound[tensor] + 2.0 * coordinate_error(reference.inner_sensitivity[tensor], "float64")
    return Expected(dtype, values, np.rint(values).astype(dtype), allowed, np.where(allowed > 0, allowed, np.inf))


def _bound_elementwise(case: Case, reference: Reference, tensor: str, dtype: str, accumulator: str) -> Array:
    """The operand is the first input of the tensor's shape, in backward together with the grad_output of that shape."""
    numerics, values = case.numerics.of(tensor), reference.values[tensor]
    operand = _operand(reference.inputs.values(), values.shape)
    if kind_of(tensor) is not TensorKind.GRADIENT:
        return elementwise_allowance(numerics, values, operand, dtype, accumulator)
    grad_output = _operand(reference.grad_outputs.values(), values.shape)
    return elementwise_gradient_allowance(numerics, values, operand, grad_output, dtype)


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
