"""Reading `golden/issues/`, and checking that each entry names what exists."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.core import Case, KnownFault, KnownIssue, Level, matches
from harness.errors import did_you_mean
from harness.golden.issues.naming import place_mistakes
from harness.golden.issues.notes import Notes
from harness.golden.issues.places import build_fault
from harness.golden.issues.schema import KnownIssuesSchema
from harness.suites import DeclarationError, Location, Mistake, load_suite, read_validated


@dataclass(frozen=True)
class KnownIssues:
    """The faults of all files together."""

    files: tuple[KnownIssuesFile, ...]

    @property
    def faults(self) -> tuple[KnownFault, ...]:
        """Every fault, in the order of the files."""
        return tuple(fault for file in self.files for fault in file.faults)

    @property
    def entries(self) -> tuple[KnownIssue, ...]:
        """Every place of every fault."""
        return tuple(place for fault in self.faults for place in fault.places)

    def fault(self, name: str) -> KnownFault | None:
        """The fault of that id."""
        return next((fault for fault in self.faults if fault.id == name), None)

    def check(self, cases: Mapping[str, Case], root: Path) -> None:
        """Raise DeclarationError for every entry that names what does not exist, or has the id of another."""
        project = _Project.of(cases, root)
        mistakes = [*self._repeated_ids(), *(mistake for file in self.files for mistake in file.mistakes(project))]
        if mistakes:
            raise DeclarationError(mistakes)

    def _repeated_ids(self) -> Iterable[Mistake]:
        first: dict[str, Path] = {}
        for file in self.files:
            for fault in file.faults:
                if first.setdefault(fault.id, file.path) != file.path:
                    message = f"{first[fault.id].as_posix()} has a known issue {fault.id!r} already; give it another id"
                    yield file.notes.mistake(fault.id, message)


@dataclass(frozen=True)
class KnownIssuesFile:
    """The faults of one file, with the place of each for messages."""

    notes: Notes
    faults: tuple[KnownFault, ...]

    @property
    def path(self) -> Path:
        """The file."""
        return self.notes.path

    def mistakes(self, project: _Project) -> list[Mistake]:
        """Every place that names a case, tensor, dtype or size that does not exist.

        A suite that is not among the cases already loaded is loaded from below the root. A file from elsewhere, as it
        is shipped, is of other suites than those below the root, and is not checked against them.
        """
        if not self.path.resolve().is_relative_to(project.root.resolve()):
            return []
        places = [(place, ("where", index)) for fault in self.faults for index, place in enumerate(fault.places)]
        return [
            self.notes.mistake(place.id, message, *at, *location)
            for place, at in places
            for message, location in self._mistakes(place, project)
        ]

    def _mistakes(self, place: KnownIssue, project: _Project) -> Iterable[tuple[str, Location]]:
        matched: dict[str, Case] = {}
        for index, pattern in enumerate(place.cases):
            if cases := project.matching_cases(pattern):
                matched |= cases
            else:
                yield f"there is no case {pattern!r}{did_you_mean(pattern, project.cases)}", ("cases", index)
        if matched:
            yield from place_mistakes(place, matched)


@dataclass
class _Project:
    """What there is to name: the cases of the suites that are loaded, or lie below the root."""

    suites: dict[str, dict[str, Case]]
    root: Path

    @classmethod
    def of(cls, cases: Mapping[str, Case], root: Path) -> _Project:
        """The project with these cases loaded."""
        suites: dict[str, dict[str, Case]] = {}
        for name, case in cases.items():
            suites.setdefault(name.partition("::")[0], {})[name] = case
        return cls(suites, root)

    @property
    def cases(self) -> list[str]:
        """The ids of all cases that are loaded."""
        return [name for suite in self.suites.values() for name in suite]

    def matching_cases(self, pattern: str) -> dict[str, Case]:
        """The cases that the pattern matches, their suite read if need be. Raises DeclarationError."""
        file = pattern.partition("::")[0]
        if file not in self.suites and (self.root / file).is_file():
            self.suites[file] = {case.id: case for case in load_suite(self.root / file, self.root).cases}
        suites = [cases for suite, cases in self.suites.items() if matches(suite, [file])]
        return {name: case for cases in suites for name, case in cases.items() if matches(name, [pattern])}


def load_known_issues(paths: Iterable[Path], levels: Sequence[Level]) -> KnownIssues:
    """Read the files. Raises DeclarationError with all mistakes: YAML, types, levels, conditions, releases."""
    return KnownIssues(tuple(_load_file(path, levels) for path in paths))


def _load_file(path: Path, levels: Sequence[Level]) -> KnownIssuesFile:
    schema, positions = read_validated(path, KnownIssuesSchema, "list of known issues")
    notes = Notes(path, positions)
    faults = tuple(build_fault(name, fields, notes, levels) for name, fields in schema.issues.items())
    notes.raise_if_any()
    return KnownIssuesFile(notes, faults)
