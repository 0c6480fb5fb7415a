"""What JUnit gets of an item beside its verdict, for who reads nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from harness.core import CellState
from harness.reporting.model_item import ModelItemRecord
from harness.reporting.operator_item import OperatorItemRecord
from harness.reporting.record import example_count
from harness.reporting.replay import item_command, replay_line
from harness.reporting.summary import worst_state

Property = tuple[str, str | int | float]
"""A name, which may come several times, and its value; pytest sends both from process to process as they are."""


def item_properties(
    item: OperatorItemRecord | ModelItemRecord, node_id: str, seed: int, options: str
) -> Iterator[Property]:
    """Status, examples, worst ratio, known issues, what each level came to, and how to see each failure again.

    `options` are those that a replay needs, with a space before each.
    """
    yield "status", str(item.status)  # plain text, and no enum
    yield "examples", example_count(item)
    yield "worst_ratio", max(item.ratios.values(), default=0.0)
    yield "known_issues", " ".join(sorted(item.known_issues))
    yield "levels", levels_text(item.cells)
    if isinstance(item, ModelItemRecord):
        if item.failures:
            yield "replay", item_command(node_id, seed)
        return
    for failure in item.failures:
        yield "replay", replay_line(failure.example, options)
        if failure.script:
            yield "script", failure.script


def levels_text(cells: Mapping[str, Mapping[CellState, int]]) -> str:
    """``sse41: passed, avx2: failed``: each level with the worst that it came to."""
    return ", ".join(f"{cell}: {worst_state(counts)}" for cell, counts in cells.items())
