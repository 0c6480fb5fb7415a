"""Between which numbers each tensor of an example lies, where something says so."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from harness.generation.shapes import mistake, number, shape_of
from harness.portable.dtypes import INTEGRAL, part_of
from harness.portable.fills import grid

if TYPE_CHECKING:
    from harness.core import Case, Example, TensorSpec

Interval = tuple[float, float]

WIDEST = 2**20
"""Integers under test go this far at most: beyond 16 bits, and exact where an operator makes float32 of them."""


def ranges(case: Case, example: Example) -> dict[str, Interval]:
    """The range of each present tensor that has one. Raises UserError where no number of its dtype lies in it.

    A tensor of an integer dtype that is itself under test has one without declaring it: -3 to 3 (what there is of
    that) with the fills `integers` and `ones`, all that the dtype has with the others, within 2^20. One whose
    declaration gives it an integer dtype may be an index, and stays 0 to 3 unless it declares a range.
    """
    by_tensor = {}
    for spec in case.tensors:
        between = None if spec.name in example.absent else _range(case, spec, example)
        if between is not None:
            by_tensor[spec.name] = between
    return by_tensor


def _range(case: Case, spec: TensorSpec, example: Example) -> Interval | None:
    dtype = spec.dtype or example.dtype
    if spec.between is None:
        return _range_under_test(example) if spec.dtype is None and dtype in INTEGRAL else None
    low, high = (number(case, end, example.sizes) for end in spec.between)
    if spec.distinct:
        _check_distinct(case, spec, example, math.floor(high) - math.ceil(low) + 1)
    first, last, _exponent = grid(example.fill, part_of(dtype), (low, high)) if low <= high else (1, 0, 0)
    if first > last:
        raise mistake(case, f"{spec.name} lies between {low!r} and {high!r}, where {dtype} has no number")
    return low, high


def _check_distinct(case: Case, spec: TensorSpec, example: Example, numbers: int) -> None:
    """Raise UserError where a distinct tensor has more elements than its range has numbers."""
    needed = math.prod(shape_of(case, spec, example.sizes)[-spec.distinct :])
    if needed > numbers:
        raise mistake(case, f"{spec.name} has {needed} distinct elements, and its range {numbers} whole numbers")


def _range_under_test(example: Example) -> Interval:
    low, high = INTEGRAL[example.dtype]
    reach = 3 if example.fill in ("integers", "ones") else WIDEST
    return max(low, -reach), min(high, reach)
