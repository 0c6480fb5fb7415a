"""A trial: one case in one dtype, from its declared corners to its minimal failures."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from harness.core import (
    Case,
    CellState,
    Example,
    FactDifference,
    Finding,
    KnownIssue,
    MissingDoubleBackward,
    Observation,
    ReproducerCheck,
    ReproducerState,
)
from harness.core.case import RARE_PATHS
from harness.execution import Executor
from harness.generation import corner_coverage, declared_examples
from harness.golden import CorpusCase
from harness.profiles import Profile
from harness.trial.against import Baseline, BuildComparer
from harness.trial.availability import Availability
from harness.trial.double_backward import has_double_backward, judge_double_backward
from harness.trial.example_runner import ExampleRunner
from harness.trial.judged_result import JudgedResult
from harness.trial.known_issues import DEATHS
from harness.trial.outcome import Outcome
from harness.trial.plan import GuidedPlan, make_plan
from harness.trial.rediscovery import Rediscovery
from harness.trial.reduction import Reducer
from harness.trial.reproducers import send_reproducer

MOST_REDUCED = 3
"""Faults (oracle, tensor) that one trial reduces; more of them are named without an example."""

MOST_DEATHS = 3
"""After this many crashes or hangs the trial stops: each costs a worker."""

NOT_EFFECTIVE = "level not effective"
"""Why a pass is untrusted in a cell whose caps do not hold: it is that of another level."""


@dataclass
class Trial:
    """Runs saved failures, the corpus, declared examples, corners, then drawn ones, the reproducers beside; judges.

    What fails is reduced.

    `deadline` is a `time.monotonic()` value after which no further example is started (None: no limit); the time that
    making the plan takes is added to it. `arrays` is a directory for covering arrays, `corpus` what golden/ keeps of
    the case, `missing_double_backward` what is known of a double backward that it has not. `may_lack`: this release of
    PyTorch may be without what the item runs, for golden/ has seen it in others only. `baseline` is a build that this
    one is compared with: then only what is new in this one fails. `rediscovers`: no reproducer is run and no known
    crash kept from running; the outcome says which example met each place first.
    """

    case: Case
    dtype: str
    executor: Executor
    known_issues: Sequence[KnownIssue]
    profile: Profile
    seed: int
    saved: Sequence[Example] = ()
    deadline: float | None = None
    arrays: Path | None = None
    corpus: CorpusCase = field(default_factory=CorpusCase)
    missing_double_backward: MissingDoubleBackward | None = None
    may_lack: bool = False
    baseline: Baseline | None = None
    rediscovers: bool = False
    outcome: Outcome = field(init=False)
    _first_failures: dict[tuple[str, str], tuple[Example, Finding]] = field(default_factory=dict, init=False)
    _deaths: int = field(default=0, init=False)
    _runner: ExampleRunner = field(init=False)
    _comparer: BuildComparer | None = field(default=None, init=False)
    _rediscovery: Rediscovery | None = field(default=None, init=False)
    _lacking_paths: tuple[str, ...] = field(default=(), init=False)

    def __post_init__(self) -> None:
        self._runner = ExampleRunner(self.case, self.executor, self.known_issues, self.rediscovers)
        if self.baseline is not None:
            self._comparer = BuildComparer(self.case, self.dtype, self._runner, self.baseline)

    def run(self) -> Outcome:
        """Everything the profile asks for. Never raises for what a kernel does."""
        started = time.monotonic()
        self.outcome = Outcome(self.case.id, self.dtype, against=self._comparer.comparison if self._comparer else None)
        if self._is_late():
            self._run_out_of_time("the time budget was reached before this began")
        else:
            self._run_phases()
        self.outcome.seconds = time.monotonic() - started
        return self.outcome

    def _drop_unavailable_paths(self) -> None:
        """Leave out the ways that this machine cannot go, and say so: what did not run has not passed."""
        for path in self.case.paths_in(self.dtype):
            if lack := self.executor.path_problem(path) if path in RARE_PATHS else "":
                self._lacking_paths = (*self._lacking_paths, path)
                self.outcome.notes.append(f"{path} is not available: {lack}")
        paths = tuple(path for path in self.case.paths if path not in self._lacking_paths)
        self.case = replace(self.case, paths=paths)

    def _run_phases(self) -> None:
        self._drop_unavailable_paths()
        incidents = len(self.executor.incidents)
        checks = self._send_reproducers()
        guided = self._make_plan()
        plan = guided.plan
        if self.rediscovers:
            self._rediscovery = Rediscovery(self.known_issues, plan, self.outcome.meetings)
        self.outcome.examples = Counter(dict.fromkeys(plan.phases, 0))
        examples = []
        availability = Availability()
        for judged in guided.judge_examples(self._judge_examples, self._may_go_on):
            examples.append(judged.example)
            self.outcome.examples[plan.phase(judged.example)] += 1
            availability.note(judged.result)
            self._count(judged)
            if self._must_stop(len(plan.examples)):
                break
        novelty = replace(guided.guide.novelty, corpus_kernels=self.corpus.kernels)
        self.outcome.novelty = novelty if self.profile.fresh else replace(novelty, reached=())
        self.outcome.reproducers = {name: check() for name, check in checks.items()}
        self.outcome.skipped = self._runner.skipped
        self.outcome.incidents += self._runner.incidents
        if self.may_lack and availability.lack and not self._must_be_refused:
            self.outcome.set_not_available(availability.lack)
            self._finish_comparison(is_available=False)
            return
        self._finish_comparison(is_available=True)
        self._reduce_failures(examples)
        self._measure_coverage(examples)
        self._check_double_backward()
        self.outcome.notes += self._runner.partwise.notes
        self.outcome.incidents[:0] = self.executor.incidents[incidents:]

    def _judge_examples(self, examples: Sequence[Example]) -> Iterator[JudgedResult]:
        return (self._comparer or self._runner).judge_examples(examples, self._note_not_run)

    def _send_reproducers(self) -> dict[str, Callable[[], ReproducerCheck]]:
        """By the name of the known issue, what waits for its reproducer, which runs beside the examples.

        None where the examples are to find by themselves what they show.
        """
        return {
            known_issue.name: self._send_reproducer(known_issue)
            for known_issue in (() if self.rediscovers else self.known_issues)
        }

    def _send_reproducer(self, known_issue: KnownIssue) -> Callable[[], ReproducerCheck]:
        if (path := known_issue.reproducer.path) in self._lacking_paths:
            unchecked = ReproducerCheck(ReproducerState.NOT_CHECKED, f"{path} is not available")
            return lambda: unchecked
        return send_reproducer(known_issue, self.case, self.dtype, self.executor)

    def _finish_comparison(self, *, is_available: bool) -> None:
        """End the comparison with the baseline, if there is one."""
        if self._comparer is None:
            return
        if is_available:
            self._comparer.finish(is_complete=self.outcome.complete)
        else:
            self._comparer.comparison.drop_findings()

    def _check_double_backward(self) -> None:
        """The double backward, which belongs to the trial in float64."""
        if self.dtype != "float64" or self.profile.saved_only or self._is_late() or not has_double_backward(self.case):
            return
        double = judge_double_backward(self.case, self.executor, self.missing_double_backward, tuple(self.known_issues))
        self.outcome.double, self.outcome.faults = double.state, self._new_faults(double.faults)
        self.outcome.examples["double backward"] = double.examples

    def _new_faults(self, faults: Sequence[FactDifference]) -> list[FactDifference]:
        """Those that the baseline does not have in the same words."""
        if self.baseline is None or self.baseline.lack or not faults:
            return list(faults)
        issues = tuple(self.baseline.known_issues)
        double = judge_double_backward(self.case, self.baseline.executor, self.missing_double_backward, issues)
        return [fault for fault in faults if fault not in double.faults]

    @property
    def _must_be_refused(self) -> bool:
        """Whether every call must raise."""
        return self.dtype in self.case.unsupported

    def _is_late(self) -> bool:
        return self.deadline is not None and time.monotonic() >= self.deadline

    def _run_out_of_time(self, why: str) -> None:
        self.outcome.out_of_time = True
        self._cut_short(why)

    def _cut_short(self, why: str) -> None:
        self.outcome.complete = False
        self.outcome.notes.append(why)

    @property
    def _needs_few(self) -> bool:
        """Whether few examples do: calls that are refused, have nothing in them, or go the way of a batch of one."""
        return self._must_be_refused or self.case.is_empty or self.case.has_unbatched_results

    @property
    def _saved_here(self) -> list[Example]:
        """The saved failures that can be run here."""
        return [example for example in self.saved if example.path not in self._lacking_paths]

    def _make_plan(self) -> GuidedPlan:
        """What is run. The time that making it takes is not the trial's."""
        started = time.monotonic()
        plan = make_plan(
            self.case,
            self.dtype,
            profile=self.profile.for_refusals() if self._needs_few else self.profile,
            saved=[*self._saved_here, *(self._comparer.reproducers() if self._comparer else ())],
            seed=self.seed,
            arrays=self.arrays,
            corpus=self.corpus,
        )
        if self.deadline is not None:
            self.deadline += time.monotonic() - started
        return plan

    def _must_stop(self, planned: int) -> bool:
        done = self.outcome.examples.total()
        if done < planned and self._is_late():
            self._run_out_of_time(f"the time budget was reached after {done} of {planned} examples")
        elif done < planned and self._every_death >= MOST_DEATHS:
            self._cut_short(f"stopped after {self._every_death} crashes or hangs, {done} of {planned} examples done")
        return not self.outcome.complete

    def _may_go_on(self) -> bool:
        """Whether more may be planned than what every run of this size has."""
        return not self._is_late() and self._every_death < MOST_DEATHS

    @property
    def _every_death(self) -> int:
        """Workers that examples have ended, in the baseline too."""
        return self._deaths + (self._comparer.deaths if self._comparer else 0)

    def _count(self, judged: JudgedResult) -> None:
        """Add one example's states, kernels, ratios and failures to the outcome."""
        outcome = self.outcome
        if self._rediscovery is not None:
            self._rediscovery.note(judged)
        for cell, state in judged.states().items():
            misplaced = state is CellState.PASSED and cell in self.executor.ineffective
            outcome.count_state(cell, CellState.UNTRUSTED if misplaced else state)
            if misplaced:
                outcome.untrusted[NOT_EFFECTIVE] += 1
        outcome.untrusted.update(judged.judgement.untrusted.keys())
        outcome.known_issues.update({name for name, _ in judged.partition.accepted})
        self._count_kept_out(judged.example, judged.result.observations)
        for (cell, tensor), ratio in judged.judgement.ratios.items():
            if ratio <= 1 or (cell, tensor) not in judged.accepted_pairs:
                outcome.keep_worst_ratio(tensor, ratio)
        for observation in judged.result.observations:
            outcome.count_kernels(observation.cell, observation.kernels)
            outcome.note_operators(observation)
        for finding in judged.failures:
            self._first_failures.setdefault(finding.key, (judged.example, finding))
            self._deaths += finding.oracle in DEATHS

    def _note_not_run(self, example: Example) -> None:
        """An example of which nothing can be run anywhere."""
        self.outcome.examples["kept from running"] += 1
        self._count_kept_out(example)

    def _count_kept_out(self, example: Example, observations: Sequence[Observation] = ()) -> None:
        """What a known crash or hang keeps from running: all of the example in a cell, or a part of it.

        A cell in which it was not run at all counts as a known issue there; the others have the state of their
        judgement.
        """
        ran = {observation.cell for observation in observations}
        in_parts = {observation.cell for observation in observations if observation.omitted}
        issues: set[str] = set()
        for cell in self._runner.partwise.fatal_cells(example):
            if cell not in ran:
                self.outcome.count_state(cell, CellState.KNOWN_ISSUE)
            elif cell in in_parts:
                self.outcome.in_parts[cell] += 1
            else:
                continue
            issues.update(issue.id for issue in self._runner.partwise.issues(example, cell))
        self.outcome.known_issues.update(issues)

    def _reduce_failures(self, done: Sequence[Example]) -> None:
        """One minimal failure for each (oracle, tensor), the first few of them."""
        comparer = self._comparer
        reducer = Reducer(
            self.case,
            self.executor,
            self.known_issues if comparer is None else comparer.explaining_issues,
            self.profile.attempts,
            self._is_late,
            self._runner.partwise,
            is_elsewhere=None if comparer is None else comparer.is_in_baseline,
        )
        declared = declared_examples(self.case, self.dtype)
        whys = {example.to_json(): corner.why for example, corner in zip(declared, self.case.examples, strict=True)}
        failures = list(self._first_failures.values())
        for example, finding in failures[:MOST_REDUCED]:
            before = done[: done.index(example)]
            self.outcome.failures.append(reducer.reduce(example, finding, whys.get(example.to_json(), ""), before))
        for _, finding in failures[MOST_REDUCED:]:
            self.outcome.notes.append(f"also failed: {finding.oracle} of {finding.tensor}: {finding.message}")
        if self.outcome.failures and self._is_late():
            self.outcome.notes.append("the time budget was reached: a smaller example may fail too")

    def _measure_coverage(self, done: Sequence[Example]) -> None:
        if self._must_be_refused:  # that every combination is refused is not what the few examples are for
            return
        share = corner_coverage(self.case, self.dtype, done)
        self.outcome.coverage = {
            "pairs": share.pairs_covered,
            "of": share.pairs_total,
            "triples": share.triples_covered,
            "of_triples": share.triples_total,
        }
