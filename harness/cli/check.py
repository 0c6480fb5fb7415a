"""`equivalence check`: suite files looked at as a run does before its first item, and not run."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.cli.options import add_build_options, existing_file
from harness.cli.parser import Commands, add_command
from harness.core import Case
from harness.errors import UserError
from harness.gate import Gate
from harness.models import Model
from harness.preflight import Lookup, declaration_mistakes, look_up_callables, look_up_factories
from harness.run_header import own_reference_line
from harness.settings import Settings
from harness.suites import DeclarationError


def add_check_command(commands: Commands) -> None:
    """Add its parser."""
    parser = add_command(commands, "check", check_suites, "check suite files: YAML, expressions, callables, arguments")
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    add_build_options(parser)


def check_suites(options: argparse.Namespace, settings: Settings) -> int:
    """Check suite files without running them. Raises UserError with every mistake in any of them."""
    gate = Gate(settings)
    files = [existing_file(file).resolve() for file in options.files]
    examination = gate.project.examine(files)
    cases = [declared for declared in examination.sound if isinstance(declared, Case)]
    models = [declared for declared in examination.sound if isinstance(declared, Model)]
    mistakes = [*examination.mistakes, *declaration_mistakes(cases, models)]
    others = [] if mistakes else _mistakes_of_what_is_known(gate, files)
    answers = _Answers((), "") if others else _ask_worker(gate, cases, models)
    mistakes += [mistake for lookup in answers.lookups for mistake in lookup.mistakes]
    if answers.failure and not mistakes:
        raise UserError(answers.failure)
    if mistakes or others:
        lines = [str(DeclarationError(mistakes, is_complete=examination.is_complete))] if mistakes else []
        unasked = [f"callables were not looked for: {answers.failure}"] if answers.failure else []
        raise UserError("\n".join([*lines, *others, *unasked]))
    _print_counts(cases, models, answers)
    return 0


@dataclass(frozen=True)
class _Answers:
    """What a worker said of cases and models, and of which cases it is its own reference; or why it said nothing."""

    lookups: tuple[Lookup, ...]
    own_reference: str
    failure: str = ""


def _ask_worker(gate: Gate, cases: Sequence[Case], models: Sequence[Model]) -> _Answers:
    try:
        with gate:
            lookups = look_up_callables(gate.executor, cases), look_up_factories(gate.model_executor, models)
            own = own_reference_line(gate.executor, [case for case in cases if case.id not in lookups[0].missing])
    except UserError as error:
        return _Answers((), "", str(error))
    return _Answers(lookups, own)


def _mistakes_of_what_is_known(gate: Gate, files: Sequence[Path]) -> list[str]:
    """What golden/ says of cases that is not so; looked at only where the files have no mistake of their own."""
    try:
        gate.project.cases(files)
        gate.project.models(files)
    except UserError as error:
        return [str(error)]
    return []


def _print_counts(cases: Sequence[Case], models: Sequence[Model], answers: _Answers) -> None:
    counts = [_counted_noun(number, noun) for number, noun in ((len(cases), "case"), (len(models), "model")) if number]
    print(f"{', '.join(counts)}, no mistake")  # noqa: T201 - a command prints
    if answers.own_reference:
        print(answers.own_reference)  # noqa: T201 - a command prints
    for why in dict.fromkeys(why for lookup in answers.lookups for why in lookup.missing.values()):
        print(f"not looked at: {why}")  # noqa: T201 - a command prints


def _counted_noun(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
