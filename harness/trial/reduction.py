"""From a failing example to the smallest that fails in the same way, confirmed in a fresh worker."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from harness.core import Case, CellState, Example, Finding, KnownIssue, Pattern
from harness.execution import Executor, Result
from harness.generation import shrink
from harness.oracles import NOTHING_JUDGED, first_elements
from harness.trial.diagnoser import Diagnoser, Symptom
from harness.trial.diagnosis import Diagnosis, diagnosed_kind
from harness.trial.fatal_parts import HASTE, REPEATS, PartwiseRunner
from harness.trial.judged_result import JudgedResult, judge_result
from harness.trial.known_issues import DEATHS
from harness.trial.location import Locator
from harness.trial.outcome import CellRow, Failure

TRACED_BACK = 100
"""How many earlier examples may be tried, one by one, to find the one that spoiled a worker."""


@dataclass(frozen=True)
class Confirmation:
    """How a fault behaves in a fresh worker, in words, and how it is made to show there.

    It shows in one of `repeats` calls after the examples `after`; `shows` is False where it was not made to.
    """

    words: str
    repeats: int = 1
    after: tuple[Example, ...] = ()
    shows: bool = True

    @property
    def is_steady(self) -> bool:
        """Whether one call of the example alone shows the fault."""
        return self.shows and self.repeats == 1 and not self.after


AGAIN = Confirmation("again in a fresh worker")
NOT_AT_EVERY_CALL = Confirmation(f"in a fresh worker, not at every call ({REPEATS} tried)", repeats=REPEATS)
ONCE = Confirmation("not again in a fresh worker: seen once", shows=False)
NEVER_ALONE = Confirmation("not in a fresh worker, nor after any one of the worker's last examples", shows=False)


@dataclass(frozen=True)
class Reducer:
    """Shrinks and confirms the failures of one trial. Once `late` says so, no smaller example is tried.

    Where an example is known to crash or hang, `partwise` runs it without the part that does. What `is_elsewhere` says
    another build shows too is no failure: an example is made smaller only while it fails in this build alone.
    """

    case: Case
    executor: Executor
    known_issues: Sequence[KnownIssue]
    attempts: int
    late: Callable[[], bool]
    partwise: PartwiseRunner
    is_elsewhere: Callable[[Example, Finding], bool] | None = None

    def reduce(self, original: Example, finding: Finding, why: str, before: Sequence[Example] = ()) -> Failure:
        """The minimal failure with the same oracle and tensor. Never raises for what a kernel does.

        `original` is the example that showed it first, `why` the reason that it is declared for, if it is. `before`
        are the examples that the same worker had run, oldest first.
        """
        minimal, confirmation = self.minimise(original, finding, before)
        return self._failure(minimal, finding, original, why, confirmation)

    def minimise(
        self, original: Example, finding: Finding, before: Sequence[Example] = ()
    ) -> tuple[Example, Confirmation]:
        """The smallest example with the same oracle and tensor, and how the fault behaves there; nothing is diagnosed.

        It is `original` where that does not fail again.
        """
        if finding.oracle in DEATHS:
            minimal = self._shrink_isolated(original, finding, repeats=1)
            confirmation = AGAIN
        elif self._fails_again(original, finding) and self._fails_again(original, finding):
            smaller = self._shrink(original, lambda example: self._fails_again(example, finding), self.attempts)
            return smaller, self._confirmation(smaller, finding, before)
        else:
            minimal = self._shrink_isolated(original, finding, repeats=REPEATS)
            confirmation = NOT_AT_EVERY_CALL
        return (original, ONCE) if minimal is None else (minimal, confirmation)

    def _shrink(self, example: Example, fails: Callable[[Example], bool], attempts: int) -> Example:
        return shrink(self.case, example, lambda smaller: not self.late() and fails(smaller), attempts)

    def _shrink_isolated(self, original: Example, finding: Finding, repeats: int) -> Example | None:
        """The smallest example that fails in a fresh worker; None where not even the original does."""
        if self._failure_alone(original, finding, repeats) is None:
            return None

        def fails(example: Example) -> bool:
            """Whether the example fails in a fresh worker, in less time than the last one gets."""
            return self._failure_alone(example, finding, repeats, hasty=True) is not None

        minimal = self._shrink(original, fails, self._few_attempts)
        return minimal if self._failure_alone(minimal, finding, repeats) is not None else original

    def _safe_cells(self, example: Example, cells: Iterable[str]) -> tuple[str, ...]:
        """These cells without those in which the example is known to crash or hang."""
        fatal = self.partwise.fatal_cells(example)
        return tuple(cell for cell in cells if cell not in fatal)

    def _fails_again(self, example: Example, finding: Finding) -> bool:
        cells = self._safe_cells(example, finding.cells)[:1]  # one cell is enough to shrink by
        if cells:
            result: Result | None = next(iter(self.executor.run(self.case, [example], cells=cells)))
        else:
            result = self.partwise.run(example, tuple(finding.cells)[:1])
        return self._failure_in(result, finding) is not None and not self._is_shared(example, finding)

    def _is_shared(self, example: Example, finding: Finding) -> bool:
        return self.is_elsewhere is not None and self.is_elsewhere(example, finding)

    def _failure_in(self, result: Result | None, finding: Finding) -> Finding | None:
        return None if result is None else self._judge(result).failure(finding.key)

    def _judge(self, result: Result) -> JudgedResult:
        return judge_result(self.case, result, self.known_issues)

    def _failure_alone(
        self, example: Example, finding: Finding, repeats: int, *, hasty: bool = False
    ) -> Finding | None:
        """The failure as a fresh worker shows it, in one of the finding's cells: same key, or bits that vary."""
        cells = tuple(finding.cells)[:1]
        limit = max(self.executor.limit / HASTE, 1.0) if hasty and finding.oracle == "hang" else None
        if finding.oracle in DEATHS or self._safe_cells(example, cells):
            result = self.executor.run_isolated(self.case, example, cells=cells, repeats=repeats, limit=limit)
        elif (parts := self.partwise.run(example, cells, repeats=repeats)) is None:
            return None
        else:
            result = parts
        judged = self._judge(result)
        varies = judged.failure(("repeat", finding.tensor)) if repeats > 1 else None
        failure = judged.failure(finding.key) or varies
        return None if failure and self._is_shared(example, finding) else failure

    @property
    def _few_attempts(self) -> int:
        """Attempts where each costs a fork."""
        return max(self.attempts // 4, 20)

    def _confirmation(self, minimal: Example, finding: Finding, before: Sequence[Example]) -> Confirmation:
        """How the fault behaves in a fresh worker: by itself, after an earlier example, or not at all."""
        if self._failure_alone(minimal, finding, 1) is not None:
            return AGAIN
        culprit = self._culprit(minimal, finding, before)
        if culprit is None:
            return NEVER_ALONE
        return Confirmation(f"only after {culprit.to_json()} in the same worker", after=(culprit,))

    def _culprit(self, example: Example, finding: Finding, before: Sequence[Example]) -> Example | None:
        """The newest earlier example after which this one fails in a fresh worker, made as small as can be.

        The executor's own history is of no use here: what was tried while shrinking has pushed out what ran before.
        """
        cells = tuple(finding.cells)[:1]

        def spoils(earlier: Example) -> bool:
            """Whether the example fails after this one."""
            result = self.executor.run_isolated(self.case, example, cells=cells, after=(earlier,))
            return self._judge(result).failure(finding.key) is not None

        for earlier in before[: -TRACED_BACK - 1 : -1]:
            if spoils(earlier):
                return self._shrink(earlier, spoils, self._few_attempts)
        return None

    def _failure(
        self, minimal: Example, finding: Finding, original: Example, why: str, confirmation: Confirmation
    ) -> Failure:
        """The failure with its table of all cells, taken from a last run of the minimal example; where, and why."""
        if finding.oracle in DEATHS:
            result = self.executor.run_isolated(self.case, minimal)
        else:
            result = self._run_everywhere(minimal)
        judged = self._judge(result)
        final = judged.failure(finding.key) or finding
        rows = cell_rows(judged, final)
        diagnosis = self._diagnosis(judged, final, rows, confirmation)
        return Failure(
            replace(final, kind=diagnosed_kind(final.kind, diagnosis)),
            minimal,
            original,
            rows,
            confirmation.words,
            why,
            pattern=self._pattern(minimal, final, confirmation),
            elements=first_elements(final.mismatch) if final.mismatch else (),
            diagnosis=diagnosis,
            operators=tuple(dict.fromkeys(name for each in result.observations for name in each.operators)),
            earlier=next(iter(confirmation.after), None),
            is_fickle=confirmation.repeats > 1,
        )

    def _pattern(self, minimal: Example, finding: Finding, confirmation: Confirmation) -> Pattern:
        locator = Locator(self.case, self.executor, self.partwise)
        return locator.locate(minimal, finding, enlarge=confirmation.is_steady and not self.late())

    def _diagnosis(
        self, judged: JudgedResult, finding: Finding, rows: Sequence[CellRow], confirmation: Confirmation
    ) -> Diagnosis:
        """What makes the fault go away; nothing of what cannot be made to show."""
        if not confirmation.shows:
            return Diagnosis()
        drawn = {each.cell: each.inputs for each in judged.result.observations if each.layout == "drawn"}
        symptom = Symptom(
            judged.example,
            finding,
            rows,
            confirmation.repeats,
            confirmation.after,
            inputs=drawn.get(next(iter(finding.cells)), {}),
            blind_cells=judged.judgement.untrusted.get(NOTHING_JUDGED, ()),
        )
        return Diagnoser(self.case, self.executor, self.partwise, self.late).diagnose(symptom)

    def _run_everywhere(self, example: Example) -> Result:
        """The example in all cells, in those where it is known to crash or hang without the part that does."""
        cells = self._safe_cells(example, (cell.name for cell in self.executor.cells))
        if not cells and (parts := self.partwise.run(example, self.partwise.fatal_cells(example))):
            return parts
        results = self.executor.run(self.case, [example], cells=cells, traced=[example])
        return self.partwise.add_observations(next(iter(results)))


def cell_rows(judged: JudgedResult, finding: Finding) -> tuple[CellRow, ...]:
    """Cell by cell: failed or not, how far out of its bound, the oneDNN kernels and the foreign operators that ran.

    Operators are traced in some of the cells only, and are the same in all.
    """
    operators = tuple(dict.fromkeys(name for each in judged.result.observations for name in each.foreign))
    kernels: dict[str, dict[str, int]] = {}
    for observation in judged.result.observations:
        kernels.setdefault(observation.cell, {}).update(observation.kernels)
    states = judged.states()
    return tuple(
        CellRow(
            cell,
            CellState.FAILED if cell in finding.cells else states[cell],
            finding.cells.get(cell, judged.judgement.ratios.get((cell, finding.tensor), 0.0)),
            tuple(sorted(counts)),
            operators,
        )
        for cell, counts in kernels.items()
    )
