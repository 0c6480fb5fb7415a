"""WayAnswer: what `equivalence model` found out of a model in one way to run it, as the answer holds it."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from harness.core import CellState, ItemStatus
from harness.models.image_call import LayoutLoss
from harness.models.model import Weights
from harness.models.module_layout import ModuleLayout
from harness.models.outcome import ModelOutcome
from harness.models.record import faulty_module_record, model_failure_record
from harness.models.timing import ModelTiming
from harness.models.verdict import effect_of
from harness.models.verdict_words import verdict_sentence
from harness.portable.model_protocol import ImageFunctionKind
from harness.reporting import FaultyModuleRecord, LayoutRowRecord, ModelFailureRecord, sort_by_name
from harness.suites import StrictSchema
from harness.trial import round_ratios


class ImageCallAnswer(StrictSchema):
    """One call of a function of torch that works on an image in the converted model, or loses its format."""

    module: str = Field(description="The path of the module whose forward makes the call; empty: the model's own")
    class_name: str = Field(description="The class of that module")
    function: str = Field(description="The dotted name of the function")
    kind: ImageFunctionKind = Field(description="Empty for a function that does no more than pass an image on")
    loses: LayoutLoss = Field(description="How the call loses channels-last; empty where it does not")
    input_formats: tuple[str, ...] = Field(description="nhwc, nchw, either or other, of each image that it got")
    output_formats: tuple[str, ...] = Field(description="The same of the images that it gave")
    input_shape: tuple[int, ...]
    multiply_adds: int = Field(description="Those of a convolution, else 0")
    line: str = Field(description="file:line of the caller's source, where the call loses something and it is known")


class KeptCalls(StrictSchema):
    """How many calls of one kind got and gave channels-last."""

    kept: int
    total: int


class EffectAnswer(StrictSchema):
    """How much of the converted model is in channels-last."""

    counts: Mapping[ImageFunctionKind, KeptCalls] = Field(description="By the kind of function")
    multiply_add_share: float | None = Field(
        description="Share of the convolutions' multiply-adds that are in channels-last, 0 to 1; null without any"
    )


class WayAnswer(StrictSchema):
    """What the model came to in one way to run it; of one that it cannot be judged in, `problem` says why."""

    way: str = Field(description="<step>-<runner>-<precision>")
    verdict: str = Field(description="One sentence")
    weights: Weights = Field(description="fill: those that the harness makes; keep: those that the factory gave")
    status: ItemStatus
    problem: str = Field(description="Why the model could not be judged at all; empty where it could")
    cells: Mapping[str, Mapping[CellState, int]] = Field(description="ISA level: what came of the example there")
    failures: tuple[ModelFailureRecord, ...] = Field(description="What is wrong, and the modules to blame")
    explained: tuple[FaultyModuleRecord, ...] = Field(
        description="Modules that are wrong in nothing but what is known of their operators"
    )
    known_issues: Mapping[str, int] = Field(description="Known issue: how many findings it accepted")
    ratios: Mapping[str, float] = Field(description="Tensor: the worst ratio of error to allowance, to two digits")
    notes: tuple[str, ...]
    effect: EffectAnswer
    calls: tuple[ImageCallAnswer, ...] = Field(description="In the order of the forward pass")
    layout: tuple[LayoutRowRecord, ...] = Field(description="A row for each call, with the reorders of its module")
    modules: tuple[ModuleLayout, ...] = Field(description="In the order of their first calls; then those not called")
    reorders: Mapping[str, int] = Field(description="Conversion: how many reorders oneDNN ran in all")
    timings: tuple[ModelTiming, ...] = Field(description="Times in both formats by level, where they were asked for")
    seconds: float = Field(description="Wall time of judging it")


def way_answer(outcome: ModelOutcome) -> WayAnswer:
    """The outcome of one way to run a model."""
    effect = effect_of(outcome.image_calls)
    return WayAnswer(
        way=outcome.item,
        verdict=verdict_sentence(outcome),
        weights=outcome.weights,
        status=outcome.status,
        problem="" if outcome.problem is None else outcome.problem.sentence,
        cells={cell: sort_by_name(states) for cell, states in outcome.cells.items()},
        failures=tuple(map(model_failure_record, outcome.failures)),
        explained=tuple(map(faulty_module_record, outcome.explained)),
        known_issues=sort_by_name(outcome.known_issues),
        ratios=round_ratios(outcome.ratios),
        notes=tuple(outcome.notes),
        effect=EffectAnswer(
            counts={kind: KeptCalls(kept=kept, total=total) for kind, (kept, total) in effect.counts.items()},
            multiply_add_share=effect.share,
        ),
        calls=tuple(ImageCallAnswer.model_validate(call, from_attributes=True) for call in outcome.image_calls),
        layout=tuple(outcome.layout),
        modules=outcome.modules,
        reorders=outcome.reorders,
        timings=tuple(outcome.timings),
        seconds=round(outcome.seconds, 1),
    )
