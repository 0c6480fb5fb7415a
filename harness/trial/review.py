"""The review of one item against golden/: its layout contract, and its snapshots."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from harness.core import Case, KnownIssue
from harness.execution import Executor
from harness.golden import LEVELS, PER_CASE, Contract, Golden, ItemObservation, can_be_exact, release_of
from harness.trial.contract import contract_levels, observe_layouts
from harness.trial.snapshot_choice import choose_snapshots
from harness.trial.snapshots import compare_snapshots


@dataclass
class Review:
    """How many facts and snapshots were compared, and a sentence for each that differs.

    `not_compared` says what could not be compared, and why. `observed` is for an update.
    """

    facts: int = 0
    snapshots: int = 0
    differing: list[str] = field(default_factory=list)
    not_compared: list[str] = field(default_factory=list)
    observed: ItemObservation | None = None


@dataclass(frozen=True)
class Reviewer:
    """Compares one case in one dtype with golden/, or observes what an update writes of it."""

    case: Case
    dtype: str
    executor: Executor
    known_issues: Sequence[KnownIssue]
    golden: Golden

    def review(self) -> Review:
        """What differs between golden/ and what every level gives. A case that golden/ does not have is not compared.

        That it is missing is said here, and fails once, for the suite. A contract of another release of PyTorch than
        the one under test is not compared; of snapshots, only the values are.
        """
        review = Review()
        contract = self.golden.contract(self.case)
        if not contract.lines(self.case.name):
            review.not_compared.append(self.golden.advice_without_lines(self.case))
        elif reason := self._why_incomparable(contract):
            review.not_compared.append(reason)
        else:
            layouts = observe_layouts(self.case, self.dtype, self.executor, self.known_issues)
            review.facts = len(layouts.facts)
            review.differing += [*layouts.deaths, *contract.compare(self.case.name, self.dtype, layouts.facts)]
        self._compare_snapshots(review)
        return review

    def observe(self) -> Review:
        """What an update of golden/ writes of the item. A probe that ended its worker differs, and keeps it out."""
        layouts = observe_layouts(self.case, self.dtype, self.executor, self.known_issues)
        count = -(-PER_CASE // len(self.case.dtypes)) if can_be_exact(self.case) else 0
        before = self.golden.snapshots(self.case).snapshots(self.case.name, self.dtype)
        snapshots = choose_snapshots(self.case, self.dtype, count, before, self.executor, self.known_issues)
        return Review(
            facts=len(layouts.facts),
            snapshots=len(snapshots),
            differing=list(layouts.deaths),
            observed=ItemObservation(self._release, layouts.facts, tuple(snapshots)),
        )

    @property
    def _release(self) -> str:
        return release_of(self.executor.build.torch)

    def _why_incomparable(self, contract: Contract) -> str:
        """Why the contract says nothing about this run; nothing where it does."""
        if contract.torch != self._release:
            return f"{contract.file} is of PyTorch {contract.torch}, this is {self._release}: not compared"
        if not contract_levels(self.executor):
            return f"{contract.file} is about the levels {', '.join(LEVELS)}, and none of them ran: not compared"
        return ""

    def _compare_snapshots(self, review: Review) -> None:
        """Add to the review what differs from the snapshots, in values only where they are of another release."""
        file = self.golden.snapshots(self.case)
        snapshots = file.snapshots(self.case.name, self.dtype)
        values_only = file.torch != self._release
        if snapshots and values_only:
            note = f"{file.file} is of PyTorch {file.torch}, this is {self._release}: only values are compared"
            review.not_compared.append(note)
        review.snapshots = len(snapshots)
        for snapshot, message in compare_snapshots(
            self.case, snapshots, self.executor, self.known_issues, values_only=values_only
        ):
            where = f"{file.file}:{snapshot.place}: changed: {self.case.name} in {self.dtype}"
            review.differing.append(f"{where}: {message}; {snapshot.example.to_json()}")
