"""A trial of one model in one way to run it: its examples, what is known of them, and what is left as failures."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from harness.core import Finding, Judgement, matches
from harness.models.attribution import attribute_findings
from harness.models.examples import model_examples
from harness.models.executor import ModelExecutor, ModelResult
from harness.models.judge import judge_model
from harness.models.known_issue import ModelKnownIssue
from harness.models.layout_report import layout_rows
from harness.models.localise import Localiser, ReplayOperator, replay_nothing
from harness.models.model import FULL_CONVERSION, Model, ModelObservation, ModelReference, WayToRun
from harness.models.module_layout import module_layouts
from harness.models.outcome import ModelFailure, ModelOutcome, is_of_run, shows_converted
from harness.trial import DEATHS, cell_states, covers_version, subtract_accepted

NAMED: Final = 3
"""Tensors that are named of those that cannot be judged; the others are counted."""

ENDINGS: Final = ("error", *DEATHS)
"""Oracles of findings after which a run has nothing more to show."""


@dataclass
class ModelTrial:
    """Runs the examples of a model in one way to run it. `deadline` is a `time.monotonic()` value (None: no limit).

    `replay_operator` tells whether what is wrong with a module is known of the operator that it calls.
    """

    model: Model
    way: WayToRun
    model_executor: ModelExecutor
    known_issues: Sequence[ModelKnownIssue]
    seed: int
    draws: int
    deadline: float | None = None
    replay_operator: ReplayOperator = replay_nothing
    outcome: ModelOutcome = field(init=False)
    _applicable: set[str] = field(default_factory=set, init=False)
    """The ids of the known issues whose condition was true of some example."""
    _is_cut_short: bool = field(default=False, init=False)
    """Whether a known issue accepted something after which a run has nothing more to show."""

    def run(self) -> ModelOutcome:
        """All examples. Never raises for what a model or a kernel does."""
        started = time.monotonic()
        self.outcome = ModelOutcome(self.model.id, str(self.way), weights=self.model.weights)
        incidents = len(self.model_executor.incidents)
        for example in model_examples(self.model, self.way, self.seed, self.draws):
            if self.deadline is not None and time.monotonic() >= self.deadline:
                self.outcome.out_of_time = True
                self.outcome.notes.append(f"the time budget was reached after {self.outcome.examples} examples")
                break
            self.take(self.model_executor.run(self.model, example))
            if self.outcome.problem is not None:
                break
        self.outcome.stale = self._stale_entries()
        self.outcome.incidents = list(self.model_executor.incidents[incidents:])
        self.outcome.seconds = time.monotonic() - started
        return self.outcome

    def take(self, result: ModelResult) -> None:
        """Judge one result and add it to the outcome."""
        outcome = self.outcome
        outcome.problem = result.problem
        if outcome.problem is not None:
            return
        outcome.examples += 1
        outcome.skipped.update(result.skipped)
        judgement = judge_model(result.reference, result.observations)
        unknown, accepted = self._subtract_known(judgement.findings, result)
        localiser = Localiser(
            self.model_executor, self.model, result.example, result.observations, self.replay_operator
        )
        attribution = attribute_findings(unknown, localiser)
        outcome.known_issues.update(attribution.known_issues)
        outcome.explained += [module for module in attribution.explaining_modules if module not in outcome.explained]
        if any(finding.oracle in DEATHS and shows_converted(finding) for finding in attribution.explained):
            outcome.known_deaths.update(attribution.known_issues)
        self._count(result, judgement, [*accepted, *attribution.explained], attribution.failures)
        if attribution.failures:
            failures, modules = tuple(attribution.failures), tuple(attribution.faulty_modules)
            outcome.failures.append(ModelFailure(result.example, failures, modules, attribution.not_localised))
            self._confirm(failures, result)

    def _subtract_known(
        self, findings: Iterable[Finding], result: ModelResult
    ) -> tuple[Sequence[Finding], Sequence[Finding]]:
        """The findings that no entry accepts, and those that one does."""
        applicable = [issue for issue in self.known_issues if issue.holds(result.example)]
        self._applicable.update(issue.id for issue in applicable)
        partition = subtract_accepted(findings, applicable)
        self.outcome.known_issues.update(issue for issue, _ in partition.accepted)
        accepted = [finding for _, finding in partition.accepted]
        self._is_cut_short |= any(finding.oracle in ENDINGS and is_of_run(finding) for finding in accepted)
        return partition.failures, accepted

    def _count(
        self, result: ModelResult, judgement: Judgement, accepted: Sequence[Finding], failures: Sequence[Finding]
    ) -> None:
        """Add one example's states, ratios, kernels and notes to the outcome, and of the first its layout report."""
        outcome, runs = self.outcome, result.observations
        for cell, state in cell_states((run.cell for run in runs), judgement, accepted, failures).items():
            outcome.count_state(cell, state)
        outcome.untrusted.update(judgement.untrusted.keys())
        outcome.notes += [note for note in _notes_on_selections(result.reference) if note not in outcome.notes]
        for (_cell, tensor), ratio in judgement.ratios.items():
            if ratio <= 1.0:
                outcome.keep_worst_ratio(tensor, ratio)
        for run in runs:
            outcome.count_kernels(run.cell, run.kernels)
        if runs and not outcome.layout:
            self._report_layout([run for run in runs if run.cell == runs[-1].cell])

    def _report_layout(self, runs: Sequence[ModelObservation]) -> None:
        """Keep the layout report of these runs: the first example's in its last cell, the highest level."""
        self.outcome.reorders = {run.conversion: run.reorders for run in runs}
        self.outcome.image_calls = next((run.image_calls for run in runs if run.conversion == FULL_CONVERSION), ())
        self.outcome.layout = layout_rows(runs)
        self.outcome.modules = module_layouts(runs)

    def _confirm(self, failures: Sequence[Finding], result: ModelResult) -> None:
        """Note it where nothing of this comes back in workers that ran nothing before."""
        cells = {cell for failure in failures for cell in failure.cells}
        again = self.model_executor.run(self.model, result.example, cells=cells, isolated=True)
        keys = {finding.key for finding in judge_model(again.reference, again.observations).findings}
        if not keys & {failure.key for failure in failures}:
            where = f"{result.example.to_json()} does not fail in a fresh worker"
            self.outcome.notes.append(f"{where}: what ran before it spoiled the memory, or it fails now and then")

    def _stale_entries(self) -> list[str]:
        """The entries whose condition held and that accepted nothing, where everything ran.

        Of a model that is known to raise when converted nothing else can be seen.
        """
        outcome = self.outcome
        if not outcome.examples or outcome.problem is not None or outcome.skipped:
            return []
        cells = {cell for cell, counts in outcome.cells.items() if counts}
        return [
            issue.id
            for issue in self.known_issues
            if issue.id in self._applicable
            and any(map(issue.covers, cells))
            and (issue.oracle in ENDINGS or not self._is_cut_short)
            and not outcome.known_issues[issue.id]
        ]


def _notes_on_selections(reference: ModelReference) -> list[str]:
    """What cannot be compared at all, as one note."""
    moving = reference.sensitivity.items()
    names = [name for name, distance in moving if math.isinf(distance) and name in reference.values]
    if not names:
        return []
    few = ", ".join(names[:NAMED]) + (", ..." if names[NAMED:] else "")
    count = f"{len(names)} of {len(reference.values)} tensors"
    return [f"{count} are not judged, because rounding changes what is selected: {few}"]


def issues_of_model(known_issues: Iterable[ModelKnownIssue], model: str, torch: str) -> tuple[ModelKnownIssue, ...]:
    """The entries about this model that the PyTorch version under test is said to have."""
    return tuple(issue for issue in known_issues if matches(model, issue.models) and covers_version(issue.torch, torch))
