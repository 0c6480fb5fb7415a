"""The answer in words: the verdict of each way to run a model, the last line, and what to paste."""

from __future__ import annotations

from collections.abc import Sequence

from harness.core import ItemStatus
from harness.models.advice import channels_last
from harness.models.outcome import ModelOutcome
from harness.models.verdict import Answer, effect_of, is_wrong_converted


def verdict_sentence(outcome: ModelOutcome) -> str:
    """What a model came to in one way to run it, in one sentence."""
    if outcome.problem is not None:
        return f"CANNOT BE JUDGED: {outcome.problem.sentence}"
    match outcome.status:
        case ItemStatus.FAILED | ItemStatus.PASSED:
            return _values_and_format(outcome)
        case ItemStatus.KNOWN_ISSUE if outcome.known_deaths:
            return f"ENDS THE PROCESS, which is known: {', '.join(sorted(outcome.known_deaths))}"
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


def answer_sentence(answer: Answer, place_count: int, no_effect: str) -> str:
    """What to do, behind ``turn it on:``; `no_effect` says why nothing is in channels-last."""
    match answer:
        case Answer.WRONG:
            return "no: something is wrong in channels-last"
        case Answer.REFUSED:
            return "not known: the model cannot be judged"
        case Answer.NOT_JUDGED:
            return "not known: the model could not be judged"
        case Answer.NO_EFFECT:
            return f"no effect: {no_effect}"
        case Answer.LOSES_FORMAT:
            lose = "place loses" if place_count == 1 else "places lose"
            return f"yes, but {place_count} {lose} the format"
        case Answer.YES:
            return "yes"


def recipe(answer: Answer, rank: int, images: Sequence[tuple[str, int]]) -> tuple[str, ...]:
    """The lines to paste, where channels-last is worth turning on.

    `rank` is that of what the model works on, `images` are name and rank of the inputs to convert.
    """
    if answer not in (Answer.YES, Answer.LOSES_FORMAT):
        return ()
    model = f"model = model.to(memory_format={channels_last(rank)})"
    return model, *(f"{name} = {name}.to(memory_format={channels_last(own)})" for name, own in images)
