"""A suite file: all of its cases, or all of its mistakes."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from harness.core import Case
from harness.suites.cases import build_cases, case_names
from harness.suites.depth import names_with_depth
from harness.suites.document import Document, display_path, read_document
from harness.suites.entry import Entry
from harness.suites.positions import Location
from harness.suites.schema import CaseSchema, DefaultsSchema, SuiteSchema
from harness.suites.validation import Report, SchemaT, validate_part


@dataclass(frozen=True)
class Suite:
    """What one file declares. `cases` are in the order of the file."""

    path: Path
    name: str
    about: str
    cases: tuple[Case, ...]


def load_suite(path: Path | str, root: Path | str) -> Suite:
    """Read a suite file; case ids name it relative to `root`. Raises DeclarationError with every mistake in it."""
    return build_suite(read_document(path, "suite", display_path(Path(path), Path(root))))


def build_suite(document: Document) -> Suite:
    """The cases of a document, whose ids begin with its shown name.

    Raises DeclarationError with every mistake in it.
    """
    report = Report(document)
    checked = validate_part(report, SuiteSchema, document.data)
    report.next_look()
    cases = _cases(document, report)
    report.raise_if_any()
    assert checked is not None  # noqa: S101 - the report was empty, so the data fitted
    return Suite(document.path, checked.suite, checked.about, tuple(cases))


def _cases(document: Document, report: Report) -> list[Case]:
    lines: dict[str, int] = {}
    cases = []
    suite = str(document.data.get("suite", "")) if isinstance(document.data, dict) else ""
    for entry in _entries(document):
        for case in build_cases(entry, report, document.name, suite):
            if case.name in lines:
                message = f"a case is already called {case.name!r}, on line {lines[case.name]}"
                report.add(_place(entry, case), message, key=entry.schema.names is None)
            lines.setdefault(case.name, case.line)
            cases.append(case)
    return cases


def _place(entry: Entry, case: Case) -> Location:
    """The key of a case that stands alone; of a family the last of the names that make it, over images or volumes."""
    if entry.schema.names is None:
        return entry.location
    names = case_names(entry)
    last = max(index for index, name in enumerate(names) if case.name in names_with_depth(name))
    return (*entry.location, "names", last)


def _entries(document: Document) -> Iterator[Entry]:
    """The entries whose meaning can be looked at: those that fit the schema, unknown keys aside."""
    data = document.data if isinstance(document.data, dict) else {}
    defaults = _without_unknown(DefaultsSchema, data.get("defaults", {}))
    written = data.get("cases")
    if defaults is None or not isinstance(written, dict):
        return
    for key, value in written.items():
        schema = _without_unknown(CaseSchema, value)
        if schema is not None:
            yield Entry(key, schema, defaults)


def _without_unknown(schema: type[SchemaT], data: Any) -> SchemaT | None:
    """`data` as `schema`, unknown keys left out; None where something else is wrong with it."""
    try:
        return schema.model_validate(data)
    except ValidationError as error:
        unknown = [detail["loc"] for detail in error.errors() if detail["type"] == "extra_forbidden"]
        if len(unknown) < error.error_count():
            return None
        pruned = copy.deepcopy(data)
        for location in unknown:
            _remove(pruned, location)
        return schema.model_validate(pruned)


def _remove(data: Any, location: Location) -> None:
    """Remove what is at a place, whose tags of unions begin as no key does."""
    *above, last = (step for step in location if not str(step).startswith("<"))
    for step in above:
        data = data[step]
    data.pop(last, None)
