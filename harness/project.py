"""What a project declares: ISA levels, suites of cases and of models, known issues and golden data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from harness.core import Case, Level
from harness.errors import UserError
from harness.golden import Golden, KnownIssues, MissingDoubleBackwards, load_known_issues, load_missing_double_backwards
from harness.models import Model, ModelKnownIssue, ModelSuite, load_file, load_model_known_issues
from harness.resources import resource, resource_files
from harness.suites import Suite, load_levels


@dataclass
class Project:
    """The declarations below `root`; what the project does not have itself is taken as shipped with the package.

    Raises UserError for a mistake in the levels or in what is known, which are read at once. Suites are read when they
    are asked for, each file once.
    """

    root: Path
    levels: tuple[Level, ...] = field(init=False)
    known_issues: KnownIssues = field(init=False)
    missing_double_backwards: MissingDoubleBackwards = field(init=False)
    model_known_issues: tuple[ModelKnownIssue, ...] = field(init=False)
    golden: Golden = field(init=False)
    _files: dict[Path, Suite | ModelSuite] = field(default_factory=dict, init=False)
    _operators: tuple[Case, ...] | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.levels = load_levels(resource(self.root, "suites/isa.yaml"))
        self.missing_double_backwards = load_missing_double_backwards(
            resource(self.root, "golden/double_backward.yaml")
        )
        self.known_issues = load_known_issues(resource_files(self.root, "golden/issues"))
        self.model_known_issues = load_model_known_issues(resource(self.root, "golden/models.yaml"))
        self.golden = Golden(self.root)

    def cases(self, files: Iterable[Path]) -> dict[str, Case]:
        """The cases of these suite files by id. Raises UserError as `suites` does."""
        return {case.id: case for cases in self.suites(files).values() for case in cases}

    def suites(self, files: Iterable[Path]) -> dict[Path, tuple[Case, ...]]:
        """The cases by file; files of models are left out.

        Raises UserError with every mistake in any of the files; what is known of cases that do not exist is one too.
        """
        suites = {path: content.cases for path, content in self._read(files).items() if isinstance(content, Suite)}
        cases = {case.id: case for suite in suites.values() for case in suite}
        self.known_issues.check(cases, self.levels, self.root)
        self.golden.load(cases.values())
        self.missing_double_backwards.check(cases, self.root)
        return suites

    def models(self, files: Iterable[Path]) -> dict[Path, tuple[Model, ...]]:
        """The models that these files declare, by file; files of cases are left out. Raises UserError."""
        return {path: content.models for path, content in self._read(files).items() if isinstance(content, ModelSuite)}

    def operators(self) -> tuple[Case, ...]:
        """The cases of ``suites/operators``, with which a fault in a model is explained. Raises UserError."""
        if self._operators is None:
            self._operators = tuple(self.cases(resource_files(self.root, "suites/operators")).values())
        return self._operators

    def _read(self, files: Iterable[Path]) -> dict[Path, Suite | ModelSuite]:
        """What the files declare, each read once. Raises UserError with every mistake in any of them."""
        problems: list[str] = []
        contents: dict[Path, Suite | ModelSuite] = {}
        for path in files:
            try:
                contents[path] = self._files.get(path) or load_file(path, self.root)
            except UserError as error:
                problems.append(str(error))
        if problems:
            raise UserError("\n".join(problems))
        self._files |= contents
        return contents
