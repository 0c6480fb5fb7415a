"""`equivalence model`: one model of the user's own, judged in both formats, with no suite file."""

from __future__ import annotations

import argparse
import re
from typing import Any, Final

from harness.cli.answer import add_answer_options, check_answer_options, publish_answer
from harness.cli.model_timing import add_timing_options, check_timing_options, time_outcomes
from harness.cli.options import add_build_options
from harness.cli.parser import Commands, add_command
from harness.core import Expression
from harness.core.json_text import LARGEST_INT64, parse_json
from harness.errors import UserError
from harness.gate import Gate
from harness.models import RUNNERS, InputAnswer, InputSpec, Model, ModelOutcome, Problem, model_answer
from harness.settings import Settings

HOME: Final = "the command line"
LIBRARIES: Final = ("torchvision",)
"""Packages that come in builds, one for each PyTorch: where one does not import, it is said which would."""
_FACTORY: Final = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*[:.][^\W\d]\w*(\.[^\W\d]\w*)*")
_CONVERTED: Final = (4, 5)
"""Dimensions of images and volumes, which have a channels-last format."""


def add_model_command(commands: Commands) -> None:
    """Add its parser."""
    about = "whether a model of your own is right in channels-last and stays so"
    parser = add_command(commands, "model", judge_factory, about)
    parser.add_argument("factory", metavar="PACKAGE.MODULE:FACTORY", help="what makes it: torchvision.models:resnet18")
    shape = "the shape of an input; once for each, in order"
    parser.add_argument("--input", action="append", required=True, metavar="N,C,H,W", help=shape)
    arguments = "the factory's keyword arguments: '{\"num_classes\": 10}'"
    parser.add_argument("--arguments", metavar="JSON", help=arguments)
    parser.add_argument("--train", action="store_true", help="a step of training too: loss, gradients, statistics")
    parser.add_argument("--bfloat16", action="store_true", help="under autocast to bfloat16 too")
    frozen = "a class of modules that stays in evaluation mode: Dropout"
    parser.add_argument("--frozen", action="append", metavar="CLASS", help=frozen)
    seeded = "it draws random numbers, and must give the same from the same seed"
    parser.add_argument("--seeded", action="store_true", help=seeded)
    runner = "run it as a program that is made of it; the float64 reference is the model itself"
    parser.add_argument("--runner", choices=RUNNERS, default="eager", help=runner)
    parser.add_argument("--table", action="store_true", help="a line for each call that works on an image")
    add_timing_options(parser)
    add_answer_options(parser)
    add_build_options(parser)


def judge_factory(options: argparse.Namespace, settings: Settings) -> int:
    """Judge a model; print verdict, first wrong layer, layout report, places to change. The exit code is the answer's.

    Raises UserError for a factory or an input that is none, and for a model that cannot be judged in any way to run it.
    """
    check_answer_options(options)
    check_timing_options(options, settings)
    model = declare_model(options)
    gate = Gate(settings)
    gate.executor.run_representative_levels()
    with gate:
        outcomes = try_items(gate, model)
        if options.time:
            time_outcomes(gate, model, outcomes, options.threads)
    answer = model_answer(options.factory, input_answers(model), outcomes)
    publish_answer(answer, options)
    return answer.exit_code


def input_answers(model: Model) -> list[InputAnswer]:
    """The inputs of a model whose shapes are numbers."""
    return [
        InputAnswer(name=spec.name, shape=tuple(extent.evaluate({}) for extent in spec.shape), dtype=spec.dtype)
        for spec in model.inputs
    ]


def try_items(gate: Gate, model: Model) -> list[ModelOutcome]:
    """The model in each way to run it; one of which it cannot be judged has a problem, and the others are kept."""
    missing, problem = gate.model_executor.check(model)
    if sentence := problem or missing:
        return [ModelOutcome(model.id, str(way), problem=Problem(sentence)) for way in model.ways]
    return [gate.try_model(model, way) for way in model.ways]


def declare_model(options: argparse.Namespace) -> Model:
    """The model as a suite file would declare it. Raises UserError."""
    if not _FACTORY.fullmatch(options.factory):
        raise UserError(f"{options.factory!r} is not PACKAGE.MODULE:FACTORY, such as torchvision.models:resnet18")
    factory = options.factory.replace(":", ".")
    name = factory.rpartition(".")[2]
    return Model(
        f"{HOME}::{name}",
        name,
        HOME,
        1,
        factory,
        (),
        tuple(_input_spec(index, _shape(text)) for index, text in enumerate(options.input)),
        arguments=_arguments(options.arguments),
        steps=("eval", "train") if options.train else ("eval",),
        runners=(options.runner,),
        precisions=("float32", "bfloat16") if options.bfloat16 else ("float32",),
        requires=tuple(library for library in LIBRARIES if factory.startswith(library + ".")),
        frozen=tuple(options.frozen or ()),
        seeded=options.seeded,
    )


def _input_spec(index: int, shape: tuple[int, ...]) -> InputSpec:
    """An input as a suite file would declare it; images and volumes are converted to channels-last."""
    extents = tuple(Expression.parse(str(size)) for size in shape)
    return InputSpec(f"input{index}" if index else "input", extents, len(shape) in _CONVERTED)


def _shape(text: str) -> tuple[int, ...]:
    try:
        shape = tuple(int(part) for part in text.split(","))
    except ValueError:
        shape = ()
    if not shape or min(shape) < 0 or max(shape) > LARGEST_INT64:
        raise UserError(f"--input: {text!r} is not a shape; write its sizes with commas: 1,3,224,224")
    return shape


def _arguments(text: str | None) -> dict[str, Any]:
    """The keyword arguments of the factory. Raises UserError for what is no JSON object."""
    if text is None:
        return {}
    try:
        arguments = parse_json(text)
    except ValueError as error:
        raise UserError(f"--arguments: {error}") from None
    if not isinstance(arguments, dict):
        raise UserError(f"--arguments: {text!r} is not a JSON object, such as '{{\"num_classes\": 10}}'")
    return {name: _argument(value) for name, value in arguments.items()}


def _argument(value: Any) -> Any:
    """A value as a case or a model keeps it: lists are tuples. Raises UserError for a mapping."""
    if isinstance(value, dict):
        raise UserError("--arguments: a value is a number, a text, true, false, null, or a list of these")
    return tuple(_argument(part) for part in value) if isinstance(value, list) else value
