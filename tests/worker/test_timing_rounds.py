"""Steps that are timed in turn: every one in every round, none always first."""

from __future__ import annotations

import itertools
import time

from tests.execution.stand import module


def test_every_step_is_measured_in_every_round_and_none_is_always_first() -> None:
    """Calls alternate between the steps round by round, the order turned round in every other one."""
    calls: list[str] = []
    steps = {name: (lambda name=name: calls.append(name)) for name in ("nchw", "nhwc")}
    rounds, _share = module("timing_rounds").time_in_turn(steps, 1, 0.02)
    assert set(rounds) == {"nchw", "nhwc"}
    assert len(rounds["nchw"]) == len(rounds["nhwc"]) >= 3
    assert all(seconds > 0 for seconds in rounds["nchw"] + rounds["nhwc"])
    changes = [first for first, second in itertools.pairwise(calls) if first != second]
    # after the calls that warm up each of them in its turn: nchw nhwc, then nchw nhwc, nhwc nchw, nchw nhwc, ...
    assert changes[:3] == ["nchw", "nhwc", "nchw"]
    assert len(changes) >= len(rounds["nchw"])


def test_a_step_that_waits_is_seen_to_have_no_processor() -> None:
    """The share is that of the calling thread, which sleeping does not use."""
    _rounds, share = module("timing_rounds").time_in_turn({"nchw": lambda: time.sleep(0.01)}, 1, 0.05)
    assert 0.0 <= share < 0.5


def test_the_threads_that_were_asked_for_are_set() -> None:
    """Without a number they are as many as PyTorch has; the number that is in force is said."""
    set_threads = module("timing_rounds").set_threads
    before = set_threads(None)
    assert set_threads(before + 1) == before + 1
    assert set_threads(None) == before + 1
    assert set_threads(before) == before
