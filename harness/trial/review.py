"""The review of one item against golden/: its layout contract, and its snapshots."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from harness.core import Case, FactChange, FactDifference, FactKind, KnownIssue, NotCompared
from harness.execution import Executor
from harness.golden import (
    LEVELS,
    PER_CASE,
    Contract,
    Golden,
    ItemObservation,
    Snapshot,
    Snapshots,
    can_be_exact,
    release_of,
)
from harness.trial.contract import contract_levels, observe_layouts
from harness.trial.snapshot_choice import choose_snapshots
from harness.trial.snapshots import VALUE_ASPECTS, Aspect, compare_snapshots


@dataclass
class Review:
    """How many facts and snapshots were compared, and what differs.

    `differences` has those of a release that golden/ says nothing of as well; they are not judged. `deaths` has a
    sentence for each probe that ended its worker. `not_compared` says what could not be compared, how much of it and
    why; `advice` what to do about a case without lines. `observed` is for an update.
    """

    facts: int = 0
    snapshots: int = 0
    differences: list[FactDifference] = field(default_factory=list)
    deaths: list[str] = field(default_factory=list)
    not_compared: list[NotCompared] = field(default_factory=list)
    advice: str = ""
    observed: ItemObservation | None = None

    @property
    def failures(self) -> list[str]:
        """A sentence for each thing that must not be so: what fails the item."""
        return [*self.deaths, *(difference.message for difference in self.differences if difference.judged)]


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

        That it is missing is said here, and fails once, for the suite. Of a release that the contract is not of, what
        differs is listed and not judged; of snapshots, the values are judged in every release.
        """
        review = Review()
        self._check_lack(review)
        contract = self.golden.contract(self.case)
        if not contract.lines(self.case.name):
            review.advice = self.golden.advice_without_lines(self.case)
        elif not contract_levels(self.executor):
            lines = [line for line in contract.lines(self.case.name) if line.is_about(self.dtype)]
            reason = f"{contract.file} is about the levels {', '.join(LEVELS)}, and none of them ran"
            review.not_compared.append(NotCompared(FactKind.LAYOUT, len(lines), reason))
        else:
            self._compare_layouts(review, contract)
        self._compare_snapshots(review, self.golden.snapshots(self.case))
        return review

    def _check_lack(self, review: Review) -> None:
        """Add to the review that the item ran, where golden/ says that this release has not got it."""
        contract = self.golden.contract(self.case)
        if contract.lacks(self.case.name, self.dtype, self._release):
            about = f"{contract.file}: not available: {self.case.name} in {self.dtype} is said not to be in PyTorch"
            message = f"{about} {self._release}, and it runs"
            review.differences.append(FactDifference(FactKind.LAYOUT, FactChange.GONE, message))

    def _compare_layouts(self, review: Review, contract: Contract) -> None:
        """Add to the review how the formats that come back differ from the contract."""
        layouts = observe_layouts(self.case, self.dtype, self.executor, self.known_issues)
        if self._release in contract.verified:
            review.facts, review.deaths = len(layouts.facts), list(layouts.deaths)
        else:
            reason = self._why_not_compared(contract)
            review.not_compared.append(NotCompared(FactKind.LAYOUT, len(layouts.facts), reason))
            review.differences += [
                FactDifference(FactKind.LAYOUT, FactChange.NEW, death, judged=False) for death in layouts.deaths
            ]
        review.differences += contract.compare(self.case.name, self.dtype, layouts.facts, self._release)

    def _why_not_compared(self, file: Contract | Snapshots) -> str:
        return f"{file.file} is of PyTorch {', '.join(file.verified)}, this is {self._release}"

    def observe(self) -> Review:
        """What an update of golden/ writes of the item. A probe that ended its worker differs, and keeps it out."""
        layouts = observe_layouts(self.case, self.dtype, self.executor, self.known_issues)
        count = -(-PER_CASE // len(self.case.dtypes)) if can_be_exact(self.case) else 0
        before = self.golden.snapshots(self.case).snapshots(self.case.name, self.dtype)
        snapshots = choose_snapshots(self.case, self.dtype, count, before, self.executor, self.known_issues)
        return Review(
            facts=len(layouts.facts),
            snapshots=len(snapshots),
            deaths=list(layouts.deaths),
            observed=ItemObservation(self._release, layouts.facts, tuple(snapshots)),
        )

    @property
    def _release(self) -> str:
        return release_of(self.executor.build.torch)

    def _compare_snapshots(self, review: Review, file: Snapshots) -> None:
        """Add to the review what differs from the snapshots, in values only where they are of another release."""
        every = file.snapshots(self.case.name, self.dtype)
        verified = [snapshot for snapshot in every if file.is_verified(snapshot, self._release)]
        of_values = [
            snapshot for snapshot in every if snapshot.releases.covers(self._release) and snapshot not in verified
        ]
        self._compare_some(review, file, verified, values_only=False)
        self._compare_some(review, file, of_values, values_only=True)
        self._note_uncovered(review, file, every, [*verified, *of_values])

    def _note_uncovered(
        self, review: Review, file: Snapshots, every: Sequence[Snapshot], covering: Sequence[Snapshot]
    ) -> None:
        """Note the examples whose snapshots are all of other releases than this one."""
        covered = {snapshot.example.to_json() for snapshot in covering}
        elsewhere: dict[str, list[Snapshot]] = {}
        for snapshot in every:
            if snapshot.example.to_json() not in covered:
                elsewhere.setdefault(snapshot.example.to_json(), []).append(snapshot)
        for text, snapshots in elsewhere.items():
            ranges = " and ".join(snapshot.releases.specifier for snapshot in snapshots)
            place = f"{file.file}:{snapshots[0].place}"
            reason = f"{place}: the snapshot is of PyTorch {ranges}, this is {self._release}"
            review.not_compared.append(NotCompared(FactKind.SNAPSHOT, 1, reason))
            message = f"{place}: no snapshot: {self.case.name} in {self.dtype}: it is of PyTorch {ranges}; {text}"
            review.differences.append(FactDifference(FactKind.SNAPSHOT, FactChange.NEW, message, judged=False))

    def _compare_some(
        self, review: Review, file: Snapshots, snapshots: Sequence[Snapshot], *, values_only: bool
    ) -> None:
        """Compare some of the snapshots. With `values_only` nothing but the numbers is judged."""
        incomparable: set[int] = set()
        compared = compare_snapshots(self.case, snapshots, self.executor, self.known_issues)
        for snapshot, aspect, message in compared:
            where = f"{file.file}:{snapshot.place}: changed: {self.case.name} in {self.dtype}"
            sentence = f"{where}: {message}; {snapshot.example.to_json()}"
            is_judged = not values_only or aspect in VALUE_ASPECTS
            review.differences.append(FactDifference(FactKind.SNAPSHOT, FactChange.MOVED, sentence, judged=is_judged))
            if not is_judged and aspect is not Aspect.STRIDES:
                incomparable.add(snapshot.place)
        review.snapshots += len(snapshots) - len(incomparable)
        if incomparable:
            reason = f"{self._why_not_compared(file)}, and has no values of that dtype and shape"
            review.not_compared.append(NotCompared(FactKind.SNAPSHOT, len(incomparable), reason))
        if values_only and len(snapshots) > len(incomparable):
            reason = f"{self._why_not_compared(file)}: of snapshots only the values are compared"
            count = len(snapshots) - len(incomparable)
            review.not_compared.append(NotCompared(FactKind.SNAPSHOT_METADATA, count, reason))
