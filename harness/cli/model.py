"""`equivalence model`: one model of the user's own, judged in both formats, with no suite file."""

from __future__ import annotations

import argparse
import re
import sys
from dataclasses import replace
from typing import Any, Final

from harness.cli.answer import add_answer_options, check_answer_options, publish_answer
from harness.cli.model_inputs import add_input_options, declared_inputs, needs_worker, saved_inputs
from harness.cli.model_timing import add_timing_options, check_timing_options, time_outcomes
from harness.cli.options import add_build_options
from harness.cli.parser import Commands, add_command
from harness.cli.progress_line import ProgressLine
from harness.core.json_text import parse_json
from harness.errors import UserError
from harness.gate import Gate
from harness.models import (
    RUNNERS,
    WEIGHTS,
    InputAnswer,
    Model,
    ModelOutcome,
    Problem,
    choose_weights,
    model_answer,
)
from harness.settings import Settings

HOME: Final = "the command line"
LIBRARIES: Final = ("torchvision",)
"""Packages that come in builds, one for each PyTorch: where one does not import, it is said which would."""
_FACTORY: Final = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*[:.][^\W\d]\w*(\.[^\W\d]\w*)*")


def add_model_command(commands: Commands) -> None:
    """Add its parser."""
    about = "whether a model of your own is right in channels-last and stays so"
    parser = add_command(commands, "model", judge_factory, about)
    parser.add_argument("factory", metavar="PACKAGE.MODULE:FACTORY", help="what makes it: torchvision.models:resnet18")
    add_input_options(parser)
    arguments = "the factory's keyword arguments: '{\"num_classes\": 10}'"
    parser.add_argument("--arguments", metavar="JSON", help=arguments)
    parser.add_argument("--train", action="store_true", help="a step of training too: loss, gradients, statistics")
    parser.add_argument("--bfloat16", action="store_true", help="under autocast to bfloat16 too")
    frozen = "a class of modules that stays in evaluation mode: Dropout"
    parser.add_argument("--frozen", action="append", metavar="CLASS", help=frozen)
    seeded = "it draws random numbers, and must give the same from the same seed"
    parser.add_argument("--seeded", action="store_true", help=seeded)
    weights = "fill: the harness's own; keep: the factory's (default: those with which more can be judged)"
    parser.add_argument("--weights", choices=WEIGHTS, help=weights)
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
    inputs = None if needs_worker(options) else declared_inputs(options)
    model = declare_model(options)
    gate = Gate(settings)
    gate.executor.run_representative_levels()
    with ProgressLine(sys.stderr) as progress:
        gate.model_executor.announce = progress.announce
        progress.announce("PyTorch is loaded")
        with gate:
            inputs = inputs or saved_inputs(options.inputs, gate.model_executor.load_inputs(options.inputs))
            model = replace(model, inputs=inputs.inputs, constants=inputs.constants)
            outcomes = try_items(gate, model, chooses_weights=options.weights is None)
            if options.time:
                time_outcomes(gate, model, outcomes, options.threads)
            answer = model_answer(options.factory, input_answers(model), outcomes, gate.known_loss)
    publish_answer(answer, options)
    return answer.exit_code


def input_answers(model: Model) -> list[InputAnswer]:
    """The inputs of a model whose shapes are numbers."""
    return [
        InputAnswer(
            name=spec.name,
            shape=tuple(extent.evaluate({}) for extent in spec.shape),
            dtype=spec.dtype,
            is_image=spec.channels_last,
        )
        for spec in model.inputs
    ]


def try_items(gate: Gate, model: Model, *, chooses_weights: bool = False) -> list[ModelOutcome]:
    """The model in each way to run it; one of which it cannot be judged has a problem, and the others are kept."""
    missing, problem = gate.model_executor.check(model)
    if sentence := problem or missing:
        return [ModelOutcome(model.id, str(way), problem=Problem(sentence)) for way in model.ways]
    outcomes = []
    for way in model.ways:
        chosen = choose_weights(gate.model_executor, model, way, gate.settings.seed) if chooses_weights else model
        outcomes.append(gate.try_model(chosen, way))
    return outcomes


def declare_model(options: argparse.Namespace) -> Model:
    """The model as a suite file would declare it, without its inputs. Raises UserError."""
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
        (),
        arguments=_arguments(options.arguments),
        steps=("eval", "train") if options.train else ("eval",),
        runners=(options.runner,),
        precisions=("float32", "bfloat16") if options.bfloat16 else ("float32",),
        requires=tuple(library for library in LIBRARIES if factory.startswith(library + ".")),
        frozen=tuple(options.frozen or ()),
        seeded=options.seeded,
        weights=options.weights or "fill",
        needs_frozen=True,
    )


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
