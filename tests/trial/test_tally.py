"""What the trials of cases and of models count alike."""

from __future__ import annotations

import sys
from collections import Counter

import pytest

from harness.core import CellState, FactChange, FactDifference, FactKind, ItemStatus
from harness.trial import Outcome, Tally, round_ratios


def tally(*states: CellState, known: bool = False, fault: bool = False) -> Tally:
    """An outcome of as many examples, each with that state in one cell."""
    outcome = Outcome("suite::case", "float32", examples=Counter(drawn=len(states)))
    for state in states:
        outcome.count_state("avx2", state)
    outcome.known_issues.update(["entry"] if known else [])
    outcome.faults += [FactDifference(FactKind.DOUBLE_BACKWARD, FactChange.NEW, "wrong")] if fault else []
    return outcome


@pytest.mark.parametrize(
    ("counts", "status"),
    [
        (tally(CellState.PASSED, CellState.UNTRUSTED), ItemStatus.PASSED),
        (tally(CellState.UNTRUSTED), ItemStatus.UNTRUSTED),
        (tally(), ItemStatus.NOT_RUN),
        (tally(CellState.KNOWN_ISSUE, CellState.PASSED, known=True), ItemStatus.KNOWN_ISSUE),
        (tally(CellState.PASSED, known=True, fault=True), ItemStatus.FAILED),
    ],
)
def test_the_status_is_the_worst_that_can_be_said(counts: Tally, status: ItemStatus) -> None:
    """A fault comes before a known issue, that before a pass; without a check it is untrusted, or was not run."""
    assert counts.status is status


def test_what_is_untrusted_was_not_checked() -> None:
    """Pairs of an example and a cell are counted; an untrusted one says nothing of the operator."""
    assert tally(CellState.PASSED, CellState.UNTRUSTED, CellState.KNOWN_ISSUE).checked_pairs == 2


def test_the_worst_ratio_of_a_tensor_is_kept() -> None:
    """A smaller one that comes later does not replace it; the record has two digits of it."""
    counts = tally()
    for ratio in (0.25, 0.5123, 0.1):
        counts.keep_worst_ratio("output[0]", ratio)
    assert counts.ratios == {"output[0]": 0.5123}
    assert round_ratios(counts.ratios) == {"output[0]": 0.51}


def test_the_largest_ratio_stays_a_number() -> None:
    """JSON has no infinity, to which the largest numbers would be rounded."""
    assert round_ratios({"output[0]": sys.float_info.max}) == {"output[0]": sys.float_info.max}


def test_kernels_are_counted_in_each_cell() -> None:
    """Counts of the same implementation add up."""
    counts = tally()
    counts.count_kernels("avx2", {"convolution:jit:avx2": 2})
    counts.count_kernels("avx2", {"convolution:jit:avx2": 1, "pooling:jit:avx2": 1})
    assert counts.hits == {"avx2": Counter({"convolution:jit:avx2": 3, "pooling:jit:avx2": 1})}
