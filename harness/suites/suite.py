"""A suite file: all of its cases, or all of its mistakes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.core import Case
from harness.suites.cases import build_cases, case_names, derived_names
from harness.suites.document import Document, display_path, read_document
from harness.suites.entry import Entry
from harness.suites.mistakes import DeclarationError
from harness.suites.positions import Location
from harness.suites.repair import repair_entries
from harness.suites.schema import CaseSchema, DefaultsSchema, SuiteSchema
from harness.suites.validation import Examination, Report, validate_part


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
    examination = examine_suite(document)
    examination.raise_if_any()
    return Suite(document.path, document.data["suite"], document.data.get("about", ""), examination.sound)


def examine_suite(document: Document) -> Examination[Case]:
    """The cases of a document that have no mistake, and all mistakes of the others and of the document itself."""
    report = Report(document)
    try:
        sound = tuple(_sound_cases(document, report))
    except DeclarationError as error:
        return Examination((), error.mistakes, is_complete=error.is_complete)
    return Examination(sound, tuple(report.mistakes))


def _sound_cases(document: Document, report: Report) -> Iterator[Case]:
    """The cases without a mistake; all mistakes go to the report, which raises DeclarationError for too many."""
    validate_part(report, SuiteSchema, document.data)
    report.next_look()
    lines: dict[str, int] = {}
    suite = str(document.data.get("suite", "")) if isinstance(document.data, dict) else ""
    for key, repaired, defaults in repair_entries(document, "cases", CaseSchema, DefaultsSchema):
        entry = Entry(key, repaired.schema, defaults.schema, wrong=repaired.wrong | defaults.wrong)
        is_sound = repaired.is_whole and defaults.is_whole and not report.has_mistake_in(entry.location, ("defaults",))
        attempts = report.attempts
        cases = _cases(entry, report, lines, suite)
        if is_sound and report.attempts == attempts:
            yield from cases


def _cases(entry: Entry, report: Report, lines: dict[str, int], suite: str) -> list[Case]:
    """The cases of one entry; one whose name is taken, with the line that is in `lines`, is a mistake."""
    cases = list(build_cases(entry, report, report.document.name, suite))
    for case in cases:
        if case.name in lines:
            message = f"a case is already called {case.name!r}, on line {lines[case.name]}"
            report.add(_place(entry, case), message, key=entry.schema.names is None)
        lines.setdefault(case.name, case.line)
    return cases


def _place(entry: Entry, case: Case) -> Location:
    """The key of a case that stands alone; of a family the last of the names that make it, in whatever form."""
    if entry.schema.names is None:
        return entry.location
    names = case_names(entry)
    last = max(index for index, name in enumerate(names) if case.name in derived_names(name))
    return (*entry.location, "names", last)
