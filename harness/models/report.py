"""What is printed of models: a line for each, the story of a failed one, the table of its layouts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from harness.core import ItemStatus
from harness.models.answer import ModelAnswer
from harness.models.layout_report import layout_summary, layout_table
from harness.models.model import BASELINE, FULL_CONVERSION
from harness.models.outcome import ModelOutcome
from harness.models.record import model_item_record
from harness.models.templating import TEMPLATES
from harness.models.timing_report import timing_text
from harness.models.way_answer import WayAnswer
from harness.reporting import FaultyModuleRecord, ModelItemRecord, Record, sum_counts

SHOWN: Final = 3
"""Findings, and modules to blame, of one example that are told in full; the others are counted."""

PLURALS: Final = {
    "convolution": "convolutions",
    "normalisation": "normalisations",
    "pooling": "poolings",
    "resampling": "resamplings",
}

MARKS: Final = {
    ItemStatus.PASSED: ".",
    ItemStatus.FAILED: "F",
    ItemStatus.KNOWN_ISSUE: "d",
    ItemStatus.UNTRUSTED: "u",
    ItemStatus.NOT_AVAILABLE: "n",
    ItemStatus.NOT_RUN: "-",
}


@dataclass(frozen=True)
class ModelRow:
    """One model over the ways to run it, each with its mark.

    `ratio` is the worst of error to allowance (1 is the allowance), None where no tensor had one. `reorders` says how
    many oneDNN ran with nothing converted and with all of it, `seconds` is wall time.
    """

    name: str
    ways: tuple[tuple[str, str], ...]
    ratio: float | None
    reorders: str
    seconds: float


@dataclass(frozen=True)
class ExplainedGroup:
    """Modules of one class that come from the same known issues: the first, the others by their paths, all cells."""

    first: FaultyModuleRecord
    others: tuple[str, ...]
    cells: tuple[str, ...]


def group_explained(modules: Sequence[FaultyModuleRecord]) -> list[ExplainedGroup]:
    """The modules that are wrong in nothing but what is known, those of one class and one set of issues together."""
    groups: dict[tuple[str, tuple[str, ...]], list[FaultyModuleRecord]] = {}
    for module in modules:
        groups.setdefault((module.class_name, tuple(module.known)), []).append(module)
    return [_explained_group(of_class) for of_class in groups.values()]


def _explained_group(modules: Sequence[FaultyModuleRecord]) -> ExplainedGroup:
    paths = list(dict.fromkeys(module.path for module in modules))
    return ExplainedGroup(modules[0], tuple(paths[1:]), tuple(dict.fromkeys(module.cell for module in modules)))


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
    has_both = {BASELINE, FULL_CONVERSION} <= reorders.keys()
    return ModelRow(
        name=items[0].name,
        ways=tuple((MARKS[item.status], item.item) for item in items),
        ratio=max((ratio for item in items for ratio in item.ratios.values()), default=None),
        reorders=f"{reorders[BASELINE]} -> {reorders[FULL_CONVERSION]}" if has_both else "",
        seconds=sum(item.seconds for item in items),
    )


def model_failure_text(outcome: ModelOutcome, item: str, seed: int) -> str:
    """The story of a failed model; `item`, an id of pytest's, and `seed` are what runs it again."""
    template = TEMPLATES.get_template("model_failure.txt")
    examples = [failure.example.to_json() for failure in outcome.failures]
    return template.render(outcome=model_item_record(outcome), examples=examples, item=item, seed=seed, shown=SHOWN)


def model_text(answer: ModelAnswer, *, is_table: bool = False) -> str:
    """What `equivalence model` says: verdicts, the first wrong layers, the layout report of the first way to run it.

    `is_table`: a line for each call in place of a summary.
    """
    layout = layout_text(answer.ways[0], is_table=is_table)
    times = timing_text([timing for way in answer.ways for timing in way.timings], is_table=is_table)
    layout = "\n\n".join([layout.rstrip("\n"), times]) if times else layout
    return TEMPLATES.get_template("model.txt").render(
        answer=answer, layout=layout, shown=SHOWN, group_explained=group_explained
    )


def layout_text(way: WayAnswer, *, is_table: bool = False) -> str:
    """The layout report: how much of the model is in channels-last, reorders, and the calls, summed up or each."""
    return TEMPLATES.get_template("layout.txt").render(
        effect=way.effect,
        kinds=PLURALS,
        reorders=way.reorders,
        rows=layout_table(way.layout) if is_table else layout_summary(way.layout),
        is_table=is_table,
    )
