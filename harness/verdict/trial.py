"""A trial: one case in one dtype, from its declared corners to its minimal failures."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from harness.execution import Laboratory
from harness.generation import corner_examples, coverage, declared_examples, random_examples
from harness.nouns import Case, Deviation, Example, Finding
from harness.profiles import Profile
from harness.verdict.deviations import fatal_cells
from harness.verdict.outcome import Outcome
from harness.verdict.reduction import Reducer
from harness.verdict.ruling import Ruling, rule

SHRUNK = 3
"""Faults (oracle, tensor) that one trial reduces; more of them are named without an example."""

DEATHS = 3
"""After this many crashes or hangs the trial stops: each costs a worker."""

TRACED = 4
"""Examples of a trial whose ATen operators are traced; tracing costs more than running."""


@dataclass
class Trial:
    """Runs witnesses, saved failures, declared examples, corners, then drawn examples; judges; reduces what fails.

    `deadline` is a `time.monotonic()` value after which no further example is started (None: no limit).
    """

    case: Case
    dtype: str
    laboratory: Laboratory
    deviations: Sequence[Deviation]
    profile: Profile
    seed: int
    saved: Sequence[Example] = ()
    deadline: float | None = None
    outcome: Outcome = field(init=False)
    _first: dict[tuple[str, str], tuple[Example, Finding]] = field(default_factory=dict, init=False)
    _deaths: Counter[str] = field(default_factory=Counter, init=False)

    def run(self) -> Outcome:
        """Everything the profile asks for. Never raises for what a kernel does."""
        started = time.monotonic()
        self.outcome = Outcome(self.case.id, self.dtype)
        incidents = len(self.laboratory.incidents)
        self._replay_witnesses()
        examples = self._examples()
        done = []
        for ruling in self._rulings(examples):
            done.append(ruling.example)
            self._count(ruling)
        self._reduce()
        self._measure(done)
        self.outcome.incidents = list(self.laboratory.incidents[incidents:])
        self.outcome.seconds = time.monotonic() - started
        return self.outcome

    def _examples(self) -> list[Example]:
        """In the order they run, each once."""
        phases = {"saved": list(self.saved), "declared": declared_examples(self.case, self.dtype)}
        if not self.profile.saved_only:
            rows = corner_examples(self.case, self.dtype, self.profile.strength)
            phases["corners"] = rows[: self.profile.rows] if self.profile.rows else rows
            phases["drawn"] = random_examples(self.case, self.dtype, self.profile.random, self.seed)
        self.outcome.examples = Counter({phase: len(examples) for phase, examples in phases.items()})
        return [example for examples in phases.values() for example in examples]

    def _rulings(self, examples: Sequence[Example]) -> Iterator[Ruling]:
        """Judge in order; examples that are known to kill a cell go without that cell."""
        fatal = [fatal_cells(self.deviations, example) for example in examples]
        groups = {cells: [one for one, of in zip(examples, fatal, strict=True) if of == cells] for cells in set(fatal)}
        for cells in sorted(groups, key=sorted):
            yield from self._group(groups[cells], cells)

    def _group(self, examples: Sequence[Example], without: Iterable[str]) -> Iterator[Ruling]:
        kept = [cell.name for cell in self.laboratory.cells if cell.name not in set(without)]
        if not kept:
            self.outcome.examples["kept from running"] += len(examples)
            return
        parts = [(examples[:TRACED], True), (examples[TRACED:], False)]
        for part, trace in parts:
            for result in self.laboratory.run(self.case, part, cells=kept, trace=trace):
                yield rule(self.case, result, self.deviations)
                if self._stopped():
                    return

    def _stopped(self) -> bool:
        deaths = self._deaths.total()
        if self.deadline is not None and time.monotonic() > self.deadline:
            self.outcome.notes.append("the time budget was reached")
        elif deaths >= DEATHS:
            self.outcome.notes.append(f"stopped after {deaths} crashes or hangs")
        return bool(self.outcome.notes)

    def _count(self, ruling: Ruling) -> None:
        """Add one example's states, kernels, ratios and failures to the outcome."""
        outcome = self.outcome
        for cell, state in ruling.states().items():
            outcome.cells.setdefault(cell, Counter())[state] += 1
        outcome.untrusted.update(ruling.judgement.untrusted.keys())
        outcome.deviations.update({name for name, _ in ruling.settled.accepted})
        for (_, tensor), ratio in ruling.judgement.ratios.items():
            outcome.ratios[tensor] = max(ratio, outcome.ratios.get(tensor, 0.0))
        for observation in ruling.result.observations:
            outcome.hits.setdefault(observation.cell, Counter()).update(observation.kernels)
            outcome.operators.update(observation.operators)
        for finding in ruling.failures:
            self._first.setdefault(finding.key, (ruling.example, finding))
            self._deaths[finding.oracle] += finding.oracle in ("crash", "hang")

    def _reduce(self) -> None:
        """One minimal failure for each (oracle, tensor), the first few of them."""
        reducer = Reducer(self.case, self.laboratory, self.deviations, self.profile.attempts)
        declared = declared_examples(self.case, self.dtype)
        whys = {example.to_json(): one.why for example, one in zip(declared, self.case.examples, strict=True)}
        for example, finding in list(self._first.values())[:SHRUNK]:
            self.outcome.failures.append(reducer.reduce(example, finding, whys.get(example.to_json(), "")))
        for _, finding in list(self._first.values())[SHRUNK:]:
            self.outcome.notes.append(f"also failed: {finding.oracle} of {finding.tensor}: {finding.message}")

    def _measure(self, done: Sequence[Example]) -> None:
        share = coverage(self.case, self.dtype, done)
        self.outcome.coverage = {"pairs": share.pairs_covered, "of": share.pairs_total}

    def _replay_witnesses(self) -> None:
        for deviation in self.deviations:
            self.outcome.witnesses[deviation.id] = self._witness(deviation)

    def _witness(self, deviation: Deviation) -> str:
        """Whether the deviation's witness still fails as its entry says, in a worker of its own."""
        here = tuple(cell.name for cell in self.laboratory.cells if cell.name in deviation.cells)
        if deviation.witness.dtype != self.dtype:
            return f"its witness is {deviation.witness.dtype}"
        if not here:
            return f"not checked: no cell of {', '.join(deviation.cells)} on this machine"
        result = self.laboratory.isolated(self.case, deviation.witness, cells=here, repeats=1)
        ruling = rule(self.case, result, [deviation])
        if any(name == deviation.id for name, _ in ruling.settled.accepted):
            return "still fails"
        seen = "; ".join(finding.message for finding in ruling.failures) or "it passes"
        return f"stale: its witness does not fail that way any more ({seen})"
