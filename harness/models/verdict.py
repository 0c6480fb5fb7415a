"""The answer to "can I turn channels-last on for this model?", from what the trial saw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from harness.core import ItemStatus
from harness.models.advice import Place, channels_last, places_put_back, places_to_change
from harness.models.image_call import ImageCall
from harness.models.outcome import ModelOutcome, shows_converted
from harness.portable.model_protocol import ImageFunctionKind


class Answer(StrEnum):
    """What to do. `REFUSED`: the model cannot be judged in some way to run it, and is not wrong in another."""

    YES = "yes"
    WRONG = "wrong"
    REFUSED = "refused"
    LOSES_FORMAT = "loses format"
    NO_EFFECT = "no effect"
    NOT_JUDGED = "not judged"

    @property
    def exit_code(self) -> int:
        """That of the command.

        The codes of a run keep their meaning: 0 is right, 1 wrong, 4 a mistake of the user, 6 a run that is incomplete.
        """
        return _EXIT_CODES[self]


_EXIT_CODES: Final = {
    Answer.YES: 0,
    Answer.WRONG: 1,
    Answer.REFUSED: 4,
    Answer.LOSES_FORMAT: 7,
    Answer.NO_EFFECT: 8,
    Answer.NOT_JUDGED: 9,
}


@dataclass(frozen=True)
class Effect:
    """How much of a converted model is in channels-last. `kept` of `total` calls of a kind got and gave it.

    `share` is that of the multiply-adds of all convolutions, from 0 to 1; None without a convolution.
    """

    counts: dict[ImageFunctionKind, tuple[int, int]]
    share: float | None

    @property
    def is_none(self) -> bool:
        """Whether nothing at all is in channels-last."""
        return not any(kept for kept, _ in self.counts.values())


def effect_of(calls: Sequence[ImageCall]) -> Effect:
    """What the calls of convolutions, normalisations, poolings and resamplings got and gave."""
    counts: dict[ImageFunctionKind, tuple[int, int]] = {}
    for call in calls:
        if call.kind:
            kept, total = counts.get(call.kind, (0, 0))
            counts[call.kind] = kept + call.keeps_channels_last, total + 1
    whole = sum(call.multiply_adds for call in calls)
    kept_adds = sum(call.multiply_adds for call in calls if call.keeps_channels_last)
    return Effect(counts, kept_adds / whole if whole else None)


def answer_of(outcomes: Sequence[ModelOutcome]) -> Answer:
    """The answer over all ways to run the model: wrong before all else, yes only where each says so."""
    answers = [_answer(outcome) for outcome in outcomes]
    order = (Answer.WRONG, Answer.REFUSED, Answer.NOT_JUDGED, Answer.NO_EFFECT, Answer.LOSES_FORMAT)
    return next((answer for answer in order if answer in answers), Answer.YES)


def _answer(outcome: ModelOutcome) -> Answer:
    if is_wrong_converted(outcome):
        return Answer.WRONG
    if outcome.problem is not None:
        return Answer.REFUSED
    if not outcome.cells or outcome.status in (ItemStatus.UNTRUSTED, ItemStatus.NOT_AVAILABLE, ItemStatus.NOT_RUN):
        return Answer.NOT_JUDGED
    if effect_of(outcome.image_calls).is_none:
        return Answer.NO_EFFECT
    return Answer.LOSES_FORMAT if places_of([outcome]) else Answer.YES


def is_wrong_converted(outcome: ModelOutcome) -> bool:
    """Whether a value is wrong in a converted run, or one ends its process for what is known of an operator.

    What is wrong in NCHW alone is no answer to the question.
    """
    findings = [finding for finding in outcome.findings if finding.oracle != "strides"]
    return bool(outcome.known_deaths) or any(map(shows_converted, findings))


def places_of(outcomes: Sequence[ModelOutcome]) -> list[Place]:
    """The places to change: those of the first way to run the model that has any."""
    return next(filter(None, (places_to_change(outcome.image_calls) for outcome in outcomes)), [])


def copies_of(outcomes: Sequence[ModelOutcome]) -> list[Place]:
    """The places right behind which the format is put back: those of the first way to run the model that has any."""
    return next(filter(None, (places_put_back(outcome.image_calls) for outcome in outcomes)), [])


def no_effect_reason(shapes: Sequence[Sequence[int]], calls: Sequence[ImageCall]) -> str:
    """Why nothing is in channels-last, in one sentence; `shapes` are those of the inputs."""
    images = [shape for shape in shapes if len(shape) in (4, 5)]
    if first := next((call for call in calls if call.kind), None):
        return _unkept_reason(images, first)
    if images:
        return "no convolution, normalisation, pooling or resampling of an image was seen"
    return "no input is an image or a volume, and nothing in the model works on one"


def _unkept_reason(images: Sequence[Sequence[int]], first: ImageCall) -> str:
    """Why calls of images kept nothing in NHWC."""
    if first.is_unbatched:
        shape = list(first.input_shape)
        fact = f"channels-last is a format of (N, C, H, W), and {first.function} of {first.title} got {shape}"
        return f"{fact}: give an image its batch axis"
    name = channels_last(first.image_rank)
    if images and all(shape[1] == 1 for shape in images):
        return (
            f"the input has one channel, so that its strides say both formats, and {first.function} of {first.title} "
            f"takes it for NCHW; write x = x.contiguous(memory_format={name}) behind that"
        )
    return f"the first, {first.function} of {first.title}, got {' '.join(first.input_formats) or 'no image'}"
