"""The words of states: what is printed and recorded is the text of an enum, and nobody spells it again."""

from __future__ import annotations

from typing import get_args

import pytest

from harness.core import DoubleBackwardState, ItemStatus, ReproducerCheck, ReproducerState
from harness.portable.operator_protocol import DoubleBackwardOutcome


@pytest.mark.parametrize(
    ("check", "text"),
    [
        (ReproducerCheck(ReproducerState.STILL_FAILS), "still fails"),
        (ReproducerCheck(ReproducerState.STALE, "it passes"), "stale: it passes"),
        (ReproducerCheck(ReproducerState.NOT_CHECKED, "no cell of amx"), "not checked: no cell of amx"),
    ],
)
def test_what_became_of_a_reproducer_is_printed_with_its_detail(check: ReproducerCheck, text: str) -> None:
    """The state comes first, and a colon only where there is more to say."""
    assert str(check) == text


def test_an_item_is_checked_where_a_check_of_it_could_have_failed() -> None:
    """That is so where it failed, where a known issue accepts its failure, and where it passed."""
    checked = {status for status in ItemStatus if status.is_checked}
    assert checked == {ItemStatus.PASSED, ItemStatus.FAILED, ItemStatus.KNOWN_ISSUE}


def test_every_double_backward_that_a_worker_can_answer_is_a_state() -> None:
    """The harness has three more: of a worker that died, of one that hung, and of a case without an example."""
    of_worker = {DoubleBackwardState(word) for word in get_args(DoubleBackwardOutcome)}
    of_harness = {DoubleBackwardState.DIED, DoubleBackwardState.HUNG, DoubleBackwardState.NOT_RUN}
    assert of_worker | of_harness == set(DoubleBackwardState)
    assert of_worker.isdisjoint(of_harness)
