"""What is told of the elements that differ: one sentence, the kinds that it states, and the first of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from harness.core import Mismatch, MismatchedElement, PatternKind
from harness.oracles import NO_PATTERN, Window, describe_mismatch, first_elements, round_to
from harness.oracles.ulps import ulps_between

SHAPE = (2, 3, 5, 5)
DUE = np.random.default_rng(7).normal(size=SHAPE)
SCATTERED = np.random.default_rng(3).random(SHAPE) < 0.3


def mismatch(got: Any, dtype: str = "float32", due: Any = DUE) -> Mismatch:
    """What is told of these numbers; the mask is where they differ from what is due, by their bits."""
    expected = round_to(dtype, due) if np.asarray(due).dtype.kind == "f" else np.asarray(due)
    values = np.asarray(got).astype(expected.dtype)
    differs = (values != expected) | (np.signbit(values.real) != np.signbit(expected.real))
    return Mismatch(dtype, values, expected, differs & ~(np.isnan(values) & np.isnan(expected)))


def scattered(values: Any, dtype: str = "float32", due: Any = DUE) -> Mismatch:
    """The same where only elements without a place in common have these values."""
    return mismatch(np.where(SCATTERED, values, round_to(dtype, due)), dtype, due)


@pytest.mark.parametrize(
    ("case", "sentence", "kind"),
    [
        (scattered(np.nan), "NaN where a number is due", PatternKind.NAN),
        (scattered(1.0, due=np.where(SCATTERED, np.nan, DUE)), "a number where NaN is due", PatternKind.NAN),
        (scattered(np.inf), "infinite where a number is due", PatternKind.INFINITE),
        (scattered(0.0), "zero where another number is due", PatternKind.ZERO),
        (scattered(-0.0, due=np.where(SCATTERED, 0.0, DUE)), "zeros of the other sign", PatternKind.ZERO_SIGN),
        (scattered(np.nextafter(DUE.astype("f4"), np.float32(9))), "off by one ulp", PatternKind.ONE_ULP),
        (scattered(DUE + 1), "each too large by 1", PatternKind.OFFSET),
        (scattered(DUE - 0.25), "each too small by 0.25", PatternKind.OFFSET),
        (scattered(DUE * 1.5), "each 1.5 times what is due", PatternKind.FACTOR),
        (scattered(DUE * (1 - 1e-4)), "each 1 - 0.0001 times what is due", PatternKind.FACTOR),
        (scattered(round_to("bfloat16", DUE)), "numbers of bfloat16 where float32 is due", PatternKind.NARROW),
        (scattered(np.roll(DUE, 1, axis=3)), "what is due 1 before it along dim 3", PatternKind.SHIFTED),
        (scattered(np.roll(DUE, -2, axis=2)), "what is due 2 after it along dim 2", PatternKind.SHIFTED),
        (scattered(np.swapaxes(DUE, 2, 3)), "what is due with dims 2 and 3 exchanged", PatternKind.TRANSPOSED),
        (
            scattered(np.moveaxis(DUE, 1, -1).reshape(SHAPE)),
            "what is due in channels-last order, read as contiguous",
            PatternKind.TRANSPOSED,
        ),
        (
            scattered(np.moveaxis(DUE.reshape(2, 5, 5, 3), -1, 1)),
            "what is due in contiguous order, read as channels-last",
            PatternKind.TRANSPOSED,
        ),
        (
            scattered(np.frombuffer(b"\xbf" * 4, "f4")[0]),
            "memory that nobody wrote",
            PatternKind.UNWRITTEN,
        ),
        (
            scattered(np.frombuffer(b"\x00\x00\x40\x40", "f4")[0], "bfloat16"),
            "memory that nobody wrote",
            PatternKind.UNWRITTEN,
        ),
    ],
)
def test_what_all_differing_elements_hold_is_told(case: Mismatch, sentence: str, kind: PatternKind) -> None:
    """Without a place in common, the sentence is of the values alone."""
    pattern = describe_mismatch(case, "output[0]")
    assert (pattern.sentence, pattern.kinds) == (sentence, (kind,))


def test_elements_with_nothing_in_common_have_no_pattern() -> None:
    """Scattered, each off by another amount: said in so many words, with no kind."""
    noise = np.random.default_rng(5).normal(size=SHAPE)
    pattern = describe_mismatch(scattered(DUE + noise), "output[0]")
    assert (pattern.sentence, pattern.kinds) == (NO_PATTERN, ())


def test_place_and_values_are_told_together() -> None:
    """The place first."""
    got = DUE.copy()
    got[..., -1] += 1
    pattern = describe_mismatch(mismatch(got), "output[0]")
    assert pattern.sentence == "all in the last column (W = 5): each too large by 1"
    assert pattern.kinds == (PatternKind.BORDER, PatternKind.OFFSET)


def test_a_window_is_asked_where_its_padding_reaches() -> None:
    """The border of a 3x3 convolution with padding 1."""
    got = DUE + np.random.default_rng(5).normal(size=SHAPE)
    got[:, :, 1:-1, 1:-1] = DUE[:, :, 1:-1, 1:-1]
    window = Window((3, 3), (1, 1), (1, 1), (1, 1), (5, 5))
    assert describe_mismatch(mismatch(got), "output[0]", window).kinds == (PatternKind.PADDING_REACH,)


def test_too_few_elements_are_no_copy_and_no_offset() -> None:
    """Two elements that lie elsewhere do so by chance, and one is always off by the same."""
    got = DUE.copy()
    got[0, 0, 0, 1:3] = DUE[0, 0, 0, 0:2]
    assert describe_mismatch(mismatch(got), "grad:other").kinds != (PatternKind.SHIFTED,)
    single = DUE.copy()
    single[0, 0, 2, 2] += 1
    assert PatternKind.OFFSET not in describe_mismatch(mismatch(single), "output[0]").kinds


def test_one_part_of_complex_numbers_is_named() -> None:
    """The conjugate, and the imaginary part alone; the real part likewise."""
    due = (DUE + 1j * np.swapaxes(DUE, 2, 3) + 3j).astype(np.complex64)
    everywhere = np.ones(SHAPE, dtype=bool)
    sentences = [
        describe_mismatch(Mismatch("complex64", got, due, everywhere), "output[0]").sentence
        for got in (due.conj(), due + 2j, due + 2)
    ]
    assert sentences == [
        "everywhere: the imaginary part has the other sign",
        "everywhere: only the imaginary part",
        "everywhere: only the real part",
    ]


def test_whole_numbers_have_patterns_too() -> None:
    """Each index one too small."""
    due = np.arange(30).reshape(2, 3, 5) + 1
    pattern = describe_mismatch(mismatch(due - 1, "int64", due), "output[1]")
    assert pattern.sentence == "everywhere: each too small by 1"


def test_the_first_five_elements_are_told_in_order() -> None:
    """Index, both numbers as short as they can be told, and the distance; none beside NaN and whole numbers."""
    got = DUE.astype(np.float32)
    got[0, 1, 2, 3:] = np.nan
    got[1] = np.nextafter(got[1], np.float32(9))
    elements = first_elements(mismatch(got))
    assert [element.index for element in elements] == [
        (0, 1, 2, 3), (0, 1, 2, 4), (1, 0, 0, 0), (1, 0, 0, 1), (1, 0, 0, 2),
    ]  # fmt: skip
    assert elements[0] == MismatchedElement((0, 1, 2, 3), "nan", str(np.float32(DUE[0, 1, 2, 3])), None)
    assert [element.ulps for element in elements[2:]] == [1, 1, 1]
    whole = first_elements(mismatch(np.array([1, 3]), "int64", np.array([1, 2])))
    assert whole == (MismatchedElement((1,), "3", "2", None),)


@pytest.mark.parametrize(
    ("dtype", "got", "expected", "distance"),
    [
        ("float32", 1.0, 1.0 + 2.0**-23, 1),
        ("float32", 1.0 - 2.0**-24, 1.0 + 2.0**-23, 2),
        ("bfloat16", 1.0, 1.0 + 2.0**-7, 1),
        ("float16", 0.0, 2.0**-24, 1),
        ("float64", -(2.0**-1074), 2.0**-1074, 2),
        ("float32", -0.0, 0.0, 0),
        ("float64", -1.0, 1.0, 2 * 0x3FF0000000000000),
    ],
)
def test_the_distance_in_ulps_counts_the_steps_between(dtype: str, got: float, expected: float, distance: int) -> None:
    """Across zero too, in the dtype's own numbers, and the same both ways."""
    first, second = round_to(dtype, [got]), round_to(dtype, [expected])
    assert int(ulps_between(dtype, first, second)[0]) == distance
    assert int(ulps_between(dtype, second, first)[0]) == distance
