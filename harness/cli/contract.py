"""`equivalence contract`: the table of which operators keep channels-last."""

from __future__ import annotations

import argparse
from collections import defaultdict
from pathlib import Path, PurePosixPath
from typing import Final

from harness.cli.options import existing_file
from harness.cli.parser import Commands, add_command
from harness.core import Case
from harness.core.text_file import read_text_file
from harness.errors import UserError
from harness.generation import probe_shapes
from harness.golden import Golden, answer, answer_table
from harness.project import Project
from harness.settings import Settings

MARKS: Final = ("<!-- equivalence contract -->", "<!-- end -->")
"""The lines of a Markdown file between which the table goes."""


def add_contract_command(commands: Commands) -> None:
    """Add its parser."""
    about = "which operators keep channels-last, from golden/contract"
    parser = add_command(commands, "contract", publish_contract, about)
    parser.add_argument("--write", metavar="FILE", type=Path, help="write it into this Markdown file")


def publish_contract(options: argparse.Namespace, settings: Settings) -> int:
    """Print the table, or write it between the marks of a file.

    Raises UserError where golden/contract, or the file or its marks, are missing.
    """
    table = "\n".join(contract_table(Project(settings.root)))
    if options.write is None:
        print(table)  # noqa: T201 - a command prints
        return 0
    path = existing_file(options.write)
    before, begin, rest = read_text_file(path).partition(MARKS[0])
    _, end, after = rest.partition(MARKS[1])
    if not end:
        raise UserError(f"contract: {path} has no lines {MARKS[0]} and {MARKS[1]}, between which the table goes")
    path.write_text(f"{before}{begin}\n\n{table}\n\n{end}{after}", "utf-8")
    return 0


def contract_table(project: Project) -> list[str]:
    """The table as lines of Markdown, of every suite of the project, or of the shipped ones. Raises UserError."""
    by_suite: dict[str, dict[str, str]] = defaultdict(dict)
    is_kept = False
    for case in project.every_case().values():
        golden = project.home_of(case).golden
        is_kept |= golden.is_kept
        if text := _answer(golden, case):
            by_suite[PurePosixPath(case.id.partition("::")[0]).stem][case.name] = text
    if not is_kept:
        raise UserError("contract: there is no golden/contract here; `pytest suites --eq-update-golden` writes it")
    return [*answer_table(by_suite)]


def _answer(golden: Golden, case: Case) -> str | None:
    return answer(golden.contract(case), case, probe_shapes(case, case.dtypes[0]))
