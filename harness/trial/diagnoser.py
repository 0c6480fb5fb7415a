"""Why a failure fails: its minimal example is run again with one thing changed at a time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from harness.core import Case, CellState, Example, Finding, Observation
from harness.execution import REFERENCE_LIMIT_FACTOR, Executor, Result
from harness.oracles import EMPTY, OWN_REFERENCE
from harness.trial.diagnosis import Diagnosis, Undecided, Variation, VariedAspect
from harness.trial.fatal_parts import HASTE, LOST, PartwiseRunner
from harness.trial.judged_result import JudgedResult, judge_result
from harness.trial.known_issues import DEATHS
from harness.trial.outcome import CellRow
from harness.trial.variations import Circumstances, VariedCall, variations

SECONDS: Final = 20.0
"""What the diagnosis of one failure may take."""

LATE: Final = "not run: the time budget was reached"


class _Verdict(NamedTuple):
    """Whether the failure stays with a variation; None where that is not known, and why."""

    stays: bool | None
    reason: str = ""


@dataclass(frozen=True)
class Symptom:
    """A minimal example, the finding of it, and the table of its cells.

    It shows when it runs `repeats` times, after the examples `after`, in a worker that has run nothing else. `inputs`
    are the strides of its tensors as it drew them, and `blind_cells` those in which nothing could have failed.
    """

    example: Example
    finding: Finding
    rows: Sequence[CellRow]
    repeats: int = 1
    after: tuple[Example, ...] = ()
    inputs: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    blind_cells: tuple[str, ...] = ()

    @property
    def cell(self) -> str:
        """The cell in which its variations run."""
        return next(iter(self.finding.cells))


@dataclass(frozen=True)
class Diagnoser:
    """Runs the variations of a failure's minimal example, in the first of the cells in which it fails.

    `clock` gives the seconds against which `seconds` are counted; once `late` says so, nothing more is run.
    """

    case: Case
    executor: Executor
    partwise: PartwiseRunner
    late: Callable[[], bool] = lambda: False
    clock: Callable[[], float] = time.monotonic
    seconds: float = SECONDS

    def diagnose(self, symptom: Symptom) -> Diagnosis:
        """What makes the failure go away, what does not, and what says nothing. Never raises for what a kernel does."""
        end = self.clock() + self.seconds
        outcomes = [*_level_outcomes(symptom), *self._outcomes(symptom, end)]
        return Diagnosis(
            goes_away=tuple(variation for variation, verdict in outcomes if verdict.stays is False),
            stays=tuple(variation for variation, verdict in outcomes if verdict.stays),
            undecided=tuple(
                Undecided(variation, verdict.reason) for variation, verdict in outcomes if verdict.stays is None
            ),
        )

    def _outcomes(self, symptom: Symptom, end: float) -> Iterator[tuple[Variation, _Verdict]]:
        """Each variation, with its verdict."""
        for varied in variations(self.case, symptom.example, self._circumstances(symptom)):
            left = end - self.clock()
            if self.late():
                verdict: _Verdict | None = _Verdict(None, LATE)
            elif left <= 0:
                verdict = _Verdict(None, f"not run: {self.seconds:g} s are all that a diagnosis gets")
            else:
                verdict = self._verdict(varied, symptom, left)
            if verdict is not None:
                yield varied.variation, verdict

    def _circumstances(self, symptom: Symptom) -> Circumstances:
        return Circumstances(
            runs_onednn=any(row.kernels for row in symptom.rows if row.cell == symptom.cell),
            is_poisoned=self.executor.is_isolating,
            can_do_without_preload=self.executor.preloads and self.executor.can_do_without_preload(self.case),
        )

    def _verdict(self, varied: VariedCall, symptom: Symptom, left: float) -> _Verdict | None:
        """The verdict of a variation that may take so many seconds; None where it turns out to vary nothing."""
        finding = symptom.finding
        if symptom.cell in self.partwise.fatal_cells(varied.example):
            return _Verdict(None, "not run: it is known to end the worker")
        result = self._run(varied, symptom, left)
        if varied.variation.aspect is VariedAspect.FORMAT and _has_inputs(result, symptom.inputs):
            return None
        judged = judge_result(varied.case, result, self.partwise.known_issues)
        keys = [finding.key, *([("repeat", finding.tensor)] if symptom.repeats > 1 else [])]
        failures = [failure for failure in map(judged.failure, keys) if failure is not None]
        if any(set(failure.layouts) & _layouts_of_interest(finding) for failure in failures):
            return _Verdict(stays=True)
        reason = _reason_undecided(judged, finding)
        return _Verdict(None if reason else False, reason)

    def _run(self, varied: VariedCall, symptom: Symptom, left: float) -> Result:
        usual = self.executor.limit / HASTE if symptom.finding.oracle == "hang" else self.executor.limit
        runs = symptom.repeats + len(symptom.after)
        return self.executor.run_isolated(
            varied.case,
            varied.example,
            cells=[symptom.cell],
            repeats=symptom.repeats,
            after=symptom.after,
            limit=min(max(usual, 1.0), left / (runs * REFERENCE_LIMIT_FACTOR)),
            settings=varied.settings,
        )


def _has_inputs(result: Result, inputs: Mapping[str, tuple[int, ...]]) -> bool:
    """Whether the call drew tensors with these very strides, so that nothing was varied."""
    drawn = [observation.inputs for observation in result.observations if observation.layout == "drawn"]
    return bool(inputs) and all(dict(each) == dict(inputs) for each in drawn)


def _layouts_of_interest(finding: Finding) -> set[str]:
    """The layouts in which a variation must fail: what is varied is the drawn one, if it fails at all."""
    return {"drawn"} if "drawn" in finding.layouts else set(finding.layouts)


def _level_outcomes(symptom: Symptom) -> Iterator[tuple[Variation, _Verdict]]:
    """What the table says of the other levels, each of which ran the example once."""
    for row in symptom.rows:
        if row.cell != symptom.cell:
            yield Variation(VariedAspect.LEVEL, row.cell), _level_verdict(row, symptom)


def _level_verdict(row: CellRow, symptom: Symptom) -> _Verdict:
    """The verdict of a row: what a check shows in one cell it could have shown in another."""
    if row.verdict is CellState.FAILED:
        return _Verdict(stays=True)
    if symptom.repeats > 1 or symptom.after:
        return _Verdict(None, "one call there did not fail")
    has_passed = row.verdict in (CellState.PASSED, CellState.UNTRUSTED) and row.cell not in symptom.blind_cells
    return _Verdict(stays=False) if has_passed else _Verdict(None, f"it is {row.verdict} there")


def _reason_undecided(judged: JudgedResult, finding: Finding) -> str:
    """Why a variation in which the failure does not show says nothing of it; empty where it says that it goes away."""
    accepted = [name for name, other in judged.partition.accepted if other.key == finding.key]
    if accepted:
        return f"known issue {accepted[0]} accepts it"
    if judged.result.reference.status in LOST:
        return f"the reference {judged.result.reference.status}"
    drawn = [each for each in judged.result.observations if each.layout == "drawn"]
    reasons = [reason for reason in (_reason_untold(each, finding) for each in drawn) if reason]
    if reasons or finding.oracle in DEATHS:
        return next(iter(reasons), "")
    untrusted = [reason for reason in (EMPTY, OWN_REFERENCE) if reason in judged.judgement.untrusted]
    return f"nothing was checked: {untrusted[0]}" if untrusted else ""


def _reason_untold(observation: Observation, finding: Finding) -> str:
    """Why an observation does not tell of the finding's tensor."""
    if observation.status in LOST:
        return f"the worker {observation.status}"
    if finding.oracle in ("error", *DEATHS):
        return ""
    if observation.status == "raised" and finding.tensor not in observation.tensors:
        return f"it raises {observation.error or 'Exception'}"
    is_missing = finding.oracle in ("values", "strides", "dtype", "range") and finding.tensor not in observation.tensors
    return f"it has no {finding.tensor}" if is_missing else ""
