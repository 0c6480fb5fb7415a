"""Fills: exact in their dtype, the same everywhere, and not trivial."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from harness.portable import fills
from harness.portable.dtypes import FLOATING, finfo


def _round(values: Any, dtype: str) -> Any:
    """`values` after a trip through the dtype; bfloat16 as truncated float32, exact only if the low half is zero."""
    if dtype != "bfloat16":
        return values.astype(dtype).astype(np.float64)
    bits = values.astype(np.float32).reshape(-1).view(np.uint32) & np.uint32(0xFFFF0000)
    return bits.view(np.float32).astype(np.float64).reshape(values.shape)


@pytest.mark.parametrize("dtype", FLOATING)
@pytest.mark.parametrize("fill", fills.FILLS)
def test_every_number_is_exact_in_its_dtype(fill: str, dtype: str) -> None:
    """Rounding a fill to its dtype changes nothing, the sign of zero included."""
    for terms in (1, 100, 10_000):
        values = fills.values(fill, dtype, (3, 4, 5, 6), seed=5, stream=1, terms=terms)
        rounded = _round(values, dtype)
        np.testing.assert_array_equal(values, rounded)
        np.testing.assert_array_equal(np.signbit(values), np.signbit(rounded))
        assert values.dtype == np.float64
        assert values.flags.c_contiguous


def test_the_stream_is_pinned() -> None:
    """A reproducer replays on any machine: these numbers never change."""
    assert fills.values("integers", "float32", (8,), 1, 0).tolist() == [3.0, -1.0, 1.0, 2.0, -2.0, 2.0, -3.0, 2.0]
    assert fills.values("reals", "bfloat16", (4,), 1, 0).tolist() == [0.435546875, -0.68359375, 1.390625, 1.265625]


def test_seed_and_stream_each_change_the_numbers() -> None:
    """Tensors of one example, and examples of one case, have numbers of their own."""
    drawn = {fills.values("reals", "float32", (9,), seed, stream).tobytes() for seed in range(3) for stream in range(3)}
    assert len(drawn) == 9


@pytest.mark.parametrize("dtype", FLOATING)
@pytest.mark.parametrize("terms", [1, 9, 288, 4096])
def test_integer_products_sum_exactly(dtype: str, terms: int) -> None:
    """Magnitudes of products of two `integers` tensors add up to 2**p at most over the longest reduction."""
    left = fills.values("integers", dtype, (64, terms), 3, 0, terms)
    right = fills.values("integers", dtype, (terms, 64), 3, 1, terms)
    assert (np.abs(left) @ np.abs(right)).max() <= 2.0 ** finfo(dtype).precision
    assert {-1.0, 1.0} <= set(np.unique(left))


def test_integers_get_smaller_before_they_get_sparse() -> None:
    """Density and magnitude follow the precision: full at float32, one in a few at long half reductions."""
    assert fills.density("float32", 10_000) == (3, 1.0)
    largest, share = fills.density("bfloat16", 4096)
    assert largest == 1
    assert 0.1 < share < 0.5


@pytest.mark.parametrize("dtype", FLOATING)
def test_integers_are_never_constant(dtype: str) -> None:
    """Two elements or more differ, one is not zero, and no zero is negative, however sparse."""
    for seed in range(200):
        for count in (1, 2, 3):
            values = fills.values("integers", dtype, (count,), seed, 0, terms=100_000)
            assert values.any()
            assert count == 1 or np.unique(values).size > 1
            assert not np.signbit(values[values == 0]).any()


def test_fills_have_the_spread_that_their_names_say() -> None:
    """Reals lie around one, offsets around a hundred, wide ones over many powers of two; both signs where it fits."""
    reals, offset, wide = (fills.values(fill, "float32", (4000,), 1, 1) for fill in ("reals", "offset", "wide"))
    assert np.abs(reals).min() >= 2**-3
    assert np.abs(reals).max() < 2
    assert offset.min() >= 98
    assert offset.max() < 102
    assert abs(offset.mean() - 100) < 0.1
    assert np.abs(wide).max() / np.abs(wide).min() > 2**22
    assert np.abs(fills.values("wide", "float16", (4000,), 1, 1)).max() < 2**6
    assert (reals < 0).mean() == pytest.approx(0.5, abs=0.05)
    assert (fills.values("ones", "float16", (2, 2), 1, 1) == 1).all()


@pytest.mark.parametrize("dtype", FLOATING)
def test_special_fills_hold_every_kind_of_special_number(dtype: str) -> None:
    """NaN, both infinities, negative zero, subnormals and the largest numbers are all there, among ordinary ones."""
    values = fills.values("special", dtype, (4000,), 2, 0)
    finite = values[np.isfinite(values)]
    assert np.isnan(values).any()
    assert {np.inf, -np.inf} <= set(values[np.isinf(values)])
    assert (np.signbit(finite) & (finite == 0)).any()
    assert 0 < np.abs(finite[finite != 0]).min() <= 2.0**-24
    assert np.abs(finite).max() >= 65504
    assert 0.8 < ((np.abs(finite) >= 2**-3) & (np.abs(finite) < 2)).mean() < 0.95


def test_small_special_fills_still_hold_one() -> None:
    """Even one element is special."""
    for seed in range(50):
        value = fills.values("special", "float32", (1,), seed, 0)[0]
        assert not 2**-3 <= abs(value) < 2


def test_the_parts_of_a_complex_number_are_special_each_for_itself() -> None:
    """An infinite imaginary part leaves the real part what it is."""
    values = fills.values("special", "complex64", (4000,), 2, 0)
    assert np.array_equal(values.real, fills.values("special", "float32", (4000,), 2, 0), equal_nan=True)
    assert np.array_equal(values.imag, fills.values("special", "float32", (4000,), 2, fills.IMAGINARY), equal_nan=True)


def test_scalars_and_empty_tensors_have_their_shape() -> None:
    """No dimension is one number, a dimension of 0 is none."""
    for fill in fills.FILLS:
        assert fills.values(fill, "float32", (), 1, 0).shape == ()
        assert fills.values(fill, "float32", (2, 0, 3), 1, 0).shape == (2, 0, 3)


def test_other_dtypes_get_small_indices() -> None:
    """Integers are 0 to 3, booleans 0 and 1, whatever the fill."""
    assert set(np.unique(fills.values("reals", "int64", (100,), 1, 0))) == {0, 1, 2, 3}
    assert set(np.unique(fills.values("integers", "bool", (100,), 1, 0))) == {0, 1}


def test_an_unknown_fill_is_an_error_that_lists_the_known() -> None:
    """A misspelt fill says which there are."""
    with pytest.raises(ValueError, match="there is no fill 'noise'; there are integers, reals, offset"):
        fills.values("noise", "float32", (1,), 1, 0)


def test_ends_are_most_of_the_numbers() -> None:
    """Of a range that is declared about three in eight numbers are each end, and the rest lie between them."""
    numbers = fills.values("ends", "int8", (4096,), 1, 2, between=(-128, 127))
    assert {float(numbers.min()), float(numbers.max())} == {-128.0, 127.0}
    assert 1300 < (numbers == -128).sum() < 1800
    assert 1300 < (numbers == 127).sum() < 1800
    assert len(set(numbers.tolist())) > 200


def test_ends_without_a_range_are_small_integers() -> None:
    """Where no range is declared the fill is that of integers."""
    ends, integers = (fills.values(fill, "float32", (9,), 1, 2, 9) for fill in ("ends", "integers"))
    assert ends.tolist() == integers.tolist()
