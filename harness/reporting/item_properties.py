"""What JUnit gets of an item beside its verdict, for who reads nothing else."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping

from harness.core import CellState
from harness.reporting.model_item import ModelItemRecord
from harness.reporting.operator_item import OperatorItemRecord
from harness.reporting.replay import replay_line
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
    yield "examples", item.examples if isinstance(item, ModelItemRecord) else sum(item.examples.values())
    yield "worst_ratio", max(item.ratios.values(), default=0.0)
    yield "known_issues", " ".join(sorted(item.known_issues))
    yield "levels", levels_text(item.cells)
    if isinstance(item, ModelItemRecord):
        if item.failures:
            yield "replay", f"pytest {shlex.quote(node_id)} --eq-seed {seed}"
        return
    for failure in item.failures:
        yield "replay", replay_line(failure.example, options)
        if script := getattr(failure, "script", ""):
            yield "script", script


def levels_text(cells: Mapping[str, Mapping[CellState, int]]) -> str:
    """``sse41: passed, avx2: failed``: each level with the worst that it came to."""
    return ", ".join(f"{cell}: {worst_state(counts)}" for cell, counts in cells.items())
