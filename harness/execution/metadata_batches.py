"""Asking cells for the metadata of many examples: few requests, and one for each example where a worker is lost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from harness.core import Case, Example, Observation
from harness.execution import requests
from harness.execution.in_flight import collect_metadata
from harness.execution.workers.pool import Pool
from harness.execution.workers.supervisor import PendingRequest
from harness.generation import resolve_example

AT_ONCE: Final = 32
"""Examples whose metadata are asked for in one request."""


def ask_for_metadata(
    pool: Pool, case: Case, examples: Sequence[Example], cells: Sequence[str], limit: float
) -> dict[str, list[Observation]]:
    """Cell → what each example returns there, in their order; fewer where the cell's machine is lost.

    `limit` is in seconds for each request. Where a worker is lost over several examples they are sent one by one.
    """
    observations: dict[str, list[Observation]] = {name: [] for name in cells}
    for start in range(0, len(examples), AT_ONCE):
        batch = examples[start : start + AT_ONCE]
        pending = {name: _send(pool, case, batch, name, limit) for name in observations}
        for name, request in pending.items():
            answers = collect_metadata(name, request)
            whole = len(answers) == len(batch)
            observations[name] += answers if whole else _ask_one_by_one(pool, case, batch, name, limit)
    return observations


def _ask_one_by_one(
    pool: Pool, case: Case, examples: Sequence[Example], cell: str, limit: float
) -> Iterator[Observation]:
    for example in examples:
        yield from collect_metadata(cell, _send(pool, case, [example], cell, limit))


def _send(pool: Pool, case: Case, examples: Sequence[Example], cell: str, limit: float) -> PendingRequest:
    request = requests.metadata_request(resolve_example(case, example) for example in examples)
    return pool.cell(cell).send(request, about=examples[0].to_json(), limit=limit)
