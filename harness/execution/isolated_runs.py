"""Examples that run where nothing ran before them: each in a fork of a worker that never runs a kernel itself."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from harness.core import Case, Example
from harness.execution import requests
from harness.execution.callables import CallableLookup
from harness.execution.cell_settings import AS_USUAL, CellSettings
from harness.execution.in_flight import PendingExample
from harness.execution.workers.pool import REFERENCE, Pool
from harness.execution.workers.supervisor import PendingRequest, Request, Supervisor
from harness.generation import resolve_example

REFERENCE_LIMIT_FACTOR: Final = 4
"""The reference may take this many times the limit: float64, one thread, up to three runs."""

FORKING_TIME: Final = 10.0
"""Seconds that a worker which keeps the limit of its forks has beyond it: past them it is itself out of order."""


def send_to_fork(supervisor: Supervisor, request: Request, *, about: str, limit: float) -> PendingRequest:
    """Hand a request to a worker that forks for it; the fork may take `limit` seconds."""
    return supervisor.send({**request, "limit": limit}, about=about, limit=limit + FORKING_TIME)


@dataclass(frozen=True)
class IsolatedRuns:
    """Sends examples to the workers that fork for each request, and returns at once; limits are in seconds."""

    pool: Pool
    lookup: CallableLookup

    def send(  # noqa: PLR0913 - all but three by keyword
        self,
        case: Case,
        example: Example,
        cells: Sequence[str],
        *,
        limit: float,
        repeats: int = 1,
        after: Sequence[Example] = (),
        settings: CellSettings = AS_USUAL,
        traced: bool = False,
    ) -> PendingExample:
        """As `Executor.run_isolated`, in these cells."""
        preloaded = self.lookup.needs_preload(case)
        supervisors = self.pool.fork_per_request(cells, preloaded, cells_preloaded=settings.preloaded)
        limit = requests.cpu_limit(example, limit) * (repeats + len(after))
        resolved, earlier = resolve_example(case, example), [resolve_example(case, each) for each in after]
        request = requests.observation_request(
            resolved, repeats=repeats, trace=traced, after=earlier, settings=settings
        )
        return PendingExample(
            case,
            example,
            cells={name: send_to_fork(supervisors[name], request, about=case.id, limit=limit) for name in cells},
            reference=send_to_fork(
                supervisors[REFERENCE],
                requests.reference_request(resolved),
                about=case.id,
                limit=limit * REFERENCE_LIMIT_FACTOR,
            ),
            is_independent=self.lookup.has_independent_reference(case),
        )

    def send_part(  # noqa: PLR0913 - all but three by keyword
        self,
        case: Case,
        example: Example,
        cells: Sequence[str],
        *,
        without: Collection[str],
        repeats: int,
        limit: float,
    ) -> Mapping[str, PendingRequest]:
        """As `Executor.observe_isolated`, in these cells; the requests by cell."""
        supervisors = self.pool.fork_per_request(cells, self.lookup.needs_preload(case))
        resolved = requests.without_gradients(resolve_example(case, example), without)
        request = requests.observation_request(resolved, repeats=repeats)
        limit = requests.cpu_limit(example, limit)
        return {name: send_to_fork(supervisors[name], request, about=case.id, limit=limit * repeats) for name in cells}
