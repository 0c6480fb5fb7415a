"""The gate: what a project declares and one executor, opened together for a run; trying a case or a model in it."""

from __future__ import annotations

import contextlib
import sys
import time
import zlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from harness.core import Case, KnownIssue, Level, NotCompared
from harness.errors import UserError
from harness.execution import Executor
from harness.failure_database import FailureDatabase
from harness.failure_scripts import FailureScriptWriter
from harness.golden import release_of
from harness.models import (
    ImageCall,
    KnownLoss,
    LossLookup,
    Model,
    ModelExecutor,
    ModelOutcome,
    ModelTrial,
    OperatorReplayer,
    Skipped,
    WayToRun,
    issues_of_model,
    match_operator,
)
from harness.preflight import check_factories
from harness.project import Project
from harness.script_runner import ScriptRunner
from harness.settings import Settings
from harness.trial import (
    Baseline,
    Outcome,
    Reviewer,
    Trial,
    applicable_known_issues,
    double_backward_of_other_releases,
    known_issues_of_other_releases,
    missing_kernel,
    reason_not_callable,
)

NOT_COMPARED: Final = "two builds are compared by operators; models run without --eq-against"
"""Why a model does not run where two builds are compared."""


@dataclass
class Gate:
    """Everything one process needs to try cases. A context manager: the workers live between enter and exit.

    Raises UserError for a mistake in what the project declares.
    """

    settings: Settings
    project: Project = field(init=False)
    executor: Executor = field(init=False)
    model_executor: ModelExecutor = field(init=False)
    baseline: Executor | None = field(default=None, init=False)
    _workers: contextlib.ExitStack = field(default_factory=contextlib.ExitStack, init=False)
    _script_runner: ScriptRunner = field(init=False)
    _scripts: FailureScriptWriter = field(init=False)
    _deadline: float | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.project = Project(self.settings.root)
        self.executor = Executor(
            self.project.levels,
            python=self.settings.python,
            preload=self.settings.preload,
            limit=self.settings.profile.limit,
            names=self.settings.levels or None,
            in_process=self.settings.in_process,
            hosts=self.settings.hosts,
        )
        self.model_executor = ModelExecutor(self.executor, self.settings.profile.limit)
        if self.settings.against is not None:
            self.baseline = Executor(
                self.project.levels,
                python=self.settings.baseline_python,
                limit=self.settings.profile.limit,
                names=self.settings.levels or None,
            )
        self._script_runner = ScriptRunner(self.settings.python or sys.executable)
        self._scripts = FailureScriptWriter(self.settings, self._runs_here, self._is_late, self._script_runner.run)

    def __enter__(self) -> Self:
        """Start the workers. Raises UserError where the build under test cannot be used."""
        try:
            self._open_executors()
        except ModuleNotFoundError as error:  # a run in this process loads the library under test here
            raise UserError(f"{sys.executable} has no {error.name}; a run in this process needs torch") from None
        if self.settings.budget is not None:
            self._deadline = time.monotonic() + self.settings.budget
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.model_executor.close()
        self._workers.close()

    def _open_executors(self) -> None:
        """Start the workers of both builds at once, and wait for them."""
        with contextlib.ExitStack() as stack:
            stack.callback(self._script_runner.close)
            if self.baseline is not None:
                stack.callback(self.baseline.close)
                self.baseline.start()
            stack.enter_context(self.executor)
            if self.baseline is not None:
                stack.enter_context(self.baseline)
            self._workers = stack.pop_all()

    @property
    def arrays(self) -> Path:
        """The folder in which covering arrays are kept."""
        return self.settings.root / ".equivalence" / "arrays"

    def item_seed(self, case: Case, dtype: str) -> int:
        """The seed of one item's drawn examples, which follows from that of the run."""
        return zlib.crc32(f"{self.settings.seed}:{case.id}[{dtype}]".encode())

    def try_case(self, case: Case, dtype: str, share: float = 1.0) -> Outcome:
        """One trial. `share` is this item's part of what is left of the time budget."""
        if lacking := self.executor.missing_packages(case):
            return Outcome(case.id, dtype, notes=[f"not available: {lacking}"])
        if lack := self.missing_callable(case, dtype):
            return Outcome(case.id, dtype, lack=lack)
        failure_database = FailureDatabase(self.settings.root, case, dtype)
        trial = Trial(
            case,
            dtype,
            self.executor,
            self.known_issues_of(case, dtype),
            self.settings.profile,
            seed=self.item_seed(case, dtype),
            saved=failure_database.load() if self.settings.profile.recalls and not self.settings.rediscover else (),
            deadline=self._item_deadline(share),
            arrays=self.arrays,
            corpus=self.project.home_of(case).golden.corpus(case),
            may_lack=self.may_lack(case, dtype),
            baseline=self._baseline_of(case, dtype),
            rediscovers=self.settings.rediscover,
            missing_double_backward=self.project.home_of(case).missing_double_backwards.of(
                case.id, release_of(self.executor.build.torch)
            ),
        )
        outcome = trial.run()
        outcome.lost_levels = [*self.executor.lost_levels]
        self._add_scripts(outcome, case, dtype)
        outcome.not_compared += self._facts_of_other_releases(case, dtype)
        is_whole = outcome.complete and outcome.is_whole  # what was cut short has not shown that nothing fails any more
        if outcome.failures or is_whole:
            outcome.notes += filter(None, [failure_database.save([failure.example for failure in outcome.failures])])
        has_golden = dtype in case.dtypes and self.project.home_of(case).golden.is_kept
        if has_golden and outcome.complete and not outcome.lack and self.baseline is None:
            self._compare_with_golden(outcome, case, dtype)
        return outcome

    def try_model(self, model: Model, way: WayToRun, share: float = 1.0) -> ModelOutcome:
        """One trial of a model. `share` is this item's part of what is left of the time budget."""
        if self.baseline is not None:
            return ModelOutcome(model.id, str(way), skipped={"every level": Skipped(NOT_COMPARED)})
        if lacking := check_factories(self.model_executor, [model]).get(model.id):
            return ModelOutcome(model.id, str(way), skipped={"every level": Skipped(lacking)})
        outcome = ModelTrial(
            model,
            way,
            self.model_executor,
            issues_of_model(self.project.home_of(model).model_known_issues, model.id, self.executor.build.torch),
            seed=self.settings.seed,
            draws=self.settings.profile.draws(model.draws),
            deadline=self._item_deadline(share),
            replay_operator=OperatorReplayer(self.executor, self.project.operators, self.known_issues_of).replay,
        ).run()
        outcome.lost_levels = [*self.executor.lost_levels]
        return outcome

    def known_loss(self, call: ImageCall, cells: Collection[str]) -> KnownLoss | None:
        """What golden/ knows of the operator of a call that loses channels-last in these cells; None: nothing.

        Several cases may make the call, and what is known may be known of one of them. Raises UserError for a mistake
        in a suite of operators, or in what is known of them.
        """
        if call.function_call is None:
            return None
        for case in self.project.operators():
            if match := match_operator([case], [call.function_call]):
                home = self.project.home_of(case)
                lookup = LossLookup(home.golden.contract(case), home.known_issues, self.executor.build.torch)
                if loss := lookup.find(*match, cells):
                    return loss
        return None

    def observe_case(self, case: Case, dtype: str) -> Outcome:
        """No trial: what an update of golden/ writes of this item."""
        outcome = Outcome(case.id, dtype, notes=["observed for golden/, and not judged"])
        if dtype not in case.dtypes or self.executor.missing_packages(case):
            return outcome
        outcome.lack = self.missing_callable(case, dtype)
        if not outcome.lack and self.may_lack(case, dtype):
            outcome.lack = missing_kernel(case, dtype, self.executor, self.known_issues_of(case, dtype))
        if not outcome.lack:
            known_issues = self.known_issues_of(case, dtype)
            golden = self.project.home_of(case).golden
            outcome.golden = Reviewer(case, dtype, self.executor, known_issues, golden).observe()
        return outcome

    def verified_releases(self, cases: Iterable[Case]) -> list[str] | None:
        """The releases with which golden/ of every suite of these cases was verified; None: nothing is kept."""
        by_suite = {case.id.partition("::")[0]: case for case in cases}
        kept = [(self.project.home_of(case).golden, case) for case in by_suite.values()]
        lists = [
            golden.contract(case).verified for golden, case in kept if golden.is_kept and golden.contract(case).file
        ]
        return [release for release in lists[0] if all(release in each for each in lists)] if lists else None

    def _facts_of_other_releases(self, case: Case, dtype: str) -> Iterator[NotCompared]:
        """What is known of the item in other releases of PyTorch than this one."""
        home, torch = self.project.home_of(case), self.executor.build.torch
        yield from known_issues_of_other_releases(home.known_issues.entries, case.id, dtype, torch)
        if dtype == "float64":
            yield from double_backward_of_other_releases(home.missing_double_backwards, case.id, torch)

    def may_lack(self, case: Case, dtype: str) -> bool:
        """Whether the PyTorch under test may be without what the item runs: golden/ has seen it in others only."""
        return self._may_be_without(case, dtype, self.executor)

    def _may_be_without(self, case: Case, dtype: str, executor: Executor) -> bool:
        golden = self.project.home_of(case).golden
        return golden.is_kept and golden.may_lack(case, dtype, release_of(executor.build.torch))

    def _baseline_of(self, case: Case, dtype: str) -> Baseline | None:
        """The build that this item is compared with; None where there is none."""
        if self.baseline is None:
            return None
        torch, entries = self.baseline.build.torch, self.project.home_of(case).known_issues.entries
        return Baseline(
            name=f"PyTorch {torch}",
            executor=self.baseline,
            known_issues=applicable_known_issues(entries, case.id, dtype, torch),
            every_issue=[entry for entry in entries if entry.is_of(case.id, dtype)],
            lack=reason_not_callable(case, self.baseline),
            may_lack=self._may_be_without(case, dtype, self.baseline),
        )

    def may_lack_case(self, case: Case) -> bool:
        """Whether the PyTorch under test may be without the case in each of its dtypes."""
        return all(self.may_lack(case, dtype) for dtype in case.dtypes)

    def missing_callable(self, case: Case, dtype: str) -> str:
        """What the release lacks of what the item calls, where it may: a callable, an argument; empty: nothing."""
        return "; ".join(self.executor.check(case)) if self.may_lack(case, dtype) else ""

    def known_issues_of(self, case: Case, dtype: str) -> Sequence[KnownIssue]:
        """The known issues of this case and dtype for the PyTorch under test."""
        entries = self.project.home_of(case).known_issues.entries
        return applicable_known_issues(entries, case.id, dtype, self.executor.build.torch)

    def _compare_with_golden(self, outcome: Outcome, case: Case, dtype: str) -> None:
        """Compare with golden/; the time is the trial's."""
        started = time.monotonic()
        known_issues, golden = self.known_issues_of(case, dtype), self.project.home_of(case).golden
        outcome.golden = Reviewer(case, dtype, self.executor, known_issues, golden).review()
        outcome.not_compared += outcome.golden.not_compared
        outcome.seconds += time.monotonic() - started

    def _add_scripts(self, outcome: Outcome, case: Case, dtype: str) -> None:
        """A script for each of its failures; the time is the trial's."""
        started = time.monotonic()
        outcome.failures = self._scripts.add_scripts(case, dtype, outcome.failures)
        outcome.seconds += time.monotonic() - started

    def _runs_here(self) -> dict[str, Level]:
        """The levels that a script can be run at on this machine: ATen's cap above what its CPU has crashes."""
        elsewhere = {cell.name for cell in self.executor.cells if cell.host in self.executor.hosts}
        lacking = {*elsewhere, *self.executor.unavailable, *self.executor.lost_levels}
        return {level.name: level for level in self.project.levels if level.name not in lacking}

    def _is_late(self) -> bool:
        """Whether the time budget is spent."""
        return self._deadline is not None and time.monotonic() >= self._deadline

    def _item_deadline(self, share: float) -> float | None:
        """When this item must end, on the monotonic clock; None without a time budget."""
        if self._deadline is None:
            return None
        now = time.monotonic()
        return now + max(self._deadline - now, 0.0) * share
