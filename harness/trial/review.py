"""The review of one item against golden/: its layout contract, and its pinned examples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.core import Case, KnownIssue
from harness.execution import Laboratory
from harness.golden import LEVELS, PER_CASE, Contract, Golden, exact, release
from harness.trial import contract, snapshots


@dataclass
class Review:
    """How many facts and pins were compared, and a sentence for each that differs.

    `skipped` says what could not be compared, and why. `observed` is for an update.
    """

    facts: int = 0
    pins: int = 0
    differing: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    observed: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Plain data; `observed` only where it is wanted."""
        wanted = {"observed": self.observed} if self.observed else {}
        return {
            "facts": self.facts,
            "pins": self.pins,
            "differing": self.differing,
            "skipped": self.skipped,
            **wanted,
        }


def reviewed(
    case: Case, dtype: str, laboratory: Laboratory, known_issues: Sequence[KnownIssue], golden: Golden
) -> Review:
    """What differs between golden/ and what every level gives. A case that golden/ does not have is not compared.

    That it is missing is said here, and fails once, for the suite. A contract of another release of PyTorch than the
    one under test is not compared; of pins, only the values are.
    """
    lines, pinned = golden.contract(case), golden.references(case)
    here = release(laboratory.build.torch)
    review = Review()
    if lines.lines(case.name):
        review.skipped += _incomparable(lines, here, laboratory)
        if not review.skipped:
            seen = contract.observed(case, dtype, laboratory, known_issues)
            review.facts = len(seen.facts)
            review.differing += [*seen.deaths, *lines.compare(case.name, dtype, seen.facts)]
    else:
        review.skipped.append(golden.unwritten(case))
    found = pinned.pins(case.name, dtype)
    if found and pinned.torch != here:
        review.skipped.append(f"{pinned.file} is of PyTorch {pinned.torch}, this is {here}: only values are compared")
    review.pins = len(found)
    review.differing += [
        f"{pinned.file}:{pin.place}: changed: {case.name} in {dtype}: {message}; {pin.example.to_json()}"
        for pin, message in snapshots.differences(
            case, found, laboratory, known_issues, values_only=pinned.torch != here
        )
    ]
    return review


def _incomparable(lines: Contract, here: str, laboratory: Laboratory) -> list[str]:
    """Why the contract says nothing about this run, if so."""
    if lines.torch != here:
        return [f"{lines.file} is of PyTorch {lines.torch}, this is {here}: not compared"]
    if not contract.levels(laboratory):
        return [f"{lines.file} is about the levels {', '.join(LEVELS)}, and none of them ran: not compared"]
    return []


def observed(
    case: Case, dtype: str, laboratory: Laboratory, known_issues: Sequence[KnownIssue], golden: Golden
) -> Review:
    """What an update writes of one item, as plain data."""
    seen = contract.observed(case, dtype, laboratory, known_issues)
    count = -(-PER_CASE // len(case.dtypes)) if exact(case) else 0
    kept = golden.references(case).pins(case.name, dtype)
    found = snapshots.chosen(case, dtype, count, kept, laboratory, known_issues)
    return Review(
        len(seen.facts),
        len(found),
        list(seen.deaths),
        observed={
            "torch": release(laboratory.build.torch),
            "layouts": [[*element, law.text] for element, law in seen.facts.items()],
            "pins": [
                {"example": pin.example.to_json(), "results": {name: one.text for name, one in pin.results.items()}}
                for pin in found
            ],
        },
    )
