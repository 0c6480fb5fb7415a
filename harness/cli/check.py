"""`equivalence check`: suite files looked at as a run does before its first item, and not run."""

from __future__ import annotations

import argparse
from pathlib import Path

from harness.cli.options import add_build_options, existing_file
from harness.cli.parser import Commands, add_command
from harness.gate import Gate
from harness.preflight import check_callables, check_declarations, check_factories
from harness.run_header import own_reference_line
from harness.settings import Settings


def add_check_command(commands: Commands) -> None:
    """Add its parser."""
    parser = add_command(commands, "check", check_suites, "check suite files: YAML, expressions, callables, arguments")
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    add_build_options(parser)


def check_suites(options: argparse.Namespace, settings: Settings) -> int:
    """Check suite files without running them. Raises UserError with every mistake."""
    gate = Gate(settings)
    files = [existing_file(file).resolve() for file in options.files]
    cases = gate.project.cases(files)
    models = [model for suite in gate.project.models(files).values() for model in suite]
    check_declarations(cases.values(), models)
    with gate:
        missing = check_callables(gate.executor, cases.values()) | check_factories(gate.model_executor, models)
        own = own_reference_line(gate.executor, [case for case in cases.values() if case.id not in missing])
    counts = [_counted_noun(number, noun) for number, noun in ((len(cases), "case"), (len(models), "model")) if number]
    print(f"{', '.join(counts)}, no mistake")  # noqa: T201 - a command prints
    if own:
        print(own)  # noqa: T201 - a command prints
    for why in dict.fromkeys(missing.values()):
        print(f"not looked at: {why}")  # noqa: T201 - a command prints
    return 0


def _counted_noun(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
