"""Steps timed in turn, round after round, so that what disturbs the machine disturbs all of them alike."""

from __future__ import annotations

import time
from statistics import median
from typing import Callable, Mapping, NamedTuple

import torch.utils.benchmark

from ..portable.timing_protocol import RoundSeconds

Step = Callable[[], object]

ROUNDS = 20
"""Rounds among which the seconds are divided; fewer where a step takes longer than its part of them."""

LEAST_ROUNDS = 3
"""Rounds that there are in any case."""

WARM_UPS = 2
"""Calls of each step before the first that counts: memory is fetched, and oneDNN makes its primitives."""


class Measurement(NamedTuple):
    """What was measured; the fields are those of `TimesReply`."""

    rounds: RoundSeconds
    processor_share: float


def time_in_turn(steps: Mapping[str, Step], threads: int, seconds: float) -> Measurement:
    """The median seconds of each step by name, in each round; `seconds` is about how long all of it may take.

    Every other round goes backwards, so that none always comes after the same. Raises whatever a step raises.
    """
    for step in steps.values():
        for _ in range(WARM_UPS):
            step()
    timers = {name: _timer(step, threads) for name, step in steps.items()}
    rounds: RoundSeconds = {name: [] for name in steps}
    order, begin, begin_on_processor = list(steps), time.perf_counter(), time.thread_time()
    for index in range(ROUNDS):
        if index >= LEAST_ROUNDS and time.perf_counter() - begin >= seconds:
            break
        for name in order:
            measured = timers[name].blocked_autorange(min_run_time=seconds / ROUNDS / len(steps))
            rounds[name].append(median(measured.times))
        order.reverse()
    return Measurement(rounds, (time.thread_time() - begin_on_processor) / (time.perf_counter() - begin))


def _timer(step: Step, threads: int) -> torch.utils.benchmark.Timer:
    return torch.utils.benchmark.Timer("step()", globals={"step": step}, num_threads=threads)


def set_threads(count: int | None) -> int:
    """Set so many threads, or leave it to PyTorch; how many there are then."""
    if count is not None:
        torch.set_num_threads(count)
    return int(torch.get_num_threads())
