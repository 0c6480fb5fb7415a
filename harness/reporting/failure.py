"""What a failed item prints: one sentence, the minimal example, the table of cells, the command that runs it again."""

from __future__ import annotations

from typing import Any

from harness.reporting.templating import TEMPLATES
from harness.trial import CellRow, Failure, Outcome


def failure_text(outcome: Outcome, options: str = "") -> str:
    """The story of a failed trial, rendered from `templates/failure.txt`; `options` are those a replay needs."""
    return TEMPLATES.get_template("failure.txt").render(
        outcome=outcome,
        name=outcome.case.rpartition("::")[2],
        suite=outcome.case.partition("::")[0],
        failures=[(failure, sentence(outcome, failure), rows(failure.rows)) for failure in outcome.failures],
        stale=[(name, outcome.reproducers[name]) for name in outcome.stale],
        options=options,
    )


def sentence(outcome: Outcome, failure: Failure) -> str:
    """What is wrong, in one sentence: the operator, dtype, kind, and the oracle's message."""
    finding = failure.finding
    name = outcome.case.rpartition("::")[2]
    where = f", {finding.where}" if finding.where else ""
    return f"{name} in {outcome.dtype} ({finding.kind}): {finding.message}{where}"


def rows(cells: tuple[CellRow, ...]) -> list[dict[str, Any]]:
    """The table of cells as the template prints it."""
    return [
        {
            "cell": row.cell,
            "verdict": row.verdict,
            "ratio": f"{row.ratio:.3g}" if row.ratio else "",
            "kernels": " ".join(row.kernels) or "ATen",
        }
        for row in cells
    ]
