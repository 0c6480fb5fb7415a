"""`equivalence replay`: one example, or several, run again where nothing ran before."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from harness.cli.options import add_build_options, existing_file
from harness.cli.parser import Commands, add_command
from harness.core import Case, Example
from harness.errors import UserError
from harness.gate import Gate
from harness.golden import describe_misfit
from harness.preflight import check_callables
from harness.project import Project
from harness.reporting import replay_text
from harness.resources import resource
from harness.settings import Settings
from harness.trial import PartwiseRunner, judge_result


def add_replay_command(commands: Commands) -> None:
    """Add its parser."""
    about = "run one example again on all levels: FAILED or PASSED"
    parser = add_command(commands, "replay", replay_examples, about)
    parser.add_argument("example", metavar="JSON|FILE", help="an example as a failure prints it, or a file with it")
    add_build_options(parser)


def replay_examples(options: argparse.Namespace, settings: Settings) -> int:
    """Run examples in fresh workers at every level and judge them. 1 when one fails, known issue or not."""
    gate = Gate(settings)
    examples = [(_case_of(gate.project, example), example) for example in read_examples(options.example)]
    any_failed = False
    with gate:
        check_callables(gate.executor, {case.id: case for case, _ in examples}.values())
        for case, example in examples:
            known_issues = gate.known_issues_of(case, example.dtype)
            result = gate.executor.run_isolated(case, example)
            result = PartwiseRunner(case, gate.executor, known_issues).add_observations(result)
            judged = judge_result(case, result, known_issues)
            print(replay_text(judged))  # noqa: T201 - a command prints
            any_failed |= bool(judged.failures or judged.partition.accepted)
    return int(any_failed)


def read_examples(text: str) -> list[Example]:
    """One example, or a list of them, from JSON text or a file of it. Raises UserError."""
    try:
        written = text if text.lstrip().startswith(("{", "[")) else existing_file(Path(text)).read_text("utf-8")
        if not written.lstrip().startswith("["):
            return [Example.from_json(written)]
        if examples := [Example.from_json(item) for item in json.loads(written)]:
            return examples
    except (ValueError, OSError) as error:
        raise UserError(f"replay: {error}") from None
    raise UserError("replay: the list holds no example")


def _case_of(project: Project, example: Example) -> Case:
    """The case of an example, which must fit it. Raises UserError."""
    file, _, name = example.case.partition("::")
    cases = project.cases([resource(project.root, file)])
    if example.case not in cases:
        names = ", ".join(case.name for case in cases.values())
        raise UserError(f"replay: {file} has no case {name!r}; it has {names}")
    case = cases[example.case]
    if problem := describe_misfit(case, example):
        raise UserError(f"replay: the example does not fit {example.case}: {problem}")
    return case
