"""What is printed of networks: a line for each, the story of a failed one, the table of its layouts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from harness.reporting.templating import TEMPLATES
from harness.verdict import NetworkOutcome

MARKS: Final = {
    "passed": ".", "failed": "F", "deviation": "d", "untrusted": "u", "skipped": "s", "not run": "-",
}  # fmt: skip


def network_summary(outcomes: Sequence[dict[str, Any]], cells: Sequence[str]) -> str:
    """One line for each network: a mark for each way to run it, reorders, headroom, seconds. Empty without networks."""
    if not outcomes:
        return ""
    named: dict[str, list[dict[str, Any]]] = {}
    for outcome in outcomes:
        named.setdefault(outcome["network"], []).append(outcome)
    ran = [cell for cell in cells if any(cell in outcome["cells"] for outcome in outcomes)]
    return TEMPLATES.get_template("networks.txt").render(
        rows=[_row(name, found) for name, found in named.items()],
        cells=ran,
        marks=MARKS,
        skipped=sorted({why for outcome in outcomes for why in outcome["skipped"].values()}),
        incidents=[incident for outcome in outcomes for incident in outcome["incidents"]],
        notes=[f"{_short(outcome)}: {note}" for outcome in outcomes for note in outcome["notes"]],
        deviations=_deviations(outcomes),
    )


def _row(name: str, outcomes: Sequence[dict[str, Any]]) -> dict[str, Any]:
    reorders: dict[str, int] = next((one["reorders"] for one in outcomes if one["reorders"]), {})
    return {
        "name": name.rpartition("::")[2],
        "items": [(MARKS[one["status"]], one["item"]) for one in outcomes],
        "ratio": max((ratio for one in outcomes for ratio in one["ratios"].values()), default=None),
        "reorders": f"{reorders['nchw']} -> {reorders['both']}" if "both" in reorders else "",
        "seconds": sum(one["seconds"] for one in outcomes),
    }


def _short(outcome: dict[str, Any]) -> str:
    return f"{str(outcome['network']).rpartition('::')[2]}[{outcome['item']}]"


def _deviations(outcomes: Sequence[dict[str, Any]]) -> list[tuple[str, int]]:
    counts: dict[str, int] = {}
    for outcome in outcomes:
        for name, count in outcome["deviations"].items():
            counts[name] = counts.get(name, 0) + count
    return sorted(counts.items())


def network_failure_text(outcome: NetworkOutcome, item: str, seed: int) -> str:
    """The story of a failed network; `item` and `seed` are what runs it again."""
    return TEMPLATES.get_template("network.txt").render(
        outcome=outcome, name=outcome.network.rpartition("::")[2], item=item, seed=seed, shown=3
    )


def layout_text(outcome: NetworkOutcome) -> str:
    """The layout report: every module that got or gave an image, its formats, and what to change."""
    rows = outcome.layout
    lost = [finding for failure in outcome.failures for finding in failure.findings if finding.oracle == "strides"]
    return TEMPLATES.get_template("layout.txt").render(rows=rows, lost=lost, reorders=outcome.reorders)
