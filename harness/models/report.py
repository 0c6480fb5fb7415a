"""What is printed of models: a line for each, the story of a failed one, the table of its layouts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from harness.core import ItemStatus
from harness.models.advice import Place, channels_last
from harness.models.layout_report import layout_summary, layout_table
from harness.models.model import BASELINE, FULL_CONVERSION
from harness.models.outcome import ModelOutcome
from harness.models.templating import TEMPLATES
from harness.models.verdict import Answer, answer_of, effect_of, is_wrong_converted, no_effect_reason, places_of
from harness.reporting import ModelItemRecord, Record, sum_counts

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
    return template.render(outcome=outcome, item=item, seed=seed, shown=SHOWN)


def model_text(
    factory: str, inputs: Sequence[Sequence[int]], outcomes: Sequence[ModelOutcome], *, is_table: bool = False
) -> str:
    """What `equivalence model` says: verdicts, the first wrong layers, the layout report of the first way to run it.

    `inputs` are the shapes that the model was called with; `is_table`: a line for each call in place of a summary.
    """
    answer, places = answer_of(outcomes), places_of(outcomes)
    return TEMPLATES.get_template("model.txt").render(
        factory=factory,
        inputs=inputs,
        outcomes=[(outcome, _verdict(outcome)) for outcome in outcomes],
        layout=layout_text(outcomes[0], is_table=is_table),
        places=places,
        answer=_answer_sentence(answer, places, no_effect_reason(inputs, outcomes[0].image_calls)),
        recipe=_recipe(inputs, answer),
        shown=SHOWN,
    )


def _verdict(outcome: ModelOutcome) -> str:
    """What a model came to, in one sentence."""
    match outcome.status:
        case ItemStatus.FAILED | ItemStatus.PASSED:
            return _values_and_format(outcome)
        case ItemStatus.KNOWN_ISSUE:
            return f"RIGHT but for what is known: {', '.join(sorted(outcome.known_issues))}"
        case ItemStatus.UNTRUSTED:
            return f"NOT JUDGED: {'; '.join(outcome.untrusted)}"
        case _:
            return f"NOT RUN: {'; '.join(outcome.reasons_not_run)}"


def _values_and_format(outcome: ModelOutcome) -> str:
    """What was judged: values first, and then what becomes of the format."""
    if is_wrong_converted(outcome):
        return "WRONG"
    if any(finding.oracle != "strides" for finding in outcome.findings):
        return "RIGHT in channels-last, though not in NCHW"
    within = f"every value is within its allowance (at most {max(outcome.ratios.values(), default=0.0):.2g} of it)"
    if effect_of(outcome.image_calls).is_none:
        return f"RIGHT, but nothing in it is in channels-last; {within}"
    how = "but does not stay" if outcome.status is ItemStatus.FAILED else "and stays"
    return f"RIGHT, {how} channels-last; {within}"


def _answer_sentence(answer: Answer, places: Sequence[Place], no_effect: str) -> str:
    """The last line: what to do; `no_effect` says why nothing is in channels-last."""
    match answer:
        case Answer.WRONG:
            return "no: something is wrong in channels-last, see above"
        case Answer.NOT_JUDGED:
            return "not known: the model could not be judged, see above"
        case Answer.NO_EFFECT:
            return f"no effect: {no_effect}"
        case Answer.LOSES_FORMAT:
            lose = "place loses" if len(places) == 1 else "places lose"
            return f"yes, but {len(places)} {lose} the format, see above"
        case Answer.YES:
            return "yes"


def _recipe(inputs: Sequence[Sequence[int]], answer: Answer) -> list[str]:
    """The two lines to paste, where channels-last is worth turning on."""
    if answer not in (Answer.YES, Answer.LOSES_FORMAT):
        return []
    name = channels_last(next((len(shape) for shape in inputs if len(shape) in (4, 5)), 4))
    return [f"model = model.to(memory_format={name})", f"input = input.to(memory_format={name})"]


def layout_text(outcome: ModelOutcome, *, is_table: bool = False) -> str:
    """The layout report: how much of the model is in channels-last, reorders, and the calls, summed up or each."""
    return TEMPLATES.get_template("layout.txt").render(
        effect=effect_of(outcome.image_calls),
        kinds=PLURALS,
        reorders=outcome.reorders,
        rows=layout_table(outcome.layout) if is_table else layout_summary(outcome.layout),
        is_table=is_table,
    )
