"""`equivalence replay`: one example, or several, run again where nothing ran before."""

from __future__ import annotations

import argparse
from pathlib import Path

from harness.cli.options import add_build_options
from harness.cli.parser import Commands, add_command
from harness.core import Case, CellState, Example
from harness.core.json_text import parse_json
from harness.core.text_file import UnreadableFileError, read_text_file
from harness.errors import UserError
from harness.gate import Gate
from harness.generation import describe_excess
from harness.golden import describe_misfit
from harness.preflight import check_callables
from harness.project import Project
from harness.reporting import replay_text
from harness.resources import resource
from harness.settings import Settings
from harness.trial import PartwiseRunner, judge_run


def add_replay_command(commands: Commands) -> None:
    """Add its parser."""
    about = "run one example again on all levels: FAILED, PASSED or UNTRUSTED"
    parser = add_command(commands, "replay", replay_examples, about)
    parser.add_argument("example", metavar="JSON|FILE", help="an example as a failure prints it, or a file with it")
    add_build_options(parser)


def replay_examples(options: argparse.Namespace, settings: Settings) -> int:
    """Run examples in fresh workers at every level and judge them.

    1 when one fails, known issue or not, or shows nothing, because no check of it could have failed.
    """
    gate = Gate(settings)
    examples = [(case_of(gate.project, example), example) for example in read_examples(options.example)]
    all_passed = True
    with gate:
        check_callables(gate.executor, {case.id: case for case, _ in examples}.values())
        for case, example in examples:
            known_issues = gate.known_issues_of(case, example.dtype)
            result = gate.executor.run_isolated(case, example, traced=True)
            result = PartwiseRunner(case, gate.executor, known_issues).add_observations(result)
            judged = judge_run(case, result, known_issues, gate.executor)
            print(replay_text(judged))  # noqa: T201 - a command prints
            all_passed &= judged.verdict is CellState.PASSED
    return int(not all_passed)


def read_examples(text: str, command: str = "replay") -> list[Example]:
    """One example, or a list of them, from JSON text or a file of it. Raises UserError."""
    try:
        entries = parse_json(text if text.lstrip().startswith(("{", "[")) else read_text_file(Path(text)))
        if isinstance(entries, list):
            examples = [_read_example(entry) for entry in entries]
        else:
            examples = [_read_example(entries)]
    except (ValueError, UnreadableFileError) as error:
        raise UserError(f"{command}: {error}") from None
    if not examples:
        raise UserError(f"{command}: the list holds no example")
    return examples


def _read_example(entry: object) -> Example:
    """The example in a part of JSON. Raises ValueError."""
    if not isinstance(entry, dict):
        raise ValueError("an example is a JSON object")  # noqa: TRY004 - as `Example.from_json` says it
    return Example.from_json(entry)


def case_of(project: Project, example: Example, command: str = "replay") -> Case:
    """The case of an example, which must fit it. Raises UserError that names the command."""
    file, _, name = example.case.partition("::")
    cases = project.cases([resource(project.root, file)])
    if example.case not in cases:
        names = ", ".join(case.name for case in cases.values())
        raise UserError(f"{command}: {file} has no case {name!r}; it has {names}")
    case = cases[example.case]
    if problem := describe_misfit(case, example) or describe_excess(case, example):
        raise UserError(f"{command}: the example does not fit {example.case}: {problem}")
    return case
