"""`equivalence schema`: the JSON Schemas with which an editor completes and checks what a person writes."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Final

from harness.cli.parser import Commands, add_command
from harness.errors import UserError
from harness.models import ModelSuiteSchema
from harness.reporting import record_schema_text
from harness.settings import Settings
from harness.suites import schema_text

SCHEMAS: Final[Mapping[str, Callable[[], str]]] = {
    "suite": schema_text,
    "models": partial(schema_text, ModelSuiteSchema),
    "record": record_schema_text,
}
"""What each schema describes → its text: a file of cases, a file of models, and the record of a run."""

_MODELINE: Final = "# yaml-language-server: $schema={}"


def add_schema_command(commands: Commands) -> None:
    """Add its parser."""
    about = "the JSON Schema of suites (or models, or the record), for editors"
    parser = add_command(commands, "schema", publish_schema, about)
    parser.add_argument("kind", nargs="?", choices=[*SCHEMAS], default="suite", help="of what (default: suite)")
    parser.add_argument("--write", metavar="FILE", type=Path, help="write it there, and print its modeline")


def publish_schema(options: argparse.Namespace, _: Settings) -> int:
    """Print the schema, or write it to a file and print the first line of a suite beside that file.

    Raises UserError where the file cannot be written.
    """
    text = SCHEMAS[options.kind]()
    if options.write is None:
        print(text, end="")  # noqa: T201 - a command prints
        return 0
    try:
        options.write.write_text(text, "utf-8")
    except OSError as error:
        raise UserError(f"schema: {options.write} cannot be written: {error.strerror}") from None
    print(f"{options.write}: written")  # noqa: T201 - a command prints
    if options.kind != "record":
        print("the first line of a file beside it, by which an editor finds it:")  # noqa: T201 - a command prints
        print(_MODELINE.format(options.write.name))  # noqa: T201 - a command prints
    return 0
