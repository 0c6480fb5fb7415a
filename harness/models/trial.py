"""A trial of one model in one way to run it: its examples, what is known of them, and what is left as failures."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from harness.core import Finding, matches
from harness.models.examples import model_examples
from harness.models.executor import ModelExecutor, ModelResult
from harness.models.faulty_module import FaultyModule
from harness.models.judge import judge_model
from harness.models.known_issue import ModelKnownIssue
from harness.models.localise import Localiser, ReplayOperator, replay_nothing
from harness.models.model import Model, ModelExample, ModelObservation, ModelReference, Problem, Skipped
from harness.reporting import LayoutRowRecord
from harness.trial import DEATHS, cell_states, covers_version, subtract_accepted

SHOWN = 3
"""Findings of one example that are told in full; the others are counted."""


@dataclass(frozen=True)
class ModelFailure:
    """One example of a model that is wrong: its findings, the worst of them first, and the modules to blame."""

    example: ModelExample
    findings: tuple[Finding, ...]
    faulty_modules: tuple[FaultyModule, ...] = ()


@dataclass
class ModelOutcome:
    """The counts of one trial. `problem`: one sentence about a model that could not be judged at all.

    `explained` are the modules whose operators are known to do what is wrong with them.
    `layout` has a row for each module call of the first example: path, class, formats in and out, oneDNN reorders.
    `reorders` counts them for each conversion.
    """

    model: str
    item: str
    examples: int = 0
    cells: dict[str, Counter[str]] = field(default_factory=dict)
    failures: list[ModelFailure] = field(default_factory=list)
    known_issues: Counter[str] = field(default_factory=Counter)
    explained: list[FaultyModule] = field(default_factory=list)
    stale: list[str] = field(default_factory=list)
    untrusted: Counter[str] = field(default_factory=Counter)
    skipped: dict[str, Skipped] = field(default_factory=dict)
    hits: dict[str, Counter[str]] = field(default_factory=dict)
    ratios: dict[str, float] = field(default_factory=dict)
    layout: list[LayoutRowRecord] = field(default_factory=list)
    reorders: dict[str, int] = field(default_factory=dict)
    incidents: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    problem: Problem | None = None
    seconds: float = 0.0

    @property
    def status(self) -> str:
        """``failed``, ``known_issue``, ``passed``, ``untrusted``, ``not available`` or ``not run``."""
        checked = sum((counts for counts in self.cells.values()), Counter[str]())
        if self.failures or self.stale or self.problem:
            return "failed"
        if self.known_issues:
            return "known issue"
        if checked["passed"]:
            return "passed"
        if self.untrusted:
            return "untrusted"
        return "not available" if self.skipped else "not run"


ENDINGS: Final = ("error", *DEATHS)
"""Oracles of findings after which a run has nothing more to show."""


@dataclass
class ModelTrial:
    """Runs the examples of one item of a model. `deadline` is a `time.monotonic()` value (None: no limit)."""

    model: Model
    item: tuple[str, str, str]
    model_executor: ModelExecutor
    known_issues: Sequence[ModelKnownIssue]
    seed: int
    draws: int
    deadline: float | None = None
    replay_operator: ReplayOperator = replay_nothing
    _held: set[str] = field(default_factory=set, init=False)
    _ended: bool = field(default=False, init=False)

    def run(self) -> ModelOutcome:
        """All examples. Never raises for what a model or a kernel does."""
        started = time.monotonic()
        self.outcome = ModelOutcome(self.model.id, "-".join(self.item))
        incidents = len(self.model_executor.incidents)
        for example in model_examples(self.model, self.item, self.seed, self.draws):
            if self.deadline is not None and time.monotonic() >= self.deadline:
                self.outcome.notes.append(f"the time budget was reached after {self.outcome.examples} examples")
                break
            self.take(self.model_executor.run(self.model, example))
            if self.outcome.problem:
                break
        self._stale()
        self.outcome.incidents = list(self.model_executor.incidents[incidents:])
        self.outcome.seconds = time.monotonic() - started
        return self.outcome

    def take(self, result: ModelResult) -> None:
        """Judge one result and add it to the outcome."""
        outcome, example = self.outcome, result.example
        outcome.problem = result.problem
        if outcome.problem is not None:
            return
        outcome.examples += 1
        outcome.skipped.update(result.skipped)
        judgement = judge_model(result.reference, result.observations)
        failures, accepted = self._partitioned(judgement.findings, example)
        failures, faulty_modules, explained = self._localise(failures, result)
        accepted += explained
        for cell, state in cell_states(
            (seen.cell for seen in result.observations), judgement, accepted, failures
        ).items():
            outcome.cells.setdefault(cell, Counter())[state] += 1
        outcome.untrusted.update(judgement.untrusted.keys())
        outcome.notes += [note for note in _undecided(result.reference) if note not in outcome.notes]
        for (_cell, tensor), ratio in judgement.ratios.items():
            if ratio <= 1.0:
                outcome.ratios[tensor] = max(ratio, outcome.ratios.get(tensor, 0.0))
        for seen in result.observations:
            outcome.hits.setdefault(seen.cell, Counter()).update(seen.kernels)
        self._report(result.observations)
        if failures:
            outcome.failures.append(ModelFailure(example, tuple(failures), faulty_modules))
            self._confirm(failures, result)

    def _localise(
        self, failures: list[Finding], result: ModelResult
    ) -> tuple[list[Finding], tuple[FaultyModule, ...], list[Finding]]:
        """The failures in order, who is to blame, and what comes from nothing but known faults of operators.

        A fault travels: all that is wrong in values is traced at once, by the worst of it. A lost format is one
        module's.
        """
        ordered = sorted(failures, key=lambda failure: (failure.oracle != "crash", -_worst_ratio(failure)))
        localiser = Localiser(
            self.model_executor, self.model, result.example, result.observations, self.replay_operator
        )
        format_losses = [[failure] for failure in ordered if failure.oracle == "strides"]
        remaining: list[Finding] = []
        explained: list[Finding] = []
        to_blame: list[FaultyModule] = []
        for group in [[failure for failure in ordered if failure.oracle != "strides"], *format_losses]:
            if not group:
                continue
            modules = localiser.faulty_modules(_widest(group)) if len(remaining) < SHOWN else ()
            if modules and all(module.known_issues for module in modules):
                issues = dict.fromkeys(issue for module in modules for issue in module.known_issues)
                self.outcome.known_issues.update(dict.fromkeys(issues, len(group)))
                self.outcome.explained += [module for module in modules if module not in self.outcome.explained]
                explained += group
                continue
            remaining += group
            to_blame += [module for module in modules if not module.known_issues]
        return remaining, tuple(to_blame), explained

    def _confirm(self, failures: Sequence[Finding], result: ModelResult) -> None:
        """Note it where nothing of this comes back in workers that ran nothing before."""
        cells = {cell for one in failures for cell in one.cells}
        again = self.model_executor.run(self.model, result.example, cells=cells, isolated=True)
        keys = {one.key for one in judge_model(again.reference, again.observations).findings}
        if not keys & {one.key for one in failures}:
            where = f"{result.example.to_json()} does not fail in a fresh worker"
            self.outcome.notes.append(f"{where}: what ran before it spoiled the memory, or it fails now and then")

    def _partitioned(self, findings: Iterable[Finding], example: ModelExample) -> tuple[list[Finding], list[Finding]]:
        """The findings that remain failures, and those that an entry accepts."""
        known = [one for one in self.known_issues if one.holds(example)]
        self._held.update(one.id for one in known)
        partition = subtract_accepted(findings, known)
        self.outcome.known_issues.update(name for name, _ in partition.accepted)
        self._ended |= any(finding.oracle in ENDINGS for _, finding in partition.accepted)
        return list(partition.failures), [finding for _, finding in partition.accepted]

    def _stale(self) -> None:
        """The entries whose condition held and that accepted nothing, where everything ran.

        Of a model that is known to raise when converted nothing else can be seen.
        """
        done = self.outcome.examples and not self.outcome.problem and not self.outcome.skipped
        here = {cell for cell, counts in self.outcome.cells.items() if counts}
        for entry in self.known_issues if done else ():
            concerned = any(map(entry.covers, here)) and (entry.oracle in ENDINGS or not self._ended)
            if entry.id in self._held and concerned and not self.outcome.known_issues[entry.id]:
                self.outcome.stale.append(entry.id)

    def _report(self, observations: Sequence[ModelObservation]) -> None:
        """The layout of the first example in its last cell: the highest level."""
        if self.outcome.layout or not observations:
            return
        last = [seen for seen in observations if seen.cell == observations[-1].cell]
        self.outcome.reorders = {seen.conversion: seen.reorders for seen in last}
        self.outcome.layout = layout_rows(last)


def _undecided(reference: ModelReference) -> Iterator[str]:
    """What cannot be compared at all, as one note."""
    names = [name for name, moved in reference.sensitivity.items() if math.isinf(moved) and name in reference.values]
    if names:
        few = ", ".join(names[:SHOWN]) + (", ..." if names[SHOWN:] else "")
        count = f"{len(names)} of {len(reference.values)} tensors"
        yield f"{count} are not judged, because rounding changes what is selected: {few}"


def _worst_ratio(finding: Finding) -> float:
    return max(finding.cells.values(), default=0.0)


def _widest(findings: Sequence[Finding]) -> Finding:
    """The worst finding, in every cell in which one of them shows."""
    cells = {cell: ratio for one in reversed(findings) for cell, ratio in one.cells.items()}
    layouts = tuple(dict.fromkeys(name for one in findings for name in one.layouts))
    return replace(findings[0], cells=cells, layouts=layouts)


def layout_rows(runs: Sequence[ModelObservation]) -> list[LayoutRowRecord]:
    """One row for each module call that got or gave an image: its formats when converted, reorders before and after."""
    plain = next((seen.modules for seen in runs if seen.conversion == "nchw"), ())
    both = next((seen.modules for seen in runs if seen.conversion == "both"), ())
    before = [module.reorders for module in plain] if len(plain) == len(both) else [0] * len(both)
    return [
        LayoutRowRecord(
            module=module.path,
            kind=module.class_name,
            formats_in=" ".join(filter(None, module.input_formats)),
            formats_out=" ".join(filter(None, module.output_formats)),
            reorders_nchw=earlier,
            reorders_nhwc=module.reorders,
        )
        for module, earlier in zip(both, before, strict=True)
        if not module.is_parent and (any(module.input_formats) or any(module.output_formats))
    ]


def issues_of_model(known_issues: Iterable[ModelKnownIssue], model: str, torch: str) -> tuple[ModelKnownIssue, ...]:
    """The entries about this model that the PyTorch version under test is said to have."""
    return tuple(one for one in known_issues if matches(model, one.models) and covers_version(one.torch, torch))
