"""NaN, infinities, signed zeros and numbers near the largest: what the reference fixes of them, and what formats.

What arithmetic makes of a NaN, an infinity or a zero is fixed by IEEE 754-2019 (sections 6.1 to 6.3, 9.2.1) whatever
the instruction set, so there a result is judged by the reference. What a formula makes of a number near the dtype's
largest is not: the reference computes in float64, in which x*x does not overflow where it does in float32, and one
formula overflows where another that is as good does not. There a NaN or an infinity is no fault by itself; that it
depends on the format is one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from harness.core import Case, Example, Mismatch, Observation, Reference, TensorRecord
from harness.core.observation import Array
from harness.oracles.bounds import UNLIMITED
from harness.oracles.compare import Fault
from harness.oracles.describe_mask import describe_mask
from harness.oracles.expected import Expected
from harness.portable.dtypes import FLOATING, accumulator_of, finfo
from harness.portable.tensor_name import TensorKind, kind_of

FILL: Final = "special"
REACH: Final = 0.5
"""From this share of the largest number on, an operand may overflow in a formula: the fill holds nothing between."""


def adjust_for_special_fill(
    expected: Expected, case: Case, example: Example, reference: Reference, tensor: str
) -> Expected:
    """What is expected under the `special` fill: elements that may overflow, zeros whose sign is fixed.

    Complex numbers are left as they are: what an overflow or an infinity makes of a product of two is not fixed (C17,
    annex G.5.1, leaves it to the implementation).
    """
    if example.fill != FILL or expected.allowance is None or expected.dtype not in FLOATING:
        return expected
    rule, is_gradient = case.numerics.rule(tensor), kind_of(tensor) is TensorKind.GRADIENT
    operands = [array for array in reference.inputs.values() if array.dtype.kind == "f"]
    if rule == "normwise":  # every element of a slice may have met the largest one in a statistic
        near = any(_near_largest(array, expected.dtype).any() for array in operands)
        return replace(expected, excused=np.full(expected.reference.shape, near))
    reached = _overflow_reach(operands, expected, mixed=case.numerics.of(tensor).magnitude == "channels")
    if rule == "elementwise":
        zeros = None if is_gradient else _fixed_zeros(operands, expected.reference)
        return replace(expected, excused=reached, alike=reached, fixed_zeros=zeros)
    partial = _partial(reference.bound[tensor], expected)
    has_largest = any(_near_largest(array, expected.dtype).any() for array in operands)
    expected = _lift_bound_of_overflow(expected, reference.scaled.get(tensor), has_largest=has_largest)
    return replace(expected, excused=partial | reached, alike=reached & ~partial if is_gradient else None)


def _near_largest(array: Array, dtype: str) -> Array:
    return np.asarray(np.isfinite(array) & (np.abs(array) >= REACH * finfo(dtype).max))


def _lift_bound_of_overflow(expected: Expected, scaled: Array | None, *, has_largest: bool) -> Expected:
    """Where the float64 reference itself has overflowed, another order of its sum may give any number.

    A sum with an infinite summand is NaN if its finite ones have overflowed to the other side before, and that infinity
    if not. The magnitudes do not tell this from the sum of two infinities, so where an operand is near the largest
    neither is asked for; the narrower dtypes, whose reference does not overflow, still ask for it.
    """
    if scaled is None or expected.allowance is None:
        return expected
    overflown = np.isfinite(scaled) & ~np.isfinite(expected.reference)
    if has_largest:
        overflown |= np.isinf(scaled) & np.isnan(expected.reference)
    return replace(expected, allowance=np.where(overflown, UNLIMITED, expected.allowance))


def _overflow_reach(operands: Sequence[Array], expected: Expected, *, mixed: bool) -> Array:
    """The elements that an operand near the dtype's largest reaches: all, if its dimensions are not the result's.

    `mixed`: an operand reaches all channels of its place.
    """
    shape = expected.reference.shape
    mask = np.zeros(shape, dtype=bool)
    for array in operands:
        near = _near_largest(array, expected.dtype)
        if mixed and near.ndim > 1:
            near = np.asarray(near.any(axis=1, keepdims=True))
        aligned = near.ndim == len(shape) and all(size in (1, due) for size, due in zip(near.shape, shape, strict=True))
        mask |= near if aligned else bool(near.any())
    return mask


def _fixed_zeros(operands: Sequence[Array], reference: Array) -> Array | None:
    """Zeros that come of a zero, where the function has one operand.

    f(-0) is -0 for an odd function (IEEE 754-2019, 9.2.1), and so it is for x times a positive factor (6.3).
    """
    if len(operands) != 1 or operands[0].shape != reference.shape:
        return None
    return np.asarray((operands[0] == 0) & (reference == 0))


def _partial(bound: Array, expected: Expected) -> Array:
    """Elements whose finite summands may overflow the accumulator in some order of summation."""
    return np.asarray(~(bound < REACH * finfo(accumulator_of(expected.dtype)).max))


def format_faults(
    expectations: Mapping[str, Expected], results: Sequence[Observation]
) -> Iterator[tuple[str, tuple[str, str], Fault]]:
    """Yield (tensor, place, fault) where the layouts of one cell differ in what is NaN or infinite.

    Only of elements that are `alike`: no order of summation decides there, only a formula.
    """
    by_place = {(each.cell, each.layout): each for each in results}
    for (cell, layout), observation in by_place.items():
        other = by_place.get((cell, "contiguous"))
        if layout != "drawn" or other is None:
            continue
        for tensor, expected in expectations.items():
            drawn, plain = observation.tensors.get(tensor), other.tensors.get(tensor)
            if expected.alike is None or drawn is None or plain is None:
                continue
            if drawn.shape == plain.shape == expected.alike.shape:
                mask = expected.alike & (_classes(drawn.values) != _classes(plain.values))
                if mask.any():
                    yield tensor, (cell, layout), _fault(tensor, drawn, plain.values, mask)


def _classes(values: Array) -> Array:
    """0 for a number, 1 for NaN, 2 and 3 for the infinities."""
    return np.select([np.isnan(values), np.isposinf(values), np.isneginf(values)], [1, 2, 3], 0)


def _fault(tensor: str, record: TensorRecord, plain: Array, mask: Array) -> Fault:
    drawn = record.values
    flat = int(np.argmax(mask))
    index = [int(part) for part in np.unravel_index(flat, mask.shape)]
    count = int(np.count_nonzero(mask))
    message = (
        f"{tensor} is NaN or infinite in one format only, or another infinity, in {count} of {mask.size} elements "
        f"(got {drawn.flat[flat]!s}, contiguous gives {plain.flat[flat]!s} at {index})"
    )
    return Fault(1.0, message, describe_mask(mask, tensor), count, Mismatch(record.dtype, drawn, plain, mask))
