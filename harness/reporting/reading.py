"""Reading a record from its file, with every mistake at its place."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from harness.core.json_text import parse_json
from harness.core.text_file import UnreadableFileError, read_text_file
from harness.errors import UserError
from harness.reporting.record import SCHEMA, Record

HOW: Final = "run the whole gate (`pytest suites`, or `tox -e equivalence`), or name its record with --record"
"""How to get a record that can be read."""

MOST: Final = 5
"""Mistakes of one document that are shown; where one field is wrong it is so in every item."""


def read_record(path: Path) -> Record:
    """The record in a file.

    Raises UserError where there is none, where it is no JSON or of another schema, and with the place of each mistake
    where it does not fit the schema.
    """
    text = _read_text(path)
    version = _schema_version(path, text)
    if version != SCHEMA:
        raise UserError(f"{path} is no record of schema {SCHEMA} (its schema: {version!r}); {HOW}")
    try:
        return Record.model_validate_json(text)
    except ValidationError as error:
        mistakes = "\n".join(_mistakes(error))
        raise UserError(f"the record {path} does not fit its schema:\n{mistakes}\n{HOW}") from None


def read_operator_record(path: Path) -> Record:
    """The record in a file, which has an operator's item at least. Raises UserError as `read_record` does, and then."""
    record = read_record(path)
    if not record.operators:
        raise UserError(f"the record {path} holds no item of an operator; {HOW}")
    return record


def _read_text(path: Path) -> str:
    try:
        return read_text_file(path)
    except UnreadableFileError as error:
        problem = f"there is no record {path}" if error.is_missing else f"the record {error}"
        raise UserError(f"{problem}; {HOW}") from None


def _schema_version(path: Path, text: str) -> object:
    """What the document says is its schema; None where it says nothing of one."""
    try:
        document = parse_json(text)
    except ValueError as error:
        raise UserError(f"the record {path} cannot be read: {error}; {HOW}") from None
    return document.get("schema") if isinstance(document, dict) else None


def _mistakes(error: ValidationError) -> Iterator[str]:
    """A line for each of the first mistakes, and how many more there are."""
    details = error.errors(include_url=False)
    yield from (f"  {_place(detail)}: {detail['msg']}" for detail in details[:MOST])
    if len(details) > MOST:
        yield f"  and {len(details) - MOST} more"


def _place(detail: ErrorDetails) -> str:
    """Where in the document, such as ``items -> relu[float32] -> failures -> 0 -> example``."""
    parts = list(detail["loc"])
    if parts[0] == "items":  # what stands behind the id names the kind of item, which the document does not
        del parts[2:3]
    return " -> ".join(map(str, parts))
