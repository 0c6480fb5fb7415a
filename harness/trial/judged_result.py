"""The judgement of one Result: what fails, what a known issue accepts, what cannot be trusted."""

from __future__ import annotations

import signal
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from harness.core import Case, CellState, Example, Finding, Judgement, KnownIssue, Observation
from harness.execution import Executor, Result, refine_reference
from harness.oracles import judge
from harness.trial.known_issues import FindingPartition, accumulators, subtract_known

FROM_OUTSIDE: Final = (signal.SIGKILL, signal.SIGTERM)
"""Signals that no fault raises: a person, a service manager, or an operating system short of memory sends them."""


MOST_BY_CHANCE: Final = 32.0
"""Allowances that a few perturbations may leave out by chance.

The largest of eight moves is below 1.73 / 32 standard deviations, 1.73 being typical, once in 10^11 elements.
"""


@dataclass(frozen=True)
class JudgedResult:
    """The judgement of one example with the known issues taken out."""

    example: Example
    result: Result
    judgement: Judgement
    partition: FindingPartition

    @property
    def failures(self) -> tuple[Finding, ...]:
        """The findings that no known issue accepts."""
        return self.partition.failures

    def failure(self, key: tuple[str, str]) -> Finding | None:
        """The failure of that oracle and tensor, if it is there."""
        return next((finding for finding in self.failures if finding.key == key), None)

    @property
    def verdict(self) -> CellState:
        """What a replay says of the example: failed, known issue or not; passed where at least one cell could tell."""
        if self.failures or self.partition.accepted:
            return CellState.FAILED
        trusted = [state for state in self.states().values() if state is not CellState.UNTRUSTED]
        return CellState.PASSED if trusted else CellState.UNTRUSTED

    @property
    def accepted_pairs(self) -> frozenset[tuple[str, str]]:
        """The (cell, tensor) pairs of which a known issue accepts something: how far out they are is no headroom."""
        return frozenset((cell, finding.tensor) for _, finding in self.partition.accepted for cell in finding.cells)

    def states(self) -> dict[str, CellState]:
        """Cell → the worst that was said of it; a known issue is there too where it keeps a part from being run.

        What the build that this one is compared with breaks as well counts as known.
        """
        accepted = [*(finding for _, finding in self.partition.accepted), *self.partition.in_baseline]
        observations = self.result.observations
        states = cell_states((each.cell for each in observations), self.judgement, accepted, self.failures)
        in_parts = {each.cell for each in observations if each.omitted} - _failed_cells(self.failures)
        return {**states, **dict.fromkeys(in_parts, CellState.KNOWN_ISSUE)}


def _failed_cells(failures: Iterable[Finding]) -> set[str]:
    return {cell for finding in failures for cell in finding.cells}


def cell_states(
    ran_in: Iterable[str],
    judgement: Judgement,
    accepted: Iterable[Finding],
    failures: Iterable[Finding],
) -> dict[str, CellState]:
    """Each of the cells → failed, known issue, untrusted or passed, the worst that was said of it."""
    cells = dict.fromkeys(ran_in, CellState.PASSED)
    for untrusted in judgement.untrusted.values():
        cells.update(dict.fromkeys(untrusted or tuple(cells), CellState.UNTRUSTED))
    for finding in accepted:
        cells.update(dict.fromkeys(finding.cells, CellState.KNOWN_ISSUE))
    for finding in failures:
        cells.update(dict.fromkeys(finding.cells, CellState.FAILED))
    return cells


def judge_result(case: Case, result: Result, known_issues: Sequence[KnownIssue]) -> JudgedResult:
    """Judge a result; where a known issue admits a coarser accumulator, judge again with its bound."""
    example, reference, observations = result.example, result.reference, result.observations
    judgement = judge(case, example, reference, observations)
    admitting = [issue for issue in known_issues if issue.accumulates_in and issue.holds(example)]
    within_looser: tuple[tuple[str, Finding], ...] = ()
    if any(issue.names(finding.tensor) for issue in admitting for finding in judgement.findings):
        looser = judge(case, example, reference, observations, accumulators=accumulators(admitting, example))
        within_looser = _dropped_findings(judgement, looser, admitting)
        judgement = looser
    others = [issue for issue in known_issues if not issue.accumulates_in]
    partition = subtract_known(judgement.findings, others, example)
    accepted = (*within_looser, *partition.accepted)
    return JudgedResult(example, result, judgement, FindingPartition(partition.failures, accepted))


def _may_be_chance(case: Case, finding: Finding) -> bool:
    is_normwise = finding.oracle == "values" and case.numerics.rule(finding.tensor) == "normwise"
    return is_normwise and max(finding.cells.values()) <= MOST_BY_CHANCE


def judge_run(case: Case, result: Result, known_issues: Sequence[KnownIssue], executor: Executor) -> JudgedResult:
    """Judge a result of that executor; what fails of a `normwise` tensor is judged again by a finer reference.

    How far roundings move a result is measured with a few perturbations, which one element in 400,000 hardly feels.
    """
    judged = judge_result(case, result, known_issues)
    if not any(_may_be_chance(case, finding) for finding in judged.failures):
        return judged
    return judge_result(case, refine_reference(executor, case, result), known_issues)


def _dropped_findings(
    strict: Judgement, looser: Judgement, known_issues: Sequence[KnownIssue]
) -> tuple[tuple[str, Finding], ...]:
    """The strict findings that the looser bound dropped in some cell, with the known issue that owns each."""
    still = {(finding.key, cell) for finding in looser.findings for cell in finding.cells}
    return tuple(
        (known_issue.id, finding)
        for finding in strict.findings
        for known_issue in known_issues
        if known_issue.names(finding.tensor)
        and any((finding.key, cell) not in still and cell in known_issue.cells for cell in finding.cells)
    )


def disturbance(result: Result) -> str:
    """``hang`` or ``crash`` where a worker or the reference ended in a way that need not be the kernel's; else nothing.

    Who was killed or stopped from outside looks like this, and so does a kernel that takes all the memory or never
    comes back. A fresh worker tells them apart.
    """
    if result.reference.status == "hung" or any(observation.status == "hung" for observation in result.observations):
        return "hang"
    killed = any(_was_killed(observation) for observation in result.observations)
    return "crash" if killed or result.reference.status == "died" else ""


def has_died(result: Result) -> bool:
    """Whether a worker, that of the reference included, ended in the example, however that was."""
    return "died" in {result.reference.status, *(observation.status for observation in result.observations)}


def _was_killed(observation: Observation) -> bool:
    return observation.status == "died" and observation.signal in FROM_OUTSIDE
