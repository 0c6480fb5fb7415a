"""Reading a record from its file, with every mistake at its place."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from harness.core.json_text import count_values, parse_json
from harness.core.text_file import UnreadableFileError, is_there, read_text_file
from harness.errors import UserError
from harness.reporting.journal import is_journal, journal_path, parse_journal
from harness.reporting.record import SCHEMA, Record, parse_item

HOW: Final = "run the whole gate (`pytest suites`, or `tox -e equivalence`), or name its record with --record"
"""How to get a record that can be read."""

MOST_VALUES: Final = 1_000_000
"""Values of a record; ten times as many as that of a whole gate has."""

MOST_ITEM_VALUES: Final = 20_000
"""Values of an item of a record; thirty times as many as the largest of a whole gate."""

MOST_COUNTED: Final = 10_000
"""Mistakes of a record that are counted."""

MOST: Final = 5
"""Mistakes of one document that are shown; where one field is wrong it is so in every item."""


def read_record(path: Path) -> Record:
    """The record in a file; where a run was ended before it wrote one, what its journal has, which is not complete.

    Raises UserError where there is none, where it is no JSON or of another schema, and with the place of each mistake
    where it does not fit the schema.
    """
    path, text = _read_text(path)
    if is_journal(text):
        return parse_journal(path, text).record()
    document = _parse(path, text)
    version = document.get("schema") if isinstance(document, dict) else None
    if version != SCHEMA:
        raise UserError(f"{path} is no record of schema {SCHEMA} (its schema: {version!r}); {HOW}")
    _check_items(path, document)
    try:
        return Record.model_validate_json(text)
    except ValidationError as error:
        raise _misfit(path, list(_mistakes(error))) from None


def _misfit(path: Path, mistakes: Sequence[str]) -> UserError:
    """The error for a record with these mistakes."""
    return UserError("\n".join([f"the record {path} does not fit its schema:", *mistakes, HOW]))


def read_operator_record(path: Path) -> Record:
    """The record in a file, which has an operator's item at least. Raises UserError as `read_record` does, and then."""
    record = read_record(path)
    if not record.operators:
        raise UserError(f"the record {path} holds no item of an operator; {HOW}")
    return record


def _read_text(path: Path) -> tuple[Path, str]:
    """The file and its text. Where there is no record, but the journal of a run that was ended, it is that."""
    journal = journal_path(path)
    try:
        path = journal if is_there(journal) and not is_there(path) else path
        return path, read_text_file(path)
    except UnreadableFileError as error:
        problem = f"there is no record {path}" if error.is_missing else f"the record {error}"
        raise UserError(f"{problem}; {HOW}") from None


def _parse(path: Path, text: str) -> object:
    """What the text of a record says. Raises UserError for what is no JSON, and for more than a record holds."""
    try:
        document = parse_json(text)
    except ValueError as error:
        raise UserError(f"the record {path} cannot be read: {error}; {HOW}") from None
    if (values := count_values(document)) > MOST_VALUES:
        raise UserError(f"the record {path} cannot be read: it has {values} values, and at most {MOST_VALUES}; {HOW}")
    return document


def _check_items(path: Path, document: object) -> None:
    """Raise UserError for an item that is too large, and where items have more than `MOST_COUNTED` mistakes.

    They are read one after the other, because pydantic would first look for all mistakes of all of them.
    """
    items = document.get("items") if isinstance(document, dict) else None
    count = 0
    for name, item in items.items() if isinstance(items, dict) else ():
        if (values := count_values(item)) > MOST_ITEM_VALUES:
            raise _misfit(path, [f"  items -> {name}: it has {values} values, and an item at most {MOST_ITEM_VALUES}"])
        try:
            parse_item(json.dumps(item))
        except ValidationError as error:
            count += error.error_count()
            if count > MOST_COUNTED:
                before = f"  and more than {MOST_COUNTED} in the items before it"
                raise _misfit(path, [*_mistakes(error, "items", name), before]) from None


def _mistakes(error: ValidationError, *above: str) -> Iterator[str]:
    """A line for each of the first mistakes, and how many more there are. What was read lies below `above`."""
    details = error.errors(include_url=False)
    yield from (f"  {_place((*above, *detail['loc']))}: {detail['msg']}" for detail in details[:MOST])
    if len(details) > MOST:
        yield f"  and {len(details) - MOST} more"


def _place(location: Sequence[int | str]) -> str:
    """Where in the document, such as ``items -> relu[float32] -> failures -> 0 -> example``."""
    parts = list(location)
    if parts[0] == "items":  # what stands behind the id names the kind of item, which the document does not
        del parts[2:3]
    return " -> ".join(map(str, parts))
