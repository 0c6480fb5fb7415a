"""What a failed item prints: one sentence, the minimal example, the table of cells, the command that runs it again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from harness.reporting.own_reference import own_reference_sentence
from harness.reporting.templating import TEMPLATES
from harness.trial import CellRow, Failure, Outcome


@dataclass(frozen=True)
class CellLine:
    """One line of the table of cells as it is printed."""

    cell: str
    verdict: str
    ratio: str
    kernels: str


def failure_text(outcome: Outcome, options: str = "") -> str:
    """The story of a failed trial, rendered from `templates/failure.txt`; `options` are those a replay needs."""
    suite, _, name = outcome.case.partition("::")
    return TEMPLATES.get_template("failure.txt").render(
        outcome=outcome,
        name=name,
        suite=suite,
        failures=[(failure, _sentence(outcome, failure), cell_table(failure.rows)) for failure in outcome.failures],
        stale=[(name, outcome.reproducers[name]) for name in outcome.stale],
        options=options,
        own_reference=own_reference_sentence([name] if outcome.is_own_reference else []),
    )


def cell_table(rows: Iterable[CellRow]) -> list[CellLine]:
    """The table of cells as it is printed: no ratio where there is no number, ATen where oneDNN ran nothing."""
    return [
        CellLine(row.cell, row.verdict, f"{row.ratio:.3g}" if row.ratio else "", " ".join(row.kernels) or "ATen")
        for row in rows
    ]


def _sentence(outcome: Outcome, failure: Failure) -> str:
    """What is wrong, in one sentence: the operator, dtype, kind, and the oracle's message."""
    finding = failure.finding
    name = outcome.case.rpartition("::")[2]
    where = f", {finding.where}" if finding.where else ""
    return f"{name} in {outcome.dtype} ({finding.kind}): {finding.message}{where}"
