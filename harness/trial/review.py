"""The review of one item against golden/: its layout contract, and its snapshots."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.core import Case, KnownIssue
from harness.execution import Executor
from harness.golden import LEVELS, PER_CASE, Contract, Golden, exact, release
from harness.trial import contract, snapshots


@dataclass
class Review:
    """How many facts and snapshots were compared, and a sentence for each that differs.

    `not_compared` says what could not be compared, and why. `observed` is for an update.
    """

    facts: int = 0
    snapshots: int = 0
    differing: list[str] = field(default_factory=list)
    not_compared: list[str] = field(default_factory=list)
    observed: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Plain data; `observed` only where it is wanted."""
        wanted = {"observed": self.observed} if self.observed else {}
        return {
            "facts": self.facts,
            "snapshots": self.snapshots,
            "differing": self.differing,
            "not_compared": self.not_compared,
            **wanted,
        }


def reviewed(case: Case, dtype: str, executor: Executor, known_issues: Sequence[KnownIssue], golden: Golden) -> Review:
    """What differs between golden/ and what every level gives. A case that golden/ does not have is not compared.

    That it is missing is said here, and fails once, for the suite. A contract of another release of PyTorch than the
    one under test is not compared; of snapshots, only the values are.
    """
    lines, pinned = golden.contract(case), golden.snapshots(case)
    here = release(executor.build.torch)
    review = Review()
    if lines.lines(case.name):
        review.not_compared += _incomparable(lines, here, executor)
        if not review.not_compared:
            seen = contract.observed(case, dtype, executor, known_issues)
            review.facts = len(seen.facts)
            review.differing += [*seen.deaths, *lines.compare(case.name, dtype, seen.facts)]
    else:
        review.not_compared.append(golden.unwritten(case))
    found = pinned.snapshots(case.name, dtype)
    if found and pinned.torch != here:
        review.not_compared.append(
            f"{pinned.file} is of PyTorch {pinned.torch}, this is {here}: only values are compared"
        )
    review.snapshots = len(found)
    review.differing += [
        f"{pinned.file}:{snapshot.place}: changed: {case.name} in {dtype}: {message}; {snapshot.example.to_json()}"
        for snapshot, message in snapshots.differences(
            case, found, executor, known_issues, values_only=pinned.torch != here
        )
    ]
    return review


def _incomparable(lines: Contract, here: str, executor: Executor) -> list[str]:
    """Why the contract says nothing about this run, if so."""
    if lines.torch != here:
        return [f"{lines.file} is of PyTorch {lines.torch}, this is {here}: not compared"]
    if not contract.levels(executor):
        return [f"{lines.file} is about the levels {', '.join(LEVELS)}, and none of them ran: not compared"]
    return []


def observed(case: Case, dtype: str, executor: Executor, known_issues: Sequence[KnownIssue], golden: Golden) -> Review:
    """What an update writes of one item, as plain data."""
    seen = contract.observed(case, dtype, executor, known_issues)
    count = -(-PER_CASE // len(case.dtypes)) if exact(case) else 0
    kept = golden.snapshots(case).snapshots(case.name, dtype)
    found = snapshots.chosen(case, dtype, count, kept, executor, known_issues)
    return Review(
        len(seen.facts),
        len(found),
        list(seen.deaths),
        observed={
            "torch": release(executor.build.torch),
            "layouts": [[*element, layout_rule.text] for element, layout_rule in seen.facts.items()],
            "snapshots": [
                {
                    "example": snapshot.example.to_json(),
                    "results": {name: one.text for name, one in snapshot.results.items()},
                }
                for snapshot in found
            ],
        },
    )
