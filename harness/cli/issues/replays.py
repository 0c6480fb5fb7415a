"""The reproducers of known issues run in parallel, each in a fresh worker, with several executors side by side."""

from __future__ import annotations

import contextlib
import os
import queue
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Self

from harness.core import Case, KnownIssue, ReproducerCheck, ReproducerState
from harness.execution import Build, Executor
from harness.gate import Gate
from harness.settings import Settings
from harness.trial import check_reproducer, covers_version, reason_not_callable

MOST_EXECUTORS: Final = 8
"""Each has a worker for every level and one for the reference, which import torch once for them all."""


class ReproducerRuns:
    """Executors that share out the reproducers. A context manager; `build` is the build under test, there on entry.

    An executor has one thread at a time, and keeps two cores busy: a cell's and the reference's.
    """

    build: Build

    def __init__(self, settings: Settings, executors: int) -> None:
        self._gates = [Gate(settings) for _ in range(max(executors, 1))]
        self._idle: queue.SimpleQueue[Executor] = queue.SimpleQueue()
        self._open = contextlib.ExitStack()

    def __enter__(self) -> Self:
        """Start the workers. Raises UserError where the build under test cannot be used."""
        with contextlib.ExitStack() as opening:
            for gate in self._gates:
                opening.callback(gate.executor.close)
                gate.executor.start()
            for gate in self._gates:
                opening.enter_context(gate)
                self._idle.put(gate.executor)
            self._open = opening.pop_all()
        self.build = self._gates[0].executor.build
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def check(
        self, places: Iterable[KnownIssue], cases: Mapping[str, Case]
    ) -> Iterator[tuple[KnownIssue, ReproducerCheck]]:
        """What became of the reproducer of each place, in the order of the places."""
        places = [*places]
        with ThreadPoolExecutor(len(self._gates)) as threads:
            yield from zip(places, threads.map(lambda place: self._check(place, cases), places), strict=True)

    def _check(self, place: KnownIssue, cases: Mapping[str, Case]) -> ReproducerCheck:
        if not covers_version(place.torch, self.build.torch):
            return ReproducerCheck(ReproducerState.NOT_CHECKED, f"of PyTorch {place.torch}; this is {self.build.torch}")
        case = cases.get(place.reproducer.case)
        if case is None:
            return ReproducerCheck(ReproducerState.NOT_CHECKED, f"there is no case {place.reproducer.case} here")
        executor = self._idle.get()
        try:
            if problem := reason_not_callable(case, executor):
                return ReproducerCheck(ReproducerState.NOT_CHECKED, f"not available: {problem}")
            return check_reproducer(place, case, place.reproducer.dtype, executor)
        finally:
            self._idle.put(executor)


def usual_executors() -> int:
    """One for each core that this process may use, up to `MOST_EXECUTORS`."""
    return min(len(os.sched_getaffinity(0)), MOST_EXECUTORS)
