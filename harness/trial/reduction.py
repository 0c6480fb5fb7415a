"""From a failing example to the smallest that fails in the same way, confirmed in a fresh worker."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from harness.core import Case, CellState, Example, Finding, KnownIssue
from harness.execution import Executor, Result
from harness.generation import shrink
from harness.trial.judged_result import JudgedResult, judge_result
from harness.trial.known_issues import DEATHS, fatal_cells
from harness.trial.outcome import CellRow, Failure

REPEATS = 24
"""How often a fresh worker runs an example whose fault comes and goes; one call in ten shows with probability 0.92."""

TRACED_BACK = 100
"""How many earlier examples may be tried, one by one, to find the one that spoiled a worker."""

HASTE = 10
"""While a hang is shrunk, a candidate hangs once it outlasts this part of the time limit; the last one gets it all."""

AGAIN = "again in a fresh worker"
NOT_AT_EVERY_CALL = f"in a fresh worker, not at every call ({REPEATS} tried)"
ONCE = "not again in a fresh worker: seen once"
NEVER_ALONE = "not in a fresh worker, nor after any one of the worker's last examples"


@dataclass(frozen=True)
class Reducer:
    """Shrinks and confirms the failures of one trial. Once `late` says so, no smaller example is tried."""

    case: Case
    executor: Executor
    known_issues: Sequence[KnownIssue]
    attempts: int
    late: Callable[[], bool]

    def reduce(self, original: Example, finding: Finding, why: str, before: Sequence[Example] = ()) -> Failure:
        """The minimal failure with the same oracle and tensor. Never raises for what a kernel does.

        `original` is the example that showed it first, `why` the reason that it is declared for, if it is. `before`
        are the examples that the same worker had run, oldest first.
        """
        if finding.oracle in DEATHS:
            minimal = self._shrink_isolated(original, finding, repeats=1)
            confirmed = AGAIN
        elif self._fails_again(original, finding) and self._fails_again(original, finding):
            minimal = self._shrink(original, lambda example: self._fails_again(example, finding), self.attempts)
            confirmed = self._confirmation(minimal, finding, before)
        else:
            minimal = self._shrink_isolated(original, finding, repeats=REPEATS)
            confirmed = NOT_AT_EVERY_CALL
        if minimal is None:
            minimal, confirmed = original, ONCE
        return self._failure(minimal, finding, original, why, confirmed)

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
        deadly = fatal_cells(self.known_issues, example)
        return tuple(cell for cell in cells if cell not in deadly)

    def _fails_again(self, example: Example, finding: Finding) -> bool:
        cells = self._safe_cells(example, finding.cells)[:1]  # one cell is enough to shrink by
        results = self.executor.run(self.case, [example], cells=cells) if cells else ()
        return any(self._judge(result).failure(finding.key) for result in results)

    def _judge(self, result: Result) -> JudgedResult:
        return judge_result(self.case, result, self.known_issues)

    def _failure_alone(
        self, example: Example, finding: Finding, repeats: int, *, hasty: bool = False
    ) -> Finding | None:
        """The failure as a fresh worker shows it, in one of the finding's cells: same key, or bits that vary."""
        cells = tuple(finding.cells)[:1]
        limit = max(self.executor.limit / HASTE, 1.0) if hasty and finding.oracle == "hang" else None
        judged = self._judge(self.executor.run_isolated(self.case, example, cells=cells, repeats=repeats, limit=limit))
        varies = judged.failure(("repeat", finding.tensor)) if repeats > 1 else None
        return judged.failure(finding.key) or varies

    @property
    def _few_attempts(self) -> int:
        """Attempts where each costs a fork."""
        return max(self.attempts // 4, 20)

    def _confirmation(self, minimal: Example, finding: Finding, before: Sequence[Example]) -> str:
        """How the fault behaves in a fresh worker: by itself, after an earlier example, or not at all."""
        if self._failure_alone(minimal, finding, 1) is not None:
            return AGAIN
        culprit = self._culprit(minimal, finding, before)
        return f"only after {culprit.to_json()} in the same worker" if culprit else NEVER_ALONE

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

    def _failure(self, minimal: Example, finding: Finding, original: Example, why: str, confirmed: str) -> Failure:
        """The failure with its table of all cells, taken from a last run of the minimal example."""
        if finding.oracle in DEATHS:
            result = self.executor.run_isolated(self.case, minimal)
        else:
            cells = self._safe_cells(minimal, (cell.name for cell in self.executor.cells))
            result = next(iter(self.executor.run(self.case, [minimal], cells=cells)))
        judged = self._judge(result)
        final = judged.failure(finding.key) or finding
        return Failure(final, minimal, original, cell_rows(judged, final), confirmed, why)


def cell_rows(judged: JudgedResult, finding: Finding) -> tuple[CellRow, ...]:
    """Cell by cell: failed or not, how far out of its bound, and the oneDNN kernels that ran."""
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
        )
        for cell, counts in kernels.items()
    )
