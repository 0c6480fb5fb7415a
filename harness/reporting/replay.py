"""The commands that run something again, and what `equivalence replay` prints of one example."""

from __future__ import annotations

import shlex

from harness.core import CellState, Example, Finding
from harness.reporting.failure import cell_table
from harness.reporting.templating import TEMPLATES
from harness.trial import JudgedResult, cell_rows


def replay_line(example: Example, options: str = "") -> str:
    """The command that runs an example again, for a shell; `options` are its own, with a space before each."""
    return f"equivalence replay{options} {shlex.quote(example.to_json())}"


def item_command(node_id: str, seed: int) -> str:
    """The command that runs a whole item again, for a shell."""
    return f"pytest {shlex.quote(node_id)} --eq-seed {seed}"


def replay_text(judged: JudgedResult) -> str:
    """FAILED, PASSED or UNTRUSTED, and what is behind it, from `templates/replay.txt`.

    Every finding, known issues included, why it is untrusted, and the table of cells.
    """
    findings = [*(("", finding) for finding in judged.failures), *judged.partition.accepted]
    passed = Finding("values", "output[0]", "universal", {})  # for the table of cells, in which nothing failed
    return TEMPLATES.get_template("replay.txt").render(
        verdict=judged.verdict.upper(),
        is_untrusted=judged.verdict is CellState.UNTRUSTED,
        findings=findings,
        tables=[cell_table(cell_rows(judged, findings[0][1] if findings else passed))],
        untrusted=list(judged.judgement.untrusted),
        example=judged.example,
    )
