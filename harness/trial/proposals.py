"""Entries proposed for new failures: one for each fault, with every place where it was seen. No reason is invented."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from harness.core import Case, Example, Expression, Finding, KnownFault, KnownIssue, Level, Severity
from harness.execution import Executor
from harness.golden import UNWRITTEN, describe_misfit, phrase_levels, resolve_levels
from harness.trial.neighbourhood import Neighbourhood
from harness.trial.severity import failure_severity

_DIMENSION: Final = re.compile(r"_?\d+d(_|$)")
FaultKey: TypeAlias = tuple[str, str, str, str, Severity]
"""Suite, family of cases, oracle, tensor and severity: what agrees in these is proposed as one fault."""


@dataclass(frozen=True)
class NewFailure:
    """A failure of a run that no known issue accepts. `ran` are the levels that ran the example, failing or not."""

    case: Case
    finding: Finding
    example: Example
    ran: AbstractSet[str]


@dataclass(frozen=True)
class Proposer:
    """Makes entries of failures, by running each example and its neighbours again."""

    executor: Executor
    levels: Sequence[Level]
    known_issues_of: Callable[[Case, str], Sequence[KnownIssue]]

    def propose(self, failures: Iterable[NewFailure]) -> tuple[list[KnownFault], list[NewFailure]]:
        """The faults, without releases, and the failures that do not show here and are not proposed."""
        places: defaultdict[FaultKey, list[_Draft]] = defaultdict(list)
        gone = []
        for failure in failures:
            if not self._neighbourhood(failure).fails(failure.example):
                gone.append(failure)
            elif not self._join(failure, [draft for drafts in places.values() for draft in drafts]):
                draft = self._draft(failure)
                places[_fault_key(draft)].append(draft)
        return [_fault(key, self._across_cases(drafts)) for key, drafts in places.items()], gone

    def _neighbourhood(self, failure: NewFailure) -> Neighbourhood:
        known_issues = self.known_issues_of(failure.case, failure.example.dtype)
        return Neighbourhood(failure.case, self.executor, known_issues, failure.finding)

    def _draft(self, failure: NewFailure) -> _Draft:
        """A place of its own for a failure, whose condition is looked for."""
        around = self._neighbourhood(failure)
        example, finding = failure.example, failure.finding
        place = KnownIssue(
            id="",
            tensors=(finding.tensor or "*",),
            oracle=finding.oracle,
            cells=self._cells(failure),
            when=Expression.parse(around.condition(example)),
            reason=UNWRITTEN,
            link="not looked for yet",
            cases=(example.case,),
            dtypes=(example.dtype,),
            reproducer=example,
            accumulates_in="same" if around.is_coarse_sum(example) else None,
        )
        return _Draft(failure, place)

    def _cells(self, failure: NewFailure) -> tuple[str, ...]:
        return resolve_levels(phrase_levels(set(failure.finding.cells), failure.ran, self.levels), self.levels)

    def _join(self, failure: NewFailure, drafts: Iterable[_Draft]) -> bool:
        """Whether a place of the same case in another dtype is the failure's too; then it has that dtype."""
        for draft in drafts:
            is_same_case = draft.failure.case == failure.case and draft.failure.finding.key == failure.finding.key
            if is_same_case and self._fits(draft.place, failure):
                draft.place = replace(draft.place, dtypes=(*draft.place.dtypes, failure.example.dtype))
                return True
        return False

    def _fits(self, place: KnownIssue, failure: NewFailure) -> bool:
        """Whether levels, accumulator and condition are the failure's, and the reproducer fails where that did."""
        around, example = self._neighbourhood(failure), failure.example
        moved = place.reproducer.but(case=example.case, dtype=example.dtype)
        return (
            place.cells == self._cells(failure)
            and place.holds(example)
            and bool(place.accumulates_in) is around.is_coarse_sum(example)
            and not describe_misfit(failure.case, moved)
            and around.fails(moved)
        )

    def _across_cases(self, drafts: Sequence[_Draft]) -> list[_Draft]:
        """The places, those of several cases as one where dtypes, levels and condition are the same."""
        merged: list[_Draft] = []
        for draft in drafts:
            place = draft.place
            twins = (twin for twin in merged if _is_twin(twin.place, place) and self._fits(twin.place, draft.failure))
            twin = next(twins, None)
            if twin is None:
                merged.append(draft)
            else:
                twin.place = replace(twin.place, cases=(*twin.place.cases, *place.cases))
        return merged


@dataclass
class _Draft:
    """A place, and the failure that it was first made of."""

    failure: NewFailure
    place: KnownIssue


def case_family(name: str) -> str:
    """What the cases of one operator have in common: ``max_pool`` of ``max_pool2d``, ``max_pool3d`` and others."""
    return _DIMENSION.split(name)[0] or name


def fault_severity(finding: Finding, *, is_coarse_sum: bool) -> Severity:
    """How bad the fault is: a coarse sum is a loss of accuracy alone."""
    return Severity.ACCURACY if is_coarse_sum else failure_severity(finding.oracle, finding.tensor)


def _is_twin(place: KnownIssue, other: KnownIssue) -> bool:
    return place.when == other.when and place.dtypes == other.dtypes


def _fault_key(draft: _Draft) -> FaultKey:
    case, finding = draft.failure.case, draft.failure.finding
    severity = fault_severity(finding, is_coarse_sum=draft.place.accumulates_in is not None)
    return case.id.partition("::")[0], case_family(case.name), finding.oracle, finding.tensor, severity


def _fault(key: FaultKey, drafts: Sequence[_Draft]) -> KnownFault:
    """The fault of these places; its id says family, tensor and oracle, its summary what was found first."""
    _, family, oracle, tensor, severity = key
    name = "-".join(re.findall(r"[a-z0-9]+", f"{family} {tensor} {oracle}"))
    first = drafts[0]
    return KnownFault(
        id=name,
        summary=f"{first.failure.case.name}: {' '.join(first.failure.finding.message.split())}",
        severity=severity,
        reason=first.place.reason,
        link=first.place.link,
        places=tuple(_number_places([draft.place for draft in drafts], name)),
    )


def _number_places(places: Sequence[KnownIssue], name: str) -> Iterator[KnownIssue]:
    for number, place in enumerate(places, 1):
        yield replace(place, id=name, place=number if len(places) > 1 else 0)
