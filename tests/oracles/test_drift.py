"""Drift: how far two builds lie apart, in units of what each may lie from the reference."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from harness.core import Case, Example, Numerics, Observation, Reference, TensorRecord
from harness.oracles import Drift, compare_references, measure_drift
from tests.trial.toy import CASE

SIZES = {"N": 1, "C": 1, "H": 1, "W": 2}
LINEAR = replace(CASE, numerics=Numerics("multilinear", "multilinear"))
ULP = 2.0**-23
"""Of float32 at 1."""


def observation(values: Any, layout: Any = "drawn", dtype: str = "float32", cell: str = "avx2") -> Observation:
    """What a cell returned: one row of numbers."""
    array = np.asarray(values, dtype).reshape(1, 1, 1, -1)
    return Observation(cell, layout, "ok", {"output[0]": TensorRecord(dtype, array.shape, (0, 0, 0, 1), array)})


def reference_of(values: Any, term_count: float = 2.0) -> Reference:
    """A reference of one row of numbers, each the sum of so many terms."""
    array = np.asarray(values, np.float64).reshape(1, 1, 1, -1)
    terms = {"output[0]": np.full(array.shape, term_count)}
    return Reference("ok", {"output[0]": array}, {"output[0]": np.abs(array)}, terms)


def example_of(case: Case, fill: str = "reals") -> Example:
    """An example of two numbers."""
    return Example(case.id, "float32", SIZES, {"input": "contiguous"}, fill=fill)


def drift_of(case: Case, *pairs: tuple[Observation, Observation], reference: Reference | None = None) -> Drift:
    """The drift of a result of two ones, with as many terms, where no other reference is said."""
    reference = reference or reference_of([1, 1])
    return measure_drift(case, example_of(case), (reference, reference), pairs)


def test_equal_bits_have_no_drift() -> None:
    """Also where both are far from the reference: that is for the oracles to say."""
    assert drift_of(LINEAR, (observation([5, 5]), observation([5, 5]))) == {("avx2", "output[0]"): 0.0}


def test_drift_is_in_units_of_the_bound() -> None:
    """Twice as far apart is twice as much, and the worse of the two layouts counts."""
    near = drift_of(LINEAR, (observation([1, 1]), observation([1, 1 + ULP])))["avx2", "output[0]"]
    pairs = [
        (observation([1, 1], layout), observation([1, 1 + factor * ULP], layout))
        for layout, factor in (("drawn", 2), ("contiguous", 1))
    ]
    assert 0 < near < 2
    assert drift_of(LINEAR, *pairs)["avx2", "output[0]"] == pytest.approx(2 * near)


def test_what_must_be_exact_has_no_bound() -> None:
    """One element that differs is infinitely far; NaN in both is the same."""
    assert drift_of(CASE, (observation([1, 1]), observation([1, 1 + ULP])))["avx2", "output[0]"] == np.inf
    nan = np.frombuffer(np.uint32(0x7FC00001).tobytes(), np.float32)[0]
    assert drift_of(CASE, (observation([1, np.nan]), observation([1, nan])))["avx2", "output[0]"] == 0.0


def test_nan_in_one_build_alone_is_infinitely_far() -> None:
    """No bound makes a number of it."""
    assert drift_of(LINEAR, (observation([1, np.nan]), observation([1, 1])))["avx2", "output[0]"] == np.inf


def test_what_cannot_be_compared_has_no_drift() -> None:
    """Another dtype or shape is a finding, of another oracle; any values are right where none are specified."""
    other = observation([1, 2, 3])
    assert drift_of(LINEAR, (observation([1, 1]), other)) == {}
    assert drift_of(LINEAR, (observation([1, 1]), observation([1, 2], dtype="float64"))) == {}
    free = replace(CASE, numerics=Numerics("unspecified", "unspecified"))
    assert drift_of(free, (observation([1, 1]), observation([1, 2])))["avx2", "output[0]"] == 0.0


def test_the_larger_of_the_two_allowances_counts() -> None:
    """The reference of one build may have been refined, and what is right by it is right."""
    pair = (observation([1, 1]), observation([1, 1 + ULP]))
    rough, fine = reference_of([1, 1], 8.0), reference_of([1, 1], 2.0)
    drifts = [
        measure_drift(LINEAR, example_of(LINEAR), references, [pair])["avx2", "output[0]"]
        for references in ((fine, rough), (rough, fine), (rough, rough))
    ]
    assert len(set(drifts)) == 1
    assert 0 < drifts[0] < drift_of(LINEAR, pair)["avx2", "output[0]"]


def test_an_overflow_that_is_due_has_no_drift() -> None:
    """The largest number in one build and infinity in the other are both right, where the bound reaches so far."""
    largest = float(np.finfo(np.float32).max)
    pair = (observation([1, largest]), observation([1, np.inf]))
    assert drift_of(LINEAR, pair, reference=reference_of([1, largest]))["avx2", "output[0]"] == 0.0
    assert drift_of(LINEAR, pair, reference=reference_of([1, 1]))["avx2", "output[0]"] == np.inf


def test_references_that_differ_are_told_with_their_numbers() -> None:
    """Within the bound of the dtype they are one reference, whatever their last bits; exact ones round alike."""

    def sentences(case: Case, ours: Reference, theirs: Reference) -> dict[str, str]:
        return dict(compare_references(case, example_of(case), (ours, theirs)))

    one, near, zero = reference_of([1, 1]), reference_of([1, 1 + 2.0**-50]), reference_of([1, 0])
    for case in (LINEAR, CASE):
        assert sentences(case, one, one) == sentences(case, one, near) == {}
        assert sentences(case, one, zero) == {
            "output[0]": "the float64 references of the two builds differ in 1 of 2 elements "
            "(here 1.0, there 0.0 at [0, 0, 0, 1])"
        }
    assert "[1, 1, 1, 3]" in sentences(LINEAR, one, reference_of([1, 1, 1]))["output[0]"]
    free = replace(CASE, numerics=Numerics("unspecified", "unspecified"))
    assert sentences(free, one, zero) == {}
