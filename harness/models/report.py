"""What is printed of models: a line for each, the story of a failed one, the table of its layouts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from harness.models.templating import TEMPLATES
from harness.models.trial import ModelOutcome
from harness.reporting import LayoutRowRecord, ModelItemRecord, Record, sum_counts

MARKS: Final = {
    "passed": ".", "failed": "F", "known issue": "d", "untrusted": "u", "not available": "n", "not run": "-",
}  # fmt: skip


@dataclass(frozen=True)
class ModelRow:
    """One model over the ways to run it, each with its mark. `ratio` is None where no tensor had one."""

    name: str
    ways: tuple[tuple[str, str], ...]
    ratio: float | None
    reorders: str
    seconds: float


def model_summary(record: Record) -> str:
    """One line for each model: a mark for each way to run it, reorders, headroom, seconds. Empty without models."""
    items = tuple(record.models.values())
    if not items:
        return ""
    models: dict[str, list[ModelItemRecord]] = {}
    for item in items:
        models.setdefault(item.model, []).append(item)
    return TEMPLATES.get_template("models.txt").render(
        rows=[_row(of_model) for of_model in models.values()],
        cells=[cell for cell in record.cells if any(cell in item.cells for item in items)],
        marks=MARKS,
        missing=sorted({reason for item in items for reason in item.skipped.values()}),
        incidents=[incident for item in items for incident in item.incidents],
        notes=[f"{item.name}[{item.item}]: {note}" for item in items for note in item.notes],
        known_issues=sorted(sum_counts(item.known_issues for item in items).items()),
    )


def _row(items: Sequence[ModelItemRecord]) -> ModelRow:
    """The row of the items of one model."""
    reorders = next((item.reorders for item in items if item.reorders), {})
    return ModelRow(
        name=items[0].name,
        ways=tuple((MARKS[item.status], item.item) for item in items),
        ratio=max((ratio for item in items for ratio in item.ratios.values()), default=None),
        reorders=f"{reorders['nchw']} -> {reorders['both']}" if "both" in reorders else "",
        seconds=sum(item.seconds for item in items),
    )


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


def _worth_a_line(row: LayoutRowRecord) -> bool:
    formats = f"{row.formats_in} {row.formats_out}".split()
    return "nchw" in formats or "other" in formats or bool(row.reorders_nchw or row.reorders_nhwc)
