"""From a failing example to the smallest that fails in the same way, confirmed in a fresh worker."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from harness.core import Case, CellState, Example, Finding, KnownIssue
from harness.execution import Executor, Result
from harness.generation import shrink
from harness.trial.judged_result import JudgedResult, rule
from harness.trial.known_issues import DEATHS, fatal_cells
from harness.trial.outcome import CellRow, Failure

REPEATS = 24
"""How often a fresh worker runs an example whose fault comes and goes; one call in ten shows with probability 0.92."""

TRACED_BACK = 100
"""How many earlier examples may be tried, one by one, to find the one that spoiled a worker."""

HASTE = 10
"""While a hang is shrunk, a candidate hangs once it outlasts this part of the time limit; the last one gets it all."""

AGAIN = "again in a fresh worker"


@dataclass(frozen=True)
class Reducer:
    """Shrinks and confirms the failures of one trial. Once `late` says so, no smaller example is tried."""

    case: Case
    executor: Executor
    known_issues: Sequence[KnownIssue]
    attempts: int
    late: Callable[[], bool]

    def reduce(self, found: Example, finding: Finding, why: str, before: Sequence[Example] = ()) -> Failure:
        """The minimal failure with the same oracle and tensor. Never raises for what a kernel does.

        `before` are the examples that the same worker had run, oldest first.
        """
        if finding.oracle in DEATHS:
            minimal = self._shrunk_isolated(found, finding, repeats=1)
            if minimal is None:
                return self._unconfirmed(found, finding, why)
            return self._failure(minimal, finding, found, why, AGAIN)
        if self._again(found, finding) and self._again(found, finding):
            minimal = self._shrunk(found, lambda example: self._again(example, finding), self.attempts)
            return self._confirmed(minimal, finding, found, why, before)
        unstable = self._shrunk_isolated(found, finding, repeats=REPEATS)
        if unstable is None:
            return self._unconfirmed(found, finding, why)
        return self._failure(unstable, finding, found, why, f"in a fresh worker, not at every call ({REPEATS} tried)")

    def _shrunk(self, found: Example, fails: Callable[[Example], bool], attempts: int) -> Example:
        return shrink(self.case, found, lambda example: not self.late() and fails(example), attempts)

    def _safe(self, example: Example, cells: Iterable[str]) -> tuple[str, ...]:
        """These cells without those in which the example is known to crash or hang."""
        deadly = fatal_cells(self.known_issues, example)
        return tuple(cell for cell in cells if cell not in deadly)

    def _again(self, example: Example, finding: Finding) -> bool:
        cells = self._safe(example, finding.cells)[:1]  # one cell is enough to shrink by
        results = self.executor.run(self.case, [example], cells=cells) if cells else ()
        return any(self._rule(result).failure(finding.key) for result in results)

    def _rule(self, result: Result) -> JudgedResult:
        return rule(self.case, result, self.known_issues)

    def _alone(self, example: Example, finding: Finding, repeats: int, *, hasty: bool = False) -> Finding | None:
        """The failure as a fresh worker shows it, in one of the finding's cells: same key, or bits that vary."""
        cells = tuple(finding.cells)[:1]
        limit = max(self.executor.limit / HASTE, 1.0) if hasty and finding.oracle == "hang" else None
        judged = self._rule(self.executor.run_isolated(self.case, example, cells=cells, repeats=repeats, limit=limit))
        varies = judged.failure(("repeat", finding.tensor)) if repeats > 1 else None
        return judged.failure(finding.key) or varies

    def _shrunk_isolated(self, found: Example, finding: Finding, repeats: int) -> Example | None:
        if self._alone(found, finding, repeats) is None:
            return None
        minimal = self._shrunk(
            found, lambda example: self._alone(example, finding, repeats, hasty=True) is not None, self._few
        )
        return minimal if self._alone(minimal, finding, repeats) is not None else found

    @property
    def _few(self) -> int:
        """Attempts where each costs a fork."""
        return max(self.attempts // 4, 20)

    def _confirmed(
        self, minimal: Example, finding: Finding, found: Example, why: str, before: Sequence[Example]
    ) -> Failure:
        if self._alone(minimal, finding, 1) is not None:
            return self._failure(minimal, finding, found, why, AGAIN)
        culprit = self._culprit(minimal, finding, before)
        note = (
            f"only after {culprit.to_json()} in the same worker"
            if culprit
            else "not in a fresh worker, nor after any one of the worker's last examples"
        )
        return self._failure(minimal, finding, found, why, note)

    def _culprit(self, example: Example, finding: Finding, before: Sequence[Example]) -> Example | None:
        """The newest earlier example after which this one fails in a fresh worker, made as small as can be.

        The executor's own history is of no use here: what was tried while shrinking has pushed out what ran before.
        """
        cells = tuple(finding.cells)[:1]

        def spoils(earlier: Example) -> bool:
            """Whether the example fails after this one."""
            result = self.executor.run_isolated(self.case, example, cells=cells, after=(earlier,))
            return self._rule(result).failure(finding.key) is not None

        for earlier in before[: -TRACED_BACK - 1 : -1]:
            if spoils(earlier):
                return self._shrunk(earlier, spoils, self._few)
        return None

    def _unconfirmed(self, found: Example, finding: Finding, why: str) -> Failure:
        return self._failure(found, finding, found, why, "not again in a fresh worker: seen once")

    def _failure(self, minimal: Example, finding: Finding, found: Example, why: str, confirmed: str) -> Failure:
        """The failure with its table of all cells, taken from a last run of the minimal example."""
        if finding.oracle in DEATHS:
            result = self.executor.run_isolated(self.case, minimal)
        else:
            cells = self._safe(minimal, (cell.name for cell in self.executor.cells))
            result = next(iter(self.executor.run(self.case, [minimal], cells=cells)))
        judged = self._rule(result)
        final = judged.failure(finding.key) or finding
        return Failure(final, minimal, found, table(judged, final), confirmed, why)


def table(judged: JudgedResult, finding: Finding) -> tuple[CellRow, ...]:
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
            tuple(sorted(used)),
        )
        for cell, used in kernels.items()
    )
