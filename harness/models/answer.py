"""ModelAnswer: all that one run of `equivalence model` found out, of which text, page and JSON are views."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from typing import Final, Literal

from pydantic import ConfigDict, Field

from harness.models.advice import Place
from harness.models.image_call import LayoutLoss
from harness.models.known_loss import FindKnownLoss, KnownLoss, find_nothing
from harness.models.outcome import ModelOutcome
from harness.models.verdict import Answer, answer_of, copies_of, no_effect_reason, places_of
from harness.models.verdict_words import answer_sentence, recipe
from harness.models.way_answer import WayAnswer, way_answer
from harness.suites import StrictSchema

SCHEMA: Final = 1
"""Raised by one whenever a field changes its meaning, its name or goes away."""


class InputAnswer(StrictSchema):
    """One tensor that the model was called with."""

    name: str = Field(description="Its place in the call, as Python has it: input, pixel_values, batch['image']")
    shape: tuple[int, ...]
    dtype: str = Field(description="torch's name of it")
    is_image: bool = Field(description="Whether it is put in channels-last with the model")


class PlaceAnswer(StrictSchema):
    """A line of source at which the format is lost, and what to write there instead."""

    sentence: str
    instead: str = Field(description="Empty where it is put back right behind, and nothing is known to save the copy")
    line: str = Field(description="file:line; empty where it is not known")
    function: str
    loses: LayoutLoss
    known_loss: KnownLoss | None = Field(default=None, description="What golden/ knows of the operator, if anything")
    modules: tuple[str, ...] = Field(description="The paths of the modules whose forward has the line; as often as run")

    @property
    def count(self) -> int:
        """How many calls there are of it."""
        return len(self.modules)


class ModelAnswer(StrictSchema):
    """The whole document. `ways` is empty where nothing could be run."""

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)

    version: Literal[1] = Field(default=SCHEMA, alias="schema", description="The version of this schema")
    factory: str = Field(description="PACKAGE.MODULE:FACTORY")
    inputs: tuple[InputAnswer, ...]
    answer: Answer
    exit_code: int = Field(description="That of the command, which follows from the answer")
    sentence: str = Field(description="What to do, in words")
    recipe: tuple[str, ...] = Field(description="The lines to paste; none where the answer is no yes")
    places: tuple[PlaceAnswer, ...] = Field(description="Where to change the model, in the order of the forward pass")
    copies: tuple[PlaceAnswer, ...] = Field(
        default=(), description="Where the format is lost and put back right behind: nothing to change, but a copy"
    )
    refusal: str = Field(description="Why some way to run the model cannot be judged; empty where all were")
    ways: tuple[WayAnswer, ...] = Field(description="The ways to run the model, in their order")

    @property
    def shapes(self) -> list[tuple[int, ...]]:
        """The shapes of the inputs."""
        return [tensor.shape for tensor in self.inputs]

    def text(self) -> str:
        """The JSON of the document."""
        return json.dumps(self.model_dump(mode="json", by_alias=True), indent=1, allow_nan=False) + "\n"


def model_answer(
    factory: str,
    inputs: Sequence[InputAnswer],
    outcomes: Sequence[ModelOutcome],
    find_known_loss: FindKnownLoss = find_nothing,
) -> ModelAnswer:
    """What the outcomes of all ways to run a model come to; at least one was run."""
    cells = {cell for outcome in outcomes for cell in outcome.cells}
    answer, places, shapes = answer_of(outcomes), places_of(outcomes), [tensor.shape for tensor in inputs]
    images = [(tensor.name, len(tensor.shape)) for tensor in inputs if tensor.is_image]
    no_effect = no_effect_reason(shapes, outcomes[0].image_calls)
    problems = [outcome.problem.sentence for outcome in outcomes if outcome.problem is not None]
    return ModelAnswer(
        factory=factory,
        inputs=tuple(inputs),
        answer=answer,
        exit_code=answer.exit_code,
        sentence=answer_sentence(answer, len(places), no_effect),
        recipe=recipe(answer, max([rank for _, rank in images], default=_image_rank(outcomes)), images),
        places=tuple(_place_answer(place, cells, find_known_loss) for place in places),
        copies=tuple(_place_answer(place, cells, find_known_loss) for place in copies_of(outcomes)),
        refusal=problems[0] if problems else "",
        ways=tuple(map(way_answer, outcomes)),
    )


def _image_rank(outcomes: Sequence[ModelOutcome]) -> int:
    """The dimensions of what the model works on, 5 for volumes."""
    return next((len(call.input_shape) for call in outcomes[0].image_calls if call.kind), 4)


def _place_answer(place: Place, cells: Collection[str], find_known_loss: FindKnownLoss) -> PlaceAnswer:
    first = place.calls[0]
    return PlaceAnswer(
        sentence=place.sentence,
        instead=place.instead,
        line=first.line,
        function=first.function,
        loses=first.loses,
        known_loss=find_known_loss(first, cells),
        modules=tuple(call.module for call in place.calls),
    )
