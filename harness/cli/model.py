"""`equivalence model`: one model of the user's own, judged in both formats, with no suite file."""

from __future__ import annotations

import argparse
import json
import re
from typing import Any, Final

from harness.core import Expression
from harness.errors import UserError
from harness.gate import Gate
from harness.models import InputSpec, Model, ModelOutcome, model_text
from harness.settings import Settings

HOME: Final = "the command line"
LIBRARIES: Final = ("torchvision",)
"""Packages that come in builds, one for each PyTorch: where one does not import, it is said which would."""
_FACTORY: Final = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*[:.][^\W\d]\w*(\.[^\W\d]\w*)*")
_CONVERTED: Final = (4, 5)
"""Dimensions of images and volumes, which have a channels-last format."""


def model(options: argparse.Namespace, settings: Settings) -> int:
    """Judge a model; print verdict, first wrong layer, layout report. 1 where anything is wrong or gives NCHW back.

    Raises UserError for a factory or an input that is none, and for a model that cannot be judged.
    """
    model = declared(options)
    gate = Gate(settings)
    gate.executor.few = True
    with gate:
        outcomes = judged(gate, model)
    shapes = [[extent.evaluate({}) for extent in spec.shape] for spec in model.inputs]
    print(model_text(options.factory, shapes, outcomes))  # noqa: T201 - a command prints
    return int(any(outcome.status not in ("passed", "known issue", "not available") for outcome in outcomes))


def judged(gate: Gate, model: Model) -> list[ModelOutcome]:
    """The model in each way to run it. Raises UserError with one sentence where it cannot be judged."""
    missing, problem = gate.model_executor.check(model)
    problem = problem or missing
    outcomes: list[ModelOutcome] = []
    for item in model.items if not problem else ():
        outcomes.append(gate.try_model(model, item))
        if not problem and outcomes[-1].problem is not None:
            problem = outcomes[-1].problem.sentence
    if problem:
        raise UserError(f"{model.factory}: {problem}")
    return outcomes


def declared(options: argparse.Namespace) -> Model:
    """The model as a suite file would declare it. Raises UserError."""
    if not _FACTORY.fullmatch(options.factory):
        raise UserError(f"{options.factory!r} is not PACKAGE.MODULE:FACTORY, such as torchvision.models:resnet18")
    dotted = options.factory.replace(":", ".")
    inputs = tuple(
        InputSpec(
            f"input{index}" if index else "input", tuple(_extent(size) for size in shape), len(shape) in _CONVERTED
        )
        for index, shape in enumerate(map(_shape, options.input))
    )
    return Model(
        f"{HOME}::{dotted.rpartition('.')[2]}",
        dotted.rpartition(".")[2],
        HOME,
        1,
        dotted,
        (),
        inputs,
        arguments=_arguments(options.arguments),
        steps=("eval", "train") if options.train else ("eval",),
        precisions=("float32", "bfloat16") if options.bfloat16 else ("float32",),
        requires=tuple(library for library in LIBRARIES if dotted.startswith(library + ".")),
        frozen=tuple(options.frozen or ()),
        seeded=options.seeded,
    )


def _extent(size: int) -> Expression:
    return Expression.parse(str(size))


def _shape(text: str) -> tuple[int, ...]:
    try:
        shape = tuple(int(part) for part in text.split(","))
    except ValueError:
        shape = ()
    if not shape or min(shape) < 0:
        raise UserError(f"--input: {text!r} is not a shape; write its sizes with commas: 1,3,224,224")
    return shape


def _arguments(text: str | None) -> dict[str, Any]:
    """The keyword arguments of the factory. Raises UserError for what is no JSON object."""
    if text is None:
        return {}
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        raise UserError(f"--arguments: not JSON: {error}") from None
    if not isinstance(found, dict):
        raise UserError(f"--arguments: {text!r} is not a JSON object, such as '{{\"num_classes\": 10}}'")
    return {name: _frozen(value) for name, value in found.items()}


def _frozen(value: Any) -> Any:
    if isinstance(value, dict):
        raise UserError("--arguments: a value is a number, a text, true, false, null, or a list of these")
    return tuple(_frozen(part) for part in value) if isinstance(value, list) else value
