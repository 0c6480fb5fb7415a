"""`equivalence speed`: operators and torchvision's networks in both formats at each ISA level."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness.cli.answer import STANDARD_OUTPUT, publish_report
from harness.cli.model_timing import add_thread_option, check_threads
from harness.cli.options import add_build_options, check_writable
from harness.cli.parser import Commands, add_command
from harness.cli.progress_line import ProgressLine
from harness.core import Case
from harness.core.json_text import LARGEST_INT64, parse_json
from harness.errors import UserError
from harness.gate import Gate
from harness.preflight import check_callables
from harness.project import Project
from harness.resources import SHIPPED, every_suite
from harness.settings import Settings
from harness.speed import CASES, MODELS, SpeedRun, chosen_cases, speed_text, torchvision_model


def add_speed_command(commands: Commands) -> None:
    """Add its parser."""
    about = "how fast operators and torchvision's networks are in NHWC and in NCHW, at each level"
    parser = add_command(commands, "speed", measure_speed, about)
    cases = "cases of the suites, such as pooling::max_pool2d (default, if no network is named: some of each kind)"
    parser.add_argument("cases", nargs="*", metavar="CASE", help=cases)
    models = "networks of torchvision, or PACKAGE.MODULE:FACTORY (default, if no case is named: three of torchvision's)"
    parser.add_argument("--models", metavar="A,B", help=models)
    parser.add_argument("--input", default="1,3,224,224", metavar="N,C,H,W", help="the shape of the networks' input")
    sizes = 'sizes of the cases: \'{"N": 1, "H": 112}\''
    parser.add_argument("--sizes", metavar="JSON", help=sizes)
    parser.add_argument("--train", action="store_true", help="forward and backward too")
    parser.add_argument("--bfloat16", action="store_true", help="in bfloat16 too; networks by autocast")
    seconds = "how long each operator and network is measured at each level (default: 2)"
    parser.add_argument("--seconds", type=float, default=2.0, metavar="S", help=seconds)
    add_thread_option(parser)
    parser.add_argument("--json", metavar="FILE", help="the numbers as JSON; -: standard output, and no text")
    add_build_options(parser)


def measure_speed(options: argparse.Namespace, settings: Settings) -> int:
    """Measure, print, and write the file; 0 whatever the numbers are. Raises UserError for wrong input."""
    check_threads(options)
    if settings.in_process:
        raise UserError("equivalence speed measures in processes of their own; leave out --in-process")
    if not options.seconds > 0:
        raise UserError(f"--seconds: {options.seconds:g} is not more than 0")
    if options.json not in (None, STANDARD_OUTPUT):
        check_writable(Path(options.json))
    gate = Gate(settings)
    run = speed_run(options, gate)
    with ProgressLine(sys.stderr) as progress:
        progress.announce("PyTorch is loaded")
        with gate:
            check_callables(gate.executor, run.cases)
            report = replace(run, announce=progress.announce).measure()
    document = json.dumps(report.model_dump(mode="json", by_alias=True), indent=1, allow_nan=False) + "\n"
    publish_report(speed_text(report), document, options.json)
    return 0


def speed_run(options: argparse.Namespace, gate: Gate) -> SpeedRun:
    """What the options ask for; where they name neither cases nor networks, some of both. Raises UserError."""
    is_default = not options.cases and options.models is None
    cases = CASES if is_default else options.cases
    models = MODELS if is_default else _names(options.models or "")
    shape, sizes = _shape(options.input), _sizes(options.sizes)
    return SpeedRun(
        gate.executor,
        chosen_cases(cases, _all_cases(gate.project)) if cases else [],
        [torchvision_model(name, shape, trains=options.train, has_bfloat16=options.bfloat16) for name in models],
        dtypes=("float32", "bfloat16") if options.bfloat16 else ("float32",),
        steps=("eval", "train") if options.train else ("eval",),
        threads=options.threads,
        seconds=options.seconds,
        sizes=sizes,
    )


def _all_cases(project: Project) -> dict[str, Case]:
    """The cases of the project by id, and those that come with the package where it has none of the same id."""
    shipped = project.shipped_project.cases(every_suite(SHIPPED))
    return shipped if project.root == SHIPPED else {**shipped, **project.cases(every_suite(project.root))}


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _shape(text: str) -> tuple[int, ...]:
    """The sizes between commas. Raises UserError."""
    try:
        shape = tuple(int(part) for part in text.split(","))
    except ValueError:
        shape = ()
    if not shape or min(shape) < 1 or max(shape) > LARGEST_INT64:
        raise UserError(f"--input: {text!r} is not a shape; write its sizes with commas: 1,3,224,224")
    return shape


def _sizes(text: str | None) -> dict[str, Any]:
    """The sizes by name, lists as tuples. Raises UserError for what is no JSON object."""
    try:
        sizes = {} if text is None else parse_json(text)
    except ValueError as error:
        raise UserError(f"--sizes: {error}") from None
    if not isinstance(sizes, dict):
        raise UserError(f"--sizes: {text!r} is not a JSON object, such as '{{\"N\": 1}}'")
    return {name: tuple(value) if isinstance(value, list) else value for name, value in sizes.items()}
