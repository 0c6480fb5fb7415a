"""Reading `golden/issues/`, and checking that each entry names what exists."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.core import Case, Example, KnownIssue, Level
from harness.errors import did_you_mean
from harness.golden.issues.fit import describe_misfit
from harness.golden.issues.notes import Notes
from harness.golden.issues.schema import KnownIssueSchema, KnownIssuesSchema
from harness.portable.tensor_name import TensorKind, parse
from harness.suites import DeclarationError, Location, Mistake, load_suite, read_validated, suggestion


@dataclass(frozen=True)
class KnownIssues:
    """The entries of all files together."""

    files: tuple[KnownIssuesFile, ...]

    @property
    def entries(self) -> tuple[KnownIssue, ...]:
        """Every entry, in the order of the files."""
        return tuple(entry for file in self.files for entry in file.entries)

    def check(self, cases: Mapping[str, Case], levels: Iterable[Level], root: Path) -> None:
        """Raise DeclarationError for every entry that names what does not exist, or has the id of another."""
        project = _Project(dict(cases), {level.name for level in levels}, root)
        mistakes = [*self._repeated_ids(), *(mistake for file in self.files for mistake in file.mistakes(project))]
        if mistakes:
            raise DeclarationError(mistakes)

    def _repeated_ids(self) -> Iterable[Mistake]:
        first: dict[str, Path] = {}
        for file in self.files:
            for entry in file.entries:
                if first.setdefault(entry.id, file.path) != file.path:
                    message = f"{first[entry.id].as_posix()} has a known issue {entry.id!r} already; give it another id"
                    yield file.notes.mistake(entry.id, message)


@dataclass(frozen=True)
class KnownIssuesFile:
    """The entries of one file, with the place of each for messages."""

    notes: Notes
    entries: tuple[KnownIssue, ...]

    @property
    def path(self) -> Path:
        """The file."""
        return self.notes.path

    def mistakes(self, project: _Project) -> list[Mistake]:
        """Every entry that names a case, tensor, dtype, cell or size that does not exist.

        A suite that is not among the cases already loaded is loaded from below the root. A file from elsewhere, as it
        is shipped, is of other suites than those below the root, and is not checked against them.
        """
        if not self.path.resolve().is_relative_to(project.root.resolve()):
            return []
        return [mistake for entry in self.entries for mistake in self._mistakes(entry, project)]

    def _mistakes(self, entry: KnownIssue, project: _Project) -> Iterable[Mistake]:
        def mistake(message: str, *location: str | int) -> Mistake:
            """A mistake in this entry, or in something below it."""
            return self.notes.mistake(entry.id, message, *location)

        yield from (
            mistake(f"there is no level {cell!r}{suggestion(cell, sorted(project.levels))}", "cells")
            for cell in entry.cells
            if cell not in project.levels
        )
        for name in entry.cases:
            case = project.case(name)
            if case is None:
                yield mistake(f"there is no case {name!r}{did_you_mean(name, project.cases)}", "case")
            else:
                yield from (mistake(message, *location) for message, location in _case_mistakes(entry, case))


@dataclass
class _Project:
    """What there is to name: the cases of the suites that are loaded, or lie below the root, and the levels."""

    cases: dict[str, Case]
    levels: set[str]
    root: Path

    def case(self, name: str) -> Case | None:
        """The case of that id, its suite read if need be; None where there is none. Raises DeclarationError."""
        file, _, _ = name.partition("::")
        if name not in self.cases and file.endswith(".yaml") and (self.root / file).is_file():
            self.cases.update({case.id: case for case in load_suite(self.root / file, self.root).cases})
        return self.cases.get(name)


def load_known_issues(paths: Iterable[Path]) -> KnownIssues:
    """Read the files. Raises DeclarationError with all mistakes: YAML, types, conditions, versions, reproducers."""
    return KnownIssues(tuple(_load_file(path) for path in paths))


def _load_file(path: Path) -> KnownIssuesFile:
    schema, positions = read_validated(path, KnownIssuesSchema, "list of known issues")
    notes = Notes(path, positions)
    entries = [_known_issue(name, fields, notes) for name, fields in schema.issues.items()]
    notes.raise_if_any()
    return KnownIssuesFile(notes, tuple(entry for entry in entries if entry is not None))


def _known_issue(name: str, schema: KnownIssueSchema, notes: Notes) -> KnownIssue | None:
    when, reproducer = notes.condition(name, schema.when), None
    try:
        reproducer = Example.from_json(schema.reproducer)
    except ValueError as error:
        notes.add(name, f"the reproducer does not parse: {error}", "reproducer")
    notes.releases(name, schema.torch)
    if when is None or reproducer is None:
        return None
    fields = {field: value for field, value in schema if field not in ("case", "when", "reproducer")}
    return KnownIssue(id=name, cases=schema.case, when=when, reproducer=reproducer, line=notes.line(name), **fields)


def _case_mistakes(entry: KnownIssue, case: Case) -> Iterable[tuple[str, Location]]:
    """What an entry says that its case does not have."""
    reproducer, names = entry.reproducer, _condition_names(case)
    for dtype in entry.dtypes:
        if dtype not in case.every_dtype:
            yield f"{case.name} is not run in {dtype}", ("dtypes",)
    for name in sorted(entry.when.names - set(names)):
        yield f"{case.name} has no {name!r}{suggestion(name, names)}", ("when",)
    yield from ((message, ("tensors",)) for message in _tensor_mistakes(entry.tensors, case))
    if reproducer.case not in entry.cases or reproducer.dtype not in entry.dtypes:
        yield (
            f"the reproducer is of {reproducer.case}[{reproducer.dtype}], not of this entry's case and dtypes",
            ("reproducer",),
        )
    elif reproducer.case != case.id:
        return
    elif problem := describe_misfit(case, reproducer):
        yield f"the reproducer does not fit the case: {problem}", ("reproducer",)
    elif not entry.holds(reproducer):
        yield f"the condition {entry.when.text!r} is not true of the reproducer", ("when",)


def _tensor_mistakes(names: Iterable[str], case: Case) -> Iterator[str]:
    """What is said of names that no tensor of an observation has."""
    tensors = [spec.name for spec in case.tensors]
    for text in names:
        kind, of = parse(text)
        name = of if kind in (TensorKind.GRADIENT, TensorKind.BUFFER) else text
        returned = kind is TensorKind.OUTPUT or (kind is TensorKind.TANGENT and "jvp" in case.paths)
        if "*" not in text and not returned and name not in tensors:
            yield f"{case.name} has no tensor {name!r}{suggestion(name, tensors)}"


def _condition_names(case: Case) -> Sequence[str]:
    tensors = [spec.name for spec in case.tensors]
    return [
        *(size.name for size in case.sizes),
        *("dtype", "fill", "threads", "inplace", "path"),
        *(f"layout_{name}" for name in [*tensors, "grad_output"]),
        *(f"has_{name}" for name in [*tensors, "grad_output"]),
    ]
