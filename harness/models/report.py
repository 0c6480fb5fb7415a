"""What is printed of models: a line for each, the story of a failed one, the table of its layouts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from harness.models.templating import TEMPLATES
from harness.models.trial import ModelOutcome

MARKS: Final = {
    "passed": ".", "failed": "F", "known issue": "d", "untrusted": "u", "not available": "n", "not run": "-",
}  # fmt: skip


def model_summary(outcomes: Sequence[dict[str, Any]], cells: Sequence[str]) -> str:
    """One line for each model: a mark for each way to run it, reorders, headroom, seconds. Empty without models."""
    if not outcomes:
        return ""
    named: dict[str, list[dict[str, Any]]] = {}
    for outcome in outcomes:
        named.setdefault(outcome["model"], []).append(outcome)
    ran = [cell for cell in cells if any(cell in outcome["cells"] for outcome in outcomes)]
    return TEMPLATES.get_template("models.txt").render(
        rows=[_row(name, found) for name, found in named.items()],
        cells=ran,
        marks=MARKS,
        missing=sorted({why for outcome in outcomes for why in outcome["skipped"].values()}),
        incidents=[incident for outcome in outcomes for incident in outcome["incidents"]],
        notes=[f"{_short(outcome)}: {note}" for outcome in outcomes for note in outcome["notes"]],
        known_issues=_known_issues(outcomes),
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
    return f"{str(outcome['model']).rpartition('::')[2]}[{outcome['item']}]"


def _known_issues(outcomes: Sequence[dict[str, Any]]) -> list[tuple[str, int]]:
    counts: dict[str, int] = {}
    for outcome in outcomes:
        for name, count in outcome["known_issues"].items():
            counts[name] = counts.get(name, 0) + count
    return sorted(counts.items())


def model_failure_text(outcome: ModelOutcome, item: str, seed: int) -> str:
    """The story of a failed model; `item` and `seed` are what runs it again."""
    return TEMPLATES.get_template("model_failure.txt").render(
        outcome=outcome, name=outcome.model.rpartition("::")[2], item=item, seed=seed, shown=3
    )


def model_text(factory: str, inputs: Sequence[Sequence[int]], outcomes: Sequence[ModelOutcome]) -> str:
    """What `equivalence model` says: verdicts, the first wrong layers, the layout report of the first way to run it."""
    return TEMPLATES.get_template("model.txt").render(
        factory=factory,
        inputs=inputs,
        outcomes=[(one, _verdict(one)) for one in outcomes],
        layout=layout_text(outcomes[0]),
        shown=3,
    )


def _verdict(outcome: ModelOutcome) -> str:
    """One sentence."""
    wrong = [one for failure in outcome.failures for one in failure.findings]
    within = f"every value is within its allowance (at most {max(outcome.ratios.values(), default=0.0):.2g} of it)"
    match outcome.status:
        case "failed" if any(one.oracle != "strides" for one in wrong):
            return "WRONG"
        case "failed":
            return f"RIGHT, but does not stay channels-last; {within}"
        case "passed":
            return f"RIGHT, and stays channels-last; {within}"
        case "known issue":
            return f"RIGHT but for what is known: {', '.join(sorted(outcome.known_issues))}"
        case "untrusted":
            return f"NOT JUDGED: {'; '.join(outcome.untrusted)}"
        case _:
            return "NOT RUN: " + "; ".join(
                [*dict.fromkeys(one.reason for one in outcome.skipped.values()), *outcome.notes]
            )


def layout_text(outcome: ModelOutcome) -> str:
    """The layout report: modules that gave or got NCHW or where oneDNN reordered, how many more, what to change."""
    lost = [finding for failure in outcome.failures for finding in failure.findings if finding.oracle == "strides"]
    rows = [row for row in outcome.layout if _worth_a_line(row)]
    return TEMPLATES.get_template("layout.txt").render(
        rows=rows, others=len(outcome.layout) - len(rows), lost=lost, reorders=outcome.reorders
    )


def _worth_a_line(row: Mapping[str, Any]) -> bool:
    formats = f"{row['in']} {row['out']}".split()
    return "nchw" in formats or "other" in formats or bool(row["reorders_nchw"] or row["reorders_nhwc"])
