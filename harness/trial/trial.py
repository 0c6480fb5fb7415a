"""A trial: one case in one dtype, from its declared corners to its minimal failures."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.core import Case, CellState, Example, Finding, KnownIssue, MissingDoubleBackward, Observation
from harness.execution import Executor, Result
from harness.generation import corner_coverage, declared_examples
from harness.profiles import Profile
from harness.trial.availability import Availability
from harness.trial.double_backward import has_double_backward, judge_double_backward
from harness.trial.fatal_parts import PartwiseRunner
from harness.trial.judged_result import JudgedResult, disturbance, judge_result
from harness.trial.known_issues import DEATHS
from harness.trial.outcome import Outcome
from harness.trial.plan import Plan, make_plan
from harness.trial.reduction import Reducer
from harness.trial.reproducers import check_reproducer
from harness.trial.trace_selection import select_traced

MOST_REDUCED = 3
"""Faults (oracle, tensor) that one trial reduces; more of them are named without an example."""

MOST_DEATHS = 3
"""After this many crashes or hangs the trial stops: each costs a worker."""

FRESH_WORKERS = 2
"""Fresh workers asked whether a death was the kernel's; the first may have been killed along with the other."""

NOT_EFFECTIVE = "level not effective"
"""Why a pass is untrusted in a cell whose caps do not hold: it is that of another level."""

MOST_TRACED = 8
"""Examples of a trial whose ATen operators are traced; tracing costs more than running."""


@dataclass
class Trial:
    """Runs reproducers, saved failures, declared examples, corners, then drawn examples; judges; reduces what fails.

    `deadline` is a `time.monotonic()` value after which no further example is started (None: no limit); the time that
    making the examples takes is added to it. `arrays` is a directory for covering arrays, `missing_double_backward`
    what is known of a double backward that the case has not. `may_lack`: this release of PyTorch may be without what
    the item runs, for golden/ has seen it in others only.
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
    missing_double_backward: MissingDoubleBackward | None = None
    may_lack: bool = False
    outcome: Outcome = field(init=False)
    _first_failures: dict[tuple[str, str], tuple[Example, Finding]] = field(default_factory=dict, init=False)
    _deaths: int = field(default=0, init=False)
    _confirmed_ends: set[str] = field(default_factory=set, init=False)
    _partwise: PartwiseRunner = field(init=False)

    def __post_init__(self) -> None:
        self._partwise = PartwiseRunner(self.case, self.executor, self.known_issues)

    def run(self) -> Outcome:
        """Everything the profile asks for. Never raises for what a kernel does."""
        started = time.monotonic()
        self.outcome = Outcome(self.case.id, self.dtype)
        if self._is_late():
            self._cut_short("the time budget was reached before this began")
        else:
            self._run_phases()
        self.outcome.seconds = time.monotonic() - started
        return self.outcome

    def _run_phases(self) -> None:
        incidents = len(self.executor.incidents)
        for known_issue in self.known_issues:
            check = check_reproducer(known_issue, self.case, self.dtype, self.executor)
            self.outcome.reproducers[known_issue.name] = check
        plan = self._make_plan()
        self.outcome.examples = Counter(dict.fromkeys(plan.phases, 0))
        examples = []
        availability = Availability()
        for judged in self._judged_results(plan.examples):
            examples.append(judged.example)
            self.outcome.examples[plan.phase(judged.example)] += 1
            availability.note(judged.result)
            self._count(judged)
        if self.may_lack and availability.lack and not self._must_be_refused:
            self.outcome.set_not_available(availability.lack)
            return
        self._reduce_failures(examples)
        self._measure_coverage(examples)
        self._check_double_backward()
        self.outcome.notes += self._partwise.notes
        self.outcome.incidents[:0] = self.executor.incidents[incidents:]

    def _check_double_backward(self) -> None:
        """The double backward, which belongs to the trial in float64."""
        if self.dtype != "float64" or self.profile.saved_only or self._is_late() or not has_double_backward(self.case):
            return
        double = judge_double_backward(self.case, self.executor, self.missing_double_backward, tuple(self.known_issues))
        self.outcome.double, self.outcome.faults = double.state, list(double.faults)
        self.outcome.examples["double backward"] = double.examples

    @property
    def _must_be_refused(self) -> bool:
        """Whether every call must raise."""
        return self.dtype in self.case.unsupported

    def _is_late(self) -> bool:
        return self.deadline is not None and time.monotonic() >= self.deadline

    def _cut_short(self, why: str) -> None:
        self.outcome.complete = False
        self.outcome.notes.append(why)

    def _make_plan(self) -> Plan:
        """What is run. The time that making it takes is not the trial's."""
        started = time.monotonic()
        plan = make_plan(
            self.case,
            self.dtype,
            profile=self.profile.for_refusals() if self._must_be_refused else self.profile,
            saved=self.saved,
            seed=self.seed,
            arrays=self.arrays,
        )
        if self.deadline is not None:
            self.deadline += time.monotonic() - started
        return plan

    def _judged_results(self, examples: Sequence[Example]) -> Iterator[JudgedResult]:
        """Judge in order; examples that are known to kill a cell run there without the part that does."""
        groups: dict[frozenset[str], list[Example]] = {}
        for example in examples:
            groups.setdefault(frozenset(self._partwise.fatal_cells(example)), []).append(example)
        for cells in sorted(groups, key=sorted):
            for judged in self._judged_group(groups[cells], cells):
                yield judged
                if self._must_stop(len(examples)):
                    return

    def _judged_group(self, examples: Sequence[Example], without: Collection[str]) -> Iterator[JudgedResult]:
        kept = [cell.name for cell in self.executor.cells if cell.name not in without]
        if not kept:
            yield from self._judged_parts(examples)
            return
        for result in self.executor.run(self.case, examples, cells=kept, traced=select_traced(examples, MOST_TRACED)):
            self.outcome.skipped.update(result.skipped)
            whole = self._partwise.add_observations(self._undisturbed_result(result, kept))
            yield judge_result(self.case, whole, self.known_issues)

    def _judged_parts(self, examples: Sequence[Example]) -> Iterator[JudgedResult]:
        """Judge examples that must not be run as a whole anywhere, where the reference might die of it too."""
        for example in examples:
            if result := self._partwise.run(example, self._partwise.fatal_cells(example)):
                yield judge_result(self.case, result, self.known_issues)
            else:
                self.outcome.examples["kept from running"] += 1
                self._count_kept_out(example)

    def _undisturbed_result(self, result: Result, cells: Collection[str]) -> Result:
        """The result, or a fresh worker's where the first was ended from outside: then the fault does not come back."""
        kind = disturbance(result)
        if not kind or kind in self._confirmed_ends:
            return result
        for _ in range(FRESH_WORKERS):
            fresh = self.executor.run_isolated(self.case, result.example, cells=cells)
            if not disturbance(fresh):
                about = result.example.to_json()
                note = f"the {kind} did not come back in a fresh worker, whose answer counts: {about}"
                self.outcome.incidents.append(note)
                return fresh
        self._confirmed_ends.add(kind)
        return result

    def _must_stop(self, planned: int) -> bool:
        done = self.outcome.examples.total()
        if done < planned and self._is_late():
            self._cut_short(f"the time budget was reached after {done} of {planned} examples")
        elif done < planned and self._deaths >= MOST_DEATHS:
            self._cut_short(f"stopped after {self._deaths} crashes or hangs, {done} of {planned} examples done")
        return not self.outcome.complete

    def _count(self, judged: JudgedResult) -> None:
        """Add one example's states, kernels, ratios and failures to the outcome."""
        outcome = self.outcome
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
            outcome.operators.update(observation.operators)
        for finding in judged.failures:
            self._first_failures.setdefault(finding.key, (judged.example, finding))
            self._deaths += finding.oracle in DEATHS

    def _count_kept_out(self, example: Example, observations: Sequence[Observation] = ()) -> None:
        """What a known crash or hang keeps from running: all of the example in a cell, or a part of it.

        A cell in which it was not run at all counts as a known issue there; the others have the state of their
        judgement.
        """
        ran = {observation.cell for observation in observations}
        in_parts = {observation.cell for observation in observations if observation.omitted}
        issues: set[str] = set()
        for cell in self._partwise.fatal_cells(example):
            if cell not in ran:
                self.outcome.count_state(cell, CellState.KNOWN_ISSUE)
            elif cell in in_parts:
                self.outcome.in_parts[cell] += 1
            else:
                continue
            issues.update(issue.id for issue in self._partwise.issues(example, cell))
        self.outcome.known_issues.update(issues)

    def _reduce_failures(self, done: Sequence[Example]) -> None:
        """One minimal failure for each (oracle, tensor), the first few of them."""
        reducer = Reducer(
            self.case, self.executor, self.known_issues, self.profile.attempts, self._is_late, self._partwise
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
