"""Ranges: what a tensor holds where something says between which numbers; complex numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from harness.core import Case, Size, TensorSpec
from harness.errors import UserError
from harness.generation import corner_examples, ranges
from harness.portable import fills
from harness.portable.dtypes import finfo

Declare = Callable[..., Case]
FLOATS = ["float64", "float32", "float16", "bfloat16"]


@pytest.mark.parametrize("fill", fills.FILLS)
@pytest.mark.parametrize("dtype", FLOATS)
def test_every_fill_stays_in_the_range(fill: str, dtype: str) -> None:
    """Special values too are left out where a range is declared."""
    drawn = fills.values(fill, dtype, (1000,), 1, 0, 1, (0.25, 3.5))
    assert drawn.min() >= 0.25
    assert drawn.max() <= 3.5


@pytest.mark.parametrize("dtype", FLOATS)
def test_numbers_of_a_range_are_exact_in_the_dtype(dtype: str) -> None:
    """Also near zero, where the numbers of a range are fewer than the dtype's."""
    drawn = fills.values("reals", dtype, (1000,), 1, 0, 1, (-0.1, 0.7))
    scaled = np.ldexp(drawn, finfo(dtype).precision)
    np.testing.assert_array_equal(scaled, np.rint(scaled))
    assert len(np.unique(drawn)) > 100


@pytest.mark.parametrize(
    ("between", "expected"),
    [((0, 1), {0, 1}), ((0.5, 3), {1, 2, 3}), ((-1.5, 1.5), {-1, 0, 1})],
)
def test_integers_are_whole_in_a_range_that_has_some(between: Any, expected: set[float]) -> None:
    """Both ends included; zero alone would be no range."""
    assert set(fills.values("integers", "float32", (200,), 1, 0, 1, between)) == expected
    narrow = fills.values("integers", "float32", (200,), 1, 0, 1, (-0.5, 0.5))
    assert len(np.unique(narrow)) > 100


def test_integer_dtypes_reach_both_ends() -> None:
    """Whole numbers from the least to the largest, within what the dtype has."""
    assert set(fills.values("reals", "int64", (500,), 1, 0, 1, (-2, 4))) == set(range(-2, 5))
    bytes_ = fills.values("reals", "uint8", (20000,), 1, 0, 1, (-300, 300))
    assert (bytes_.min(), bytes_.max()) == (0, 255)


def test_a_dtype_without_a_number_in_the_range_is_refused() -> None:
    """The message says which dtype and which range."""
    with pytest.raises(ValueError, match=r"int8 has no number between 0.25 and 0.75"):
        fills.values("reals", "int8", (1,), 1, 0, 1, (0.25, 0.75))


@pytest.mark.parametrize(("dtype", "part"), [("complex64", "float32"), ("complex128", "float64")])
def test_complex_numbers_have_two_independent_parts(dtype: str, part: str) -> None:
    """Each part is a fill of the part's dtype."""
    drawn = fills.values("reals", dtype, (100,), 1, 2)
    np.testing.assert_array_equal(drawn.real, fills.values("reals", part, (100,), 1, 2))
    assert not np.array_equal(drawn.real, drawn.imag)
    np.testing.assert_array_equal(drawn.astype(dtype), drawn)


def _case(declare: Declare, tensor: Callable[..., TensorSpec], expression: Any, *ends: Any) -> Case:
    index = tensor("index", ["C"], dtype="int64")
    ranged = tensor("ranged", ["C"], between=tuple(map(expression, ends)))
    return declare([Size("C", "channels")], [tensor("input", ["C"]), index, ranged], dtypes=("float32", "uint8"))


def test_ranges_are_declared_or_those_of_integers_under_test(
    declare: Declare, tensor: Callable[..., TensorSpec], expression: Any
) -> None:
    """A tensor that is declared as int64 may be an index, and keeps 0 to 3."""
    case = _case(declare, tensor, expression, 0, "C")
    example = corner_examples(case, "uint8")[0].but(sizes={"C": 5})
    assert ranges(case, example.but(fill="integers")) == {"input": (0, 3), "ranged": (0, 5)}
    assert ranges(case, example.but(fill="reals")) == {"input": (0, 255), "ranged": (0, 5)}
    assert ranges(case, example.but(dtype="float32")) == {"ranged": (0, 5)}


@pytest.mark.parametrize("ends", [("1 - C", "0 - C"), (0.25, 0.75)])
def test_a_range_without_a_number_names_the_case(
    declare: Declare, tensor: Callable[..., TensorSpec], expression: Any, ends: Any
) -> None:
    """The wrong way round, or between two whole numbers."""
    case = _case(declare, tensor, expression, *ends)
    with pytest.raises(UserError, match=r"ranged lies between .*, where uint8 has no number"):
        ranges(case, corner_examples(case, "uint8")[0].but(sizes={"C": 5}))


def test_a_buffer_never_overlaps_itself(declare: Declare, tensor: Callable[..., TensorSpec]) -> None:
    """What is written must have an address of its own for each element."""
    sizes = [Size(name, "batch") for name in "NCHW"]
    case = declare(sizes, [tensor("x", [*"NCHW"], channels_last=True), tensor("y", [*"NCHW"], buffer=True)])
    used = {example.layouts["y"] for example in corner_examples(case, "float32")}
    assert len(used) > 3
    assert not [name for name in used if name.endswith("expand_n")]


def test_distinct_numbers_are_a_permutation_of_the_range() -> None:
    """No number twice in the last dimensions, all of the range in use, and other slices in another order."""
    drawn = fills.values("reals", "int64", (5, 3, 4), 1, 2, between=(10, 21), distinct=2).reshape(5, 12)
    assert [sorted(row) for row in drawn] == [list(range(10, 22))] * 5
    assert len({tuple(row) for row in drawn}) == 5
    some = fills.values("ones", "int64", (4, 3), 1, 2, between=(0, 99), distinct=1)
    assert all(len(set(row)) == 3 for row in some)
    assert fills.values("ones", "int64", (0, 3), 1, 2, between=(0, 99), distinct=1).shape == (0, 3)
    with pytest.raises(ValueError, match="int64 has fewer than 3 numbers between 0 and 1"):
        fills.values("ones", "int64", (4, 3), 1, 2, between=(0, 1), distinct=1)


def test_too_few_numbers_for_distinct_elements_name_the_case(
    declare: Declare, tensor: Callable[..., TensorSpec], expression: Any
) -> None:
    """As many as the shape needs, whole ones."""
    ends = (expression(0), expression("C-2"))
    case = declare([Size("C", "channels")], [tensor("x", ["C"], between=ends, distinct=1)], dtypes=("int64",))
    with pytest.raises(UserError, match="x has 5 distinct elements, and its range 4 whole numbers"):
        ranges(case, corner_examples(case, "int64")[0].but(sizes={"C": 5}))
