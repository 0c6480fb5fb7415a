"""Where the answer of `equivalence model` goes: to the terminal, and to files that other programs read."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Final

from harness.cli.options import check_writable
from harness.errors import UserError
from harness.models import ModelAnswer, model_html, model_text

STANDARD_OUTPUT: Final = "-"
"""The name that stands for it where a file is asked for."""


def add_answer_options(parser: argparse.ArgumentParser) -> None:
    """The options that say where the answer goes."""
    parser.add_argument(
        "--json", metavar="FILE", help="the answer as JSON; - for standard output, in place of the text"
    )
    parser.add_argument("--html", type=Path, metavar="FILE", help="the answer as a page, with the modules as a tree")


def check_answer_options(options: argparse.Namespace) -> None:
    """Find out before anything runs whether the files can be written. Raises OSError where one cannot."""
    for path in _files(options):
        check_writable(path)


def _files(options: argparse.Namespace) -> list[Path]:
    """The files that the options name."""
    names = [name for name in (options.json, options.html) if name not in (None, STANDARD_OUTPUT)]
    return [*map(Path, names)]


def publish_answer(answer: ModelAnswer, options: argparse.Namespace) -> None:
    """Print the answer, and write the files that the options name.

    Raises UserError where the model could not be judged in any way to run it, when all is written.
    """
    is_refused = all(way.problem for way in answer.ways)
    if options.json == STANDARD_OUTPUT:
        sys.stdout.write(answer.text())
    elif not is_refused:
        print(model_text(answer, is_table=options.table))  # noqa: T201 - a command prints
    if options.json not in (None, STANDARD_OUTPUT):
        Path(options.json).write_text(answer.text(), "utf-8")
    if options.html is not None:
        options.html.write_text(model_html(answer), "utf-8")
    if is_refused:
        raise UserError(f"{answer.factory.replace(':', '.')}: {answer.refusal}")


def publish_report(text: str, document: str, file: str | None) -> None:
    """Print a report, and write its document to the file that was asked for; if that is standard output, nothing else.

    Raises OSError where the file cannot be written.
    """
    if file == STANDARD_OUTPUT:
        sys.stdout.write(document)
        return
    print(text)  # noqa: T201 - a command prints
    if file is not None:
        Path(file).write_text(document, "utf-8")
