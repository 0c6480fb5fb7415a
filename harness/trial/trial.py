"""A trial: one case in one dtype, from its declared corners to its minimal failures."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.core import (
    Case,
    CellState,
    Example,
    Finding,
    KnownIssue,
    MissingDoubleBackward,
    ReproducerCheck,
    ReproducerState,
)
from harness.execution import Executor, Result
from harness.generation import corner_examples, coverage, declared_examples, random_examples
from harness.profiles import Profile
from harness.trial.double_backward import has_double_backward, judge_double_backward
from harness.trial.judged_result import JudgedResult, disturbance, rule
from harness.trial.known_issues import DEATHS, fatal, fatal_cells
from harness.trial.outcome import Outcome
from harness.trial.reduction import REPEATS, Reducer
from harness.trial.trace_selection import select_traced

SHRUNK = 3
"""Faults (oracle, tensor) that one trial reduces; more of them are named without an example."""

MOURNED = 3
"""After this many crashes or hangs the trial stops: each costs a worker."""

FRESH = 2
"""Fresh workers asked whether a death was the kernel's; the first may have been killed along with the other."""

TRACED = 8
"""Examples of a trial whose ATen operators are traced; tracing costs more than running."""


@dataclass
class Trial:
    """Runs reproducers, saved failures, declared examples, corners, then drawn examples; judges; reduces what fails.

    `deadline` is a `time.monotonic()` value after which no further example is started (None: no limit); the time that
    making the examples takes is added to it. `arrays` is a directory for covering arrays, `missing_double_backward` what is known of a
    double backward that the case has not.
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
    outcome: Outcome = field(init=False)
    _phases: dict[str, str] = field(default_factory=dict, init=False)
    _first: dict[tuple[str, str], tuple[Example, Finding]] = field(default_factory=dict, init=False)
    _deaths: int = field(default=0, init=False)
    _confirmed: set[str] = field(default_factory=set, init=False)

    def run(self) -> Outcome:
        """Everything the profile asks for. Never raises for what a kernel does."""
        started = time.monotonic()
        self.outcome = Outcome(self.case.id, self.dtype)
        if self._late():
            self._cut("the time budget was reached before this began")
        else:
            self._try()
        self.outcome.seconds = time.monotonic() - started
        return self.outcome

    def _try(self) -> None:
        incidents = len(self.executor.incidents)
        self._replay_reproducers()
        done = []
        for judged in self._judged_results(self._examples()):
            done.append(judged.example)
            self._count(judged)
        self._reduce(done)
        self._measure(done)
        self._differentiate()
        self.outcome.incidents[:0] = self.executor.incidents[incidents:]

    def _differentiate(self) -> None:
        """The double backward, which belongs to the trial in float64."""
        if self.dtype != "float64" or self.profile.saved_only or self._late() or not has_double_backward(self.case):
            return
        double = judge_double_backward(self.case, self.executor, self.missing_double_backward, tuple(self.known_issues))
        self.outcome.double, self.outcome.faults = double.state, list(double.faults)
        self.outcome.examples["double backward"] = double.examples

    @property
    def _refused(self) -> bool:
        """Whether every call must raise."""
        return self.dtype in self.case.unsupported

    def _late(self) -> bool:
        return self.deadline is not None and time.monotonic() >= self.deadline

    def _cut(self, why: str) -> None:
        self.outcome.complete = False
        self.outcome.notes.append(why)

    def _examples(self) -> list[Example]:
        """In the order they run, each once, under the first phase that has it."""
        started = time.monotonic()
        profile = self.profile.for_refusals() if self._refused else self.profile
        phases = {"saved": list(self.saved), "declared": declared_examples(self.case, self.dtype)}
        if not profile.saved_only:
            rows = corner_examples(self.case, self.dtype, profile.strength, self.arrays)
            phases["corners"] = _spread(rows, profile.rows) if profile.rows else rows
            phases["drawn"] = random_examples(self.case, self.dtype, profile.random, self.seed)
        self.outcome.examples = Counter(dict.fromkeys(phases, 0))
        planned: dict[str, Example] = {}
        for phase, examples in phases.items():
            for example in examples:
                if planned.setdefault(example.to_json(), example) is example:
                    self._phases[example.to_json()] = phase
        if self.deadline is not None:
            self.deadline += time.monotonic() - started
        return list(planned.values())

    def _judged_results(self, examples: Sequence[Example]) -> Iterator[JudgedResult]:
        """Judge in order; examples that are known to kill a cell go without that cell."""
        deadly = [fatal_cells(self.known_issues, example) for example in examples]
        groups = {
            cells: [one for one, of in zip(examples, deadly, strict=True) if of == cells] for cells in set(deadly)
        }
        for cells in sorted(groups, key=sorted):
            for judged in self._group(groups[cells], cells):
                yield judged
                if self._stopped(len(examples)):
                    return

    def _group(self, examples: Sequence[Example], without: Collection[str]) -> Iterator[JudgedResult]:
        kept = [cell.name for cell in self.executor.cells if cell.name not in without]
        if not kept:  # the reference would only die of it too
            self.outcome.examples["kept from running"] += len(examples)
            for example in examples:
                self._count_left_out(example)
            return
        for result in self.executor.run(self.case, examples, cells=kept, traced=select_traced(examples, TRACED)):
            self.outcome.skipped.update(result.skipped)
            yield rule(self.case, self._undisturbed(result, kept), self.known_issues)

    def _undisturbed(self, result: Result, cells: Collection[str]) -> Result:
        """The result, or a fresh worker's where the first was ended from outside: then the fault does not come back."""
        kind = disturbance(result)
        if not kind or kind in self._confirmed:
            return result
        for _ in range(FRESH):
            again = self.executor.run_isolated(self.case, result.example, cells=cells)
            if not disturbance(again):
                about = result.example.to_json()
                note = f"the {kind} did not come back in a fresh worker, whose answer counts: {about}"
                self.outcome.incidents.append(note)
                return again
        self._confirmed.add(kind)
        return result

    def _stopped(self, planned: int) -> bool:
        done = self.outcome.examples.total()
        if done < planned and self._late():
            self._cut(f"the time budget was reached after {done} of {planned} examples")
        elif done < planned and self._deaths >= MOURNED:
            self._cut(f"stopped after {self._deaths} crashes or hangs, {done} of {planned} examples done")
        return not self.outcome.complete

    def _count(self, judged: JudgedResult) -> None:
        """Add one example's states, kernels, ratios and failures to the outcome."""
        outcome = self.outcome
        outcome.examples[self._phases[judged.example.to_json()]] += 1
        for cell, state in judged.states().items():
            misplaced = state is CellState.PASSED and cell in self.executor.ineffective
            outcome.count_state(cell, CellState.UNTRUSTED if misplaced else state)
            if misplaced:
                outcome.untrusted["level not effective"] += 1
        outcome.untrusted.update(judged.judgement.untrusted.keys())
        outcome.known_issues.update({name for name, _ in judged.partition.accepted})
        self._count_left_out(judged.example)
        for (cell, tensor), ratio in judged.judgement.ratios.items():
            if ratio <= 1 or (cell, tensor) not in judged.excused:
                outcome.keep_worst_ratio(tensor, ratio)
        for observation in judged.result.observations:
            outcome.count_kernels(observation.cell, observation.kernels)
            outcome.operators.update(observation.operators)
        for finding in judged.failures:
            self._first.setdefault(finding.key, (judged.example, finding))
            self._deaths += finding.oracle in DEATHS

    def _count_left_out(self, example: Example) -> None:
        """A cell in which the example is known to crash counts as a known issue there: it was not run."""
        here = {cell.name for cell in self.executor.cells}
        known = [(one.id, here.intersection(one.cells)) for one in fatal(self.known_issues, example)]
        self.outcome.known_issues.update(name for name, cells in known if cells)
        for cell in sorted(set().union(*(cells for _, cells in known))):
            self.outcome.count_state(cell, CellState.KNOWN_ISSUE)

    def _reduce(self, done: Sequence[Example]) -> None:
        """One minimal failure for each (oracle, tensor), the first few of them."""
        reducer = Reducer(self.case, self.executor, self.known_issues, self.profile.attempts, self._late)
        declared = declared_examples(self.case, self.dtype)
        whys = {example.to_json(): one.why for example, one in zip(declared, self.case.examples, strict=True)}
        for example, finding in list(self._first.values())[:SHRUNK]:
            before = done[: done.index(example)]
            self.outcome.failures.append(reducer.reduce(example, finding, whys.get(example.to_json(), ""), before))
        for _, finding in list(self._first.values())[SHRUNK:]:
            self.outcome.notes.append(f"also failed: {finding.oracle} of {finding.tensor}: {finding.message}")
        if self.outcome.failures and self._late():
            self.outcome.notes.append("the time budget was reached: a smaller example may fail too")

    def _measure(self, done: Sequence[Example]) -> None:
        if self._refused:  # that every combination is refused is not what the few examples are for
            return
        share = coverage(self.case, self.dtype, done)
        self.outcome.coverage = {
            "pairs": share.pairs_covered,
            "of": share.pairs_total,
            "triples": share.triples_covered,
            "of_triples": share.triples_total,
        }

    def _replay_reproducers(self) -> None:
        for known_issue in self.known_issues:
            self.outcome.reproducers[known_issue.id] = self._reproducer(known_issue)

    def _reproducer(self, known_issue: KnownIssue) -> ReproducerCheck:
        """Whether the known issue's reproducer still fails as its entry says, in a worker of its own."""
        here = tuple(cell.name for cell in self.executor.cells if cell.name in known_issue.cells)
        reproducer = known_issue.reproducer
        if (reproducer.case, reproducer.dtype) != (self.case.id, self.dtype):
            item = f"{reproducer.case.rpartition('::')[2]}[{reproducer.dtype}]"
            return ReproducerCheck(ReproducerState.OF_ANOTHER_ITEM, item)
        if not here:
            reason = f"no cell of {', '.join(known_issue.cells)} on this machine"
            return ReproducerCheck(ReproducerState.NOT_CHECKED, reason)
        seen = ""
        # one level is enough to fail at; and what comes and goes is not stale because it stayed away once
        for cells, repeats in dict.fromkeys(((here[:1], 1), (here, 1), (here, REPEATS))):
            result = self.executor.run_isolated(self.case, reproducer, cells=cells, repeats=repeats)
            judged = rule(self.case, result, [known_issue])
            if any(name == known_issue.id for name, _ in judged.partition.accepted):
                return ReproducerCheck(ReproducerState.STILL_FAILS)
            seen = seen or "; ".join(finding.message for finding in judged.failures)
        detail = f"its reproducer does not fail that way any more ({seen or 'it passes'})"
        return ReproducerCheck(ReproducerState.STALE, detail)


def _spread(rows: Sequence[Example], most: int) -> list[Example]:
    """At most that many of the rows, evenly over them all: in the first, the simplest, two formats hardly differ."""
    return list(rows) if len(rows) <= most else [rows[index * len(rows) // most] for index in range(most)]
