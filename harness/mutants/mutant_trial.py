"""One mutant in the gate: after how many examples it is caught, by which oracle, and how small its example gets."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Final

from harness.core import Example, Finding
from harness.execution import Executor
from harness.mutants.catalogue_file import Mutant
from harness.mutants.mutant_item import MutantItem
from harness.mutants.peers import Peer, PeerOutcome, PeerTrial
from harness.mutants.planting import Planting
from harness.profiles import Profile
from harness.trial import ExampleRunner, Reducer, judge_run, make_plan, reason_not_callable

MOST_SECONDS: Final = 20.0
"""Of making the example of a mutant smaller: it is found by then, and how small it gets is for comparison."""


@dataclass(frozen=True)
class Catch:
    """How a mutant was caught: in which item, what was found in which example, and the smallest that shows it.

    PyTorch's own kernels pass `original` in what `finding` is about.
    """

    item: MutantItem
    finding: Finding
    original: Example
    minimal: Example


@dataclass(frozen=True)
class MutantOutcome:
    """What became of a mutant: `catch` is None where it was missed. `seconds` are those until the first finding.

    `peers` is what the other ways to test came to. `lack` says why it was not run, where this machine cannot run it.
    """

    mutant: Mutant
    catch: Catch | None
    examples: int
    seconds: float
    peers: Mapping[Peer, PeerOutcome] = field(default_factory=dict)
    lack: str = ""


@dataclass(frozen=True)
class MutantTrial:
    """Runs what the gate would run of the mutant's items, until something fails that PyTorch's own kernels pass.

    `arrays` is a directory for covering arrays, `peers` are tried beside it.
    """

    mutant: Mutant
    items: Sequence[MutantItem]
    executor: Executor
    planting: Planting
    profile: Profile
    arrays: Path | None = None
    peers: Sequence[Peer] = ()

    def run(self) -> MutantOutcome:
        """What becomes of it. Never raises for what a kernel does; no mutant is planted afterwards."""
        if lack := self._lack():
            return MutantOutcome(self.mutant, None, 0, 0.0, lack=lack)
        self.planting.plant(self.mutant.name)
        try:
            outcome = self._run_items()
            others = PeerTrial(self.items, self.executor, self.planting)
            return replace(outcome, peers={peer: others.run(peer) for peer in self.peers})
        finally:
            self.planting.plant("")

    def _lack(self) -> str:
        """What this machine or build lacks for it to bite at all: its level, or what its items call; or nothing."""
        needed, capabilities = self.mutant.capability, {cell.proof["aten"].lower() for cell in self.executor.cells}
        if needed and needed not in capabilities:
            return f"it bites at ATEN_CPU_CAPABILITY {needed} alone, and no level that is run has that"
        reasons = [reason_not_callable(item.case, self.executor) for item in self.items]
        return reasons[0] if all(reasons) else ""

    def _run_items(self) -> MutantOutcome:
        """The examples of the items until something is found, and the smallest that shows it."""
        started, examples = time.monotonic(), 0
        for item, example, findings in self._findings():
            examples += 1
            own = next((finding for finding in findings if not self._is_of_stock(item, example, finding)), None)
            if own is not None:
                seconds = time.monotonic() - started
                catch = Catch(item, own, example, self._minimal_example(item, example, own))
                return MutantOutcome(self.mutant, catch, examples, seconds)
        return MutantOutcome(self.mutant, None, examples, time.monotonic() - started)

    def _findings(self) -> Iterator[tuple[MutantItem, Example, Sequence[Finding]]]:
        """Each example of each item, as the gate has them, with what no known issue accepts."""
        for item in self.items:
            runner = ExampleRunner(item.case, self.executor, item.known_issues)
            plan = make_plan(
                item.case,
                item.dtype,
                profile=self.profile,
                saved=(),
                corpus=item.corpus,
                seed=item.seed,
                arrays=self.arrays,
            )
            judge = partial(runner.judge_examples, keep_out=lambda _example: None)
            for judged in plan.judge_examples(judge, lambda: True):
                yield item, judged.example, judged.failures

    def _is_of_stock(self, item: MutantItem, example: Example, finding: Finding) -> bool:
        """Whether the same is found where no mutant is planted."""
        with self.planting.stock_kernels():
            result = self.executor.run_isolated(item.case, example, cells=tuple(finding.cells))
            return judge_run(item.case, result, item.known_issues, self.executor).failure(finding.key) is not None

    def _minimal_example(self, item: MutantItem, example: Example, finding: Finding) -> Example:
        end = time.monotonic() + MOST_SECONDS
        partwise = ExampleRunner(item.case, self.executor, item.known_issues).partwise
        reducer = Reducer(
            item.case,
            self.executor,
            item.known_issues,
            self.profile.attempts,
            lambda: time.monotonic() > end,
            partwise,
        )
        return reducer.minimise(example, finding)[0]
