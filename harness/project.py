"""What a project declares: ISA levels, suites of cases and of models, known issues and golden data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from harness.core import Case, Level
from harness.errors import UserError
from harness.generation import describe_excess
from harness.golden import (
    DOUBLE_BACKWARD_FILE,
    Golden,
    KnownIssues,
    MissingDoubleBackwards,
    load_known_issues,
    load_missing_double_backwards,
)
from harness.models import Model, ModelKnownIssue, ModelSuite, examine_file, load_file, load_model_known_issues
from harness.resources import SHIPPED, every_suite, is_shipped, resource, resource_files
from harness.suites import Examination, Suite, load_levels

DeclaredT = TypeVar("DeclaredT", Case, Model)


@dataclass
class Project:
    """The declarations below `root`; what the project does not have itself is taken as shipped with the package.

    The shipped suites are a project of their own, `shipped_project`, wherever they are installed: their ids, and the
    known issues and golden data that are true of them, are those that lie beside them. All but the levels is read when
    it is asked for, each file once. A mistake in it is raised as UserError.
    """

    root: Path
    levels: tuple[Level, ...] = field(init=False)
    golden: Golden = field(init=False)
    _files: dict[Path, Suite | ModelSuite] = field(default_factory=dict, init=False)
    _operators: tuple[Case, ...] | None = field(default=None, init=False)
    _shipped_ids: set[str] = field(default_factory=set, init=False)

    def __post_init__(self) -> None:
        self.levels = load_levels(resource(self.root, "suites/isa.yaml"))
        self.golden = Golden(self.root)

    @cached_property
    def shipped_project(self) -> Project:
        """What comes with the package, where that is not this project itself."""
        return Project(SHIPPED)

    @cached_property
    def known_issues(self) -> KnownIssues:
        """What is known of the operators of this project's suites."""
        levels = {level.name: level for level in self.levels}
        if not self._has_known_issues:  # the shipped ones name shipped levels, which a project need not have
            levels = {level.name: level for level in self.shipped_project.levels} | levels
        return load_known_issues(resource_files(self.root, "golden/issues"), tuple(levels.values()))

    @property
    def _has_known_issues(self) -> bool:
        """Whether they are the project's own; a package that is installed somewhere below the root is not."""
        return not is_shipped(resource_files(self.root, "golden/issues")[0], self.root)

    @cached_property
    def missing_double_backwards(self) -> MissingDoubleBackwards:
        """The cases of this project's suites that have no double backward."""
        return load_missing_double_backwards(resource(self.root, DOUBLE_BACKWARD_FILE))

    @cached_property
    def model_known_issues(self) -> tuple[ModelKnownIssue, ...]:
        """What is known of the models of this project's suites."""
        return load_model_known_issues(resource(self.root, "golden/models.yaml"))

    def home_of(self, declared: Case | Model) -> Project:
        """The project that declares a case or a model that was read here: this one or `shipped_project`."""
        return self.shipped_project if declared.id in self._shipped_ids else self

    def cases(self, files: Iterable[Path]) -> dict[str, Case]:
        """The cases of these suite files by id. Raises UserError as `suites` does."""
        return {case.id: case for cases in self.suites(files).values() for case in cases}

    def suites(self, files: Iterable[Path]) -> dict[Path, tuple[Case, ...]]:
        """The cases by file; files of models are left out.

        Raises UserError with every mistake in any of the files; what is known of cases that do not exist is one too.
        """
        own, shipped = self._by_home(files)
        suites = {path: content.cases for path, content in self._read(own).items() if isinstance(content, Suite)}
        if own or not shipped:
            cases = {case.id: case for suite in suites.values() for case in suite}
            if self._has_known_issues:
                self.known_issues.check(cases, self.root)
                self._check_sizes_of_reproducers(cases)
            self.golden.load(cases.values())
            self.missing_double_backwards.check(cases, self.root)
        return self._with_shipped(suites, self.shipped_project.suites(shipped) if shipped else {})

    def _check_sizes_of_reproducers(self, cases: Mapping[str, Case]) -> None:
        """Raise UserError where a reproducer is too large to be run."""
        problems = [
            f"known issue {issue.id} (line {issue.line}): the reproducer does not fit the case: {excess}"
            for issue in self.known_issues.entries
            if (case := cases.get(issue.reproducer.case)) and (excess := describe_excess(case, issue.reproducer))
        ]
        if problems:
            raise UserError("\n".join(problems))

    def examine(self, files: Iterable[Path]) -> Examination[Case | Model]:
        """The cases and models of these files that have no mistake, and every mistake in any of the files."""
        own, shipped = self._by_home(files)
        examinations = [examine_file(path, self.root) for path in own]
        if shipped:
            examinations.append(self.shipped_project.examine(shipped))
        sound = tuple(declared for examination in examinations for declared in examination.sound)
        mistakes = tuple(mistake for examination in examinations for mistake in examination.mistakes)
        return Examination(sound, mistakes, is_complete=all(examination.is_complete for examination in examinations))

    def models(self, files: Iterable[Path]) -> dict[Path, tuple[Model, ...]]:
        """The models that these files declare, by file; files of cases are left out. Raises UserError."""
        own, shipped = self._by_home(files)
        if own:
            _ = self.known_issues, self.model_known_issues  # a mistake in them is raised before any model runs
        models = {path: content.models for path, content in self._read(own).items() if isinstance(content, ModelSuite)}
        return self._with_shipped(models, self.shipped_project.models(shipped) if shipped else {})

    def every_case(self) -> dict[str, Case]:
        """The cases of all suites of the project by id; where it has none, of those that are shipped."""
        return self.cases(every_suite(self.root))

    def operators(self) -> tuple[Case, ...]:
        """The cases of ``suites/operators``, with which a fault in a model is explained. Raises UserError."""
        if self._operators is None:
            self._operators = tuple(self.cases(resource_files(self.root, "suites/operators")).values())
        return self._operators

    def _by_home(self, files: Iterable[Path]) -> tuple[list[Path], list[Path]]:
        """The files of this project and those of `shipped_project`."""
        homes: dict[bool, list[Path]] = {False: [], True: []}
        for path in files:
            homes[is_shipped(path, self.root)].append(path)
        return homes[False], homes[True]

    def _with_shipped(
        self, own: dict[Path, tuple[DeclaredT, ...]], shipped: dict[Path, tuple[DeclaredT, ...]]
    ) -> dict[Path, tuple[DeclaredT, ...]]:
        """Both together. Raises UserError where they have an id in common: a run could not tell the two apart."""
        ids = {declared.id for group in shipped.values() for declared in group}
        if common := sorted(ids & {declared.id for group in own.values() for declared in group}):
            raise UserError(f"{common[0]}: declared below {self.root}, and as shipped; run one of the two at a time")
        self._shipped_ids |= ids
        return own | shipped

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
