"""The gate: suites, levels, golden data and one executor, opened together for a run."""

from __future__ import annotations

import sys
import time
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from harness.core import Case, Finding, KnownIssue, Level
from harness.errors import UserError
from harness.execution import Executor
from harness.failure_database import FailureDatabase
from harness.generation import arguments, declared_examples, positional, ranges, sampled_examples, shapes, terms
from harness.golden import Golden, KnownIssues, MissingDoubleBackwards, load_known_issues, load_missing_double_backwards
from harness.models import (
    Call,
    Model,
    ModelExecutor,
    ModelKnownIssue,
    ModelOutcome,
    ModelSuite,
    ModelTrial,
    Skipped,
    concerned_models,
    load_file,
    load_model_known_issues,
    match_operator,
    model_arguments,
    model_examples,
    model_shapes,
    worth_matching,
)
from harness.resources import collection, data
from harness.settings import Settings
from harness.suites import Suite, load_levels
from harness.trial import Outcome, Trial, concerned, observed, reviewed, rule

REHEARSED = 60
"""Examples of each case drawn before anything runs, to see that its sizes, shapes and arguments go together."""


@dataclass
class Gate:
    """Everything one process needs to try cases. A context manager: the workers live between enter and exit."""

    settings: Settings
    levels: tuple[Level, ...] = field(init=False)
    known_issues: KnownIssues = field(init=False)
    missing_double_backwards: MissingDoubleBackwards = field(init=False)
    model_known_issues: tuple[ModelKnownIssue, ...] = field(init=False)
    golden: Golden = field(init=False)
    executor: Executor = field(init=False)
    model_executor: ModelExecutor = field(init=False)
    _deadline: float | None = field(default=None, init=False)
    _declared: dict[Path, Suite | ModelSuite] = field(default_factory=dict, init=False)
    _operators: list[Case] | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        """Read levels and known issues. Raises UserError for a mistake in either."""
        root = self.settings.root
        self.levels = load_levels(data(root, "suites/isa.yaml"))
        self.missing_double_backwards = load_missing_double_backwards(data(root, "golden/double_backward.yaml"))
        self.known_issues = load_known_issues(collection(root, "golden/issues"))
        self.model_known_issues = load_model_known_issues(data(root, "golden/models.yaml"))
        self.golden = Golden(root)
        self.executor = Executor(
            self.levels,
            python=self.settings.python,
            preload=self.settings.preload,
            limit=self.settings.profile.limit,
            names=self.settings.levels or None,
            in_process=self.settings.in_process,
        )
        self.model_executor = ModelExecutor(self.executor, self.settings.profile.limit)

    def __enter__(self) -> Self:
        """Start the workers. Raises UserError where the build under test cannot be used."""
        try:
            self.executor.__enter__()
        except ModuleNotFoundError as error:  # a run in this process loads the library under test here
            raise UserError(f"{sys.executable} has no {error.name}; a run in this process needs torch") from None
        if self.settings.budget is not None:
            self._deadline = time.monotonic() + self.settings.budget
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.executor.__exit__(kind, error, trace)

    def cases(self, files: Iterable[Path]) -> dict[str, Case]:
        """The cases of these suite files by id; known issues that name what does not exist are mistakes too."""
        return {case.id: case for cases in self.suites(files).values() for case in cases}

    def suites(self, files: Iterable[Path]) -> dict[Path, tuple[Case, ...]]:
        """The same by file; files of models are left out. Every mistake in any of the files is in the UserError."""
        found = {file: one.cases for file, one in self._read(files).items() if isinstance(one, Suite)}
        cases = {case.id: case for cases in found.values() for case in cases}
        self.known_issues.check(cases, self.levels, self.settings.root)
        self.golden.load(cases.values())
        self.missing_double_backwards.check(cases, self.settings.root)
        return found

    def models(self, files: Iterable[Path]) -> dict[Path, tuple[Model, ...]]:
        """The models that these files declare, by file; files of cases are left out. Raises UserError."""
        return {file: one.models for file, one in self._read(files).items() if isinstance(one, ModelSuite)}

    def _read(self, files: Iterable[Path]) -> dict[Path, Suite | ModelSuite]:
        """What the files declare, each read once. Every mistake in any of them is in the UserError."""
        problems, found = [], {}
        for file in files:
            try:
                found[file] = self._declared.get(file) or load_file(file, self.settings.root)
            except UserError as error:
                problems.append(str(error))
        if problems:
            raise UserError("\n".join(problems))
        self._declared |= found
        return found

    def rehearse(self, cases: Iterable[Case], models: Iterable[Model] = ()) -> None:
        """Draw a few examples of each; no worker is needed. Raises UserError with all problems at once."""
        problems = [problem for case in cases for problem in _undrawable(case)]
        problems += [problem for model in models for problem in _unmakeable(model)]
        if problems:
            raise UserError("\n".join(problems))

    def check(self, cases: Iterable[Case]) -> dict[str, str]:
        """Ask a worker whether every callable and argument exists. Raises UserError with all problems at once.

        Those of which a package is missing here are left out: what is missing, by the id of the case.
        """
        cases = list(cases)
        missing = {case.id: lacking for case in cases if (lacking := self.executor.lacking(case))}
        problems = [
            f"{case.id.partition('::')[0]}:{case.line}: {case.name}: {problem}"
            for case in cases
            if case.id not in missing
            for problem in self.executor.check(case)
        ]
        if problems:
            raise UserError("\n".join(problems))
        return missing

    def check_models(self, models: Iterable[Model]) -> dict[str, str]:
        """Ask a worker for every factory: what is missing here, by the id of the model that needs it.

        Raises UserError with all factories that cannot be had.
        """
        problems, missing = [], {}
        for model in models:
            lacking, problem = self.model_executor.check(model)
            if problem:
                problems.append(f"{model.id.partition('::')[0]}:{model.line}: {model.name}: {problem}")
            elif lacking:
                missing[model.id] = lacking
        if problems:
            raise UserError("\n".join(problems))
        return missing

    def try_model(self, model: Model, item: tuple[str, str, str], share: float = 1.0) -> ModelOutcome:
        """One trial of a model. `share` is this item's part of what is left of the time budget."""
        if lacking := self.check_models([model]).get(model.id):
            return ModelOutcome(model.id, "-".join(item), skipped={"every level": Skipped(lacking)})
        return ModelTrial(
            model,
            item,
            self.model_executor,
            concerned_models(self.model_known_issues, model.id, self.executor.build.torch),
            seed=self.settings.seed,
            draws=self.settings.profile.draws(model.draws),
            deadline=self._item_deadline(share),
            explain=self._explained,
        ).run()

    def try_case(self, case: Case, dtype: str, share: float = 1.0) -> Outcome:
        """One trial. `share` is this item's part of what is left of the time budget."""
        if lacking := self.executor.lacking(case):
            return Outcome(case.id, dtype, notes=[f"not available: {lacking}"])
        failures_file = FailureDatabase(self.settings.root, case, dtype)
        trial = Trial(
            case,
            dtype,
            self.executor,
            self.known(case, dtype),
            self.settings.profile,
            seed=zlib.crc32(f"{self.settings.seed}:{case.id}[{dtype}]".encode()),
            saved=failures_file.load() if self.settings.profile.recalls else (),
            deadline=self._item_deadline(share),
            arrays=self.settings.root / ".equivalence" / "arrays",
            missing_double_backward=self.missing_double_backwards.of(case.id),
        )
        outcome = trial.run()
        if outcome.failures or outcome.complete:  # what was cut short has not shown that nothing fails any more
            failures_file.save([failure.example for failure in outcome.failures])
        if outcome.complete and dtype in case.dtypes and self.golden.is_kept:
            self._review(outcome, case, dtype)
        return outcome

    def _review(self, outcome: Outcome, case: Case, dtype: str) -> None:
        """Compare with golden/; the time is the trial's."""
        started = time.monotonic()
        outcome.golden = reviewed(case, dtype, self.executor, self.known(case, dtype), self.golden)
        outcome.seconds += time.monotonic() - started

    def observe(self, case: Case, dtype: str) -> Outcome:
        """No trial: what an update of golden/ writes of this item."""
        outcome = Outcome(case.id, dtype, notes=["observed for golden/, and not judged"])
        if dtype in case.dtypes and not self.executor.lacking(case):
            outcome.golden = observed(case, dtype, self.executor, self.known(case, dtype), self.golden)
        return outcome

    def _explained(
        self, calls: Sequence[Call], wrong: Sequence[Finding], cell: str
    ) -> tuple[str, str, tuple[str, ...]]:
        """The operator example that makes one of these calls, ``failed`` or ``passed``, its known issues."""
        if self._operators is None:
            self._operators = list(self.cases(collection(self.settings.root, "suites/operators")).values())
        found = match_operator(self._operators, calls)
        if found is None or self.executor.lacking(found[0]) or self.executor.check(found[0]):
            return "", "", ()
        case, example = found
        for fill in dict.fromkeys((example.fill, *case.fills)):
            example = example.but(fill=fill)
            judged = rule(case, self.executor.isolated(case, example, cells=[cell]), self.known(case, example.dtype))
            if judged.failures or judged.partition.accepted:
                known = () if judged.failures else worth_matching(judged.partition.accepted, wrong)
                return example.to_json(), "failed", known
        return found[1].to_json(), "passed", ()

    def known(self, case: Case, dtype: str) -> Sequence[KnownIssue]:
        """The known issues of this case and dtype for the PyTorch under test."""
        return concerned(self.known_issues.entries, case.id, dtype, self.executor.build.torch)

    def header(self) -> list[str]:
        """What is tested, where, and the proof of each level: the lines that open a report."""
        build, executor = self.executor.build, self.executor
        lines = [
            f"under test: PyTorch {build.torch}, oneDNN {build.onednn}, NumPy {build.numpy}, Python {build.python}",
            f"cpu: {build.cpu}",
        ]
        lines += [f"level {cell.name}: {_proof(cell.proof)}" for cell in executor.cells]
        lines += [f"level {name}: the same as {same}" for name, same in executor.aliases.items()]
        lines += [f"level {name}: not available: {reason}" for name, reason in self._unavailable().items()]
        lines += [f"level {name}: NOT EFFECTIVE: {reason}" for name, reason in executor.ineffective.items()]
        profile = self.settings.profile
        return [*lines, f"profile: {profile.name}, seed {self.settings.seed}, 1 and 2 threads"]

    def described(self) -> tuple[dict[str, str], dict[str, Any], dict[str, dict[str, str]]]:
        """Build, run and levels as the record keeps them."""
        executor, profile = self.executor, self.settings.profile
        build = {name: str(value) for name, value in asdict(executor.build).items() if name != "flags"}
        run = {**asdict(profile), "profile": profile.name, "seed": self.settings.seed}
        levels: dict[str, dict[str, str]] = {
            cell.name: {"state": "run", "why": _proof(cell.proof)} for cell in executor.cells
        }
        for state, names in (("alias of", executor.aliases), ("not available", self._unavailable())):
            levels |= {name: {"state": state, "why": why} for name, why in names.items()}
        return build, run, levels

    def _unavailable(self) -> dict[str, str]:
        """The levels this CPU lacks, those of other architectures left out."""
        here = {level.name for level in self.levels if level.architecture in self.executor.build.platform}
        return {name: why for name, why in self.executor.unavailable.items() if name in here}

    def _item_deadline(self, share: float) -> float | None:
        if self._deadline is None:
            return None
        now = time.monotonic()
        return now + max(self._deadline - now, 0.0) * share


def _proof(proof: Mapping[str, str]) -> str:
    return "; ".join(f"{library} {said}" for library, said in proof.items())


def _unmakeable(model: Model) -> Iterator[str]:
    """Why no example of the model can be made, if so."""
    try:
        for example in model_examples(model, model.items[0], 0, REHEARSED):
            model_shapes(model, example)
            model_arguments(model, example)
    except UserError as error:
        yield str(error)


def _undrawable(case: Case) -> Iterator[str]:
    """Why no example of the case can be made, if so; one reason is enough."""
    try:
        drawn = sampled_examples(case, case.dtypes[0], REHEARSED)
        for example in [*declared_examples(case, case.dtypes[0]), *drawn]:
            shapes(case, example)
            positional(case, example)
            arguments(case, example)
            for dtype in case.every_dtype:
                ranges(case, example.but(dtype=dtype))
            terms(case, example)
    except UserError as error:
        yield str(error)
