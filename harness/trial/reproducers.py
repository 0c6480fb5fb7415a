"""Whether the reproducer of a known issue still fails as its entry says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from harness.core import Case, Example, KnownIssue, ReproducerCheck, ReproducerState
from harness.execution import Executor, Result
from harness.golden import complete_layouts
from harness.trial.fatal_parts import REPEATS
from harness.trial.judged_result import judge_result
from harness.trial.known_issues import DEATHS

MOST_AFTER_DEATHS: Final = 4
"""So often what ended its worker in place of what its entry says is asked again, once each time.

What writes to memory that is not its own may end the call or spoil its numbers, and the sooner the more often it runs.
"""


def check_reproducer(known_issue: KnownIssue, case: Case, dtype: str, executor: Executor) -> ReproducerCheck:
    """What became of the reproducer in the item of that case and dtype, in a worker of its own.

    One level is enough to fail at, and it is tried first; what comes and goes is not stale because it stayed away once.
    """
    return send_reproducer(known_issue, case, dtype, executor)()


def send_reproducer(
    known_issue: KnownIssue, case: Case, dtype: str, executor: Executor
) -> Callable[[], ReproducerCheck]:
    """Let the reproducer run at its first level and return while it does; the answer waits for what became of it."""
    reproducer = known_issue.reproducer
    if (reproducer.case, reproducer.dtype) != (case.id, dtype):
        item = f"{reproducer.case.rpartition('::')[2]}[{reproducer.dtype}]"
        return lambda: ReproducerCheck(ReproducerState.OF_ANOTHER_ITEM, item)
    cells = tuple(cell.name for cell in executor.cells if cell.name in known_issue.cells)
    if not cells:
        reason = f"no cell of {', '.join(known_issue.cells)} on this machine"
        return lambda: ReproducerCheck(ReproducerState.NOT_CHECKED, reason)
    complete = complete_layouts(case, reproducer)
    result = executor.send_isolated(case, complete, cells=cells[:1])
    return lambda: _ReproducerTrial(known_issue, case, complete, executor, cells).check(result())


@dataclass
class _ReproducerTrial:
    """A reproducer that runs, at the first of its levels and where it does not show there at all of them."""

    known_issue: KnownIssue
    case: Case
    reproducer: Example
    executor: Executor
    cells: tuple[str, ...]
    otherwise: str = ""
    """What the first run that failed in another way came to."""
    ends_worker: bool = False

    def check(self, first: Result) -> ReproducerCheck:
        """What became of it, which has come to `first` at its first level."""
        if self._is_shown_by(first) or self._is_shown_again():
            return ReproducerCheck(ReproducerState.STILL_FAILS)
        lost_levels = self.executor.lost_levels
        if lost := [level for level in lost_levels if level in self.known_issue.cells]:
            return ReproducerCheck(ReproducerState.NOT_CHECKED, f"{', '.join(lost)}: {lost_levels[lost[0]]}")
        detail = f"its reproducer does not fail that way any more ({self.otherwise or 'it passes'})"
        return ReproducerCheck(ReproducerState.STALE, detail, ends_worker=self.ends_worker)

    def _is_shown_again(self) -> bool:
        """Whether it shows at all levels, once or in many runs; more often where it has ended its worker."""
        attempts = [repeats for repeats in (1, REPEATS) if repeats > 1 or len(self.cells) > 1]
        attempts += [1] * MOST_AFTER_DEATHS if self.ends_worker else []
        while attempts:
            had_ended, repeats = self.ends_worker, attempts.pop(0)
            run = self.executor.run_isolated
            if self._is_shown_by(run(self.case, self.reproducer, cells=self.cells, repeats=repeats)):
                return True
            attempts += [1] * MOST_AFTER_DEATHS if self.ends_worker and not had_ended else []
        return False

    def _is_shown_by(self, result: Result) -> bool:
        """Whether the known issue accepts something of the result; what it came to otherwise is noted."""
        judged = judge_result(self.case, result, [self.known_issue])
        if any(name == self.known_issue.id for name, _ in judged.partition.accepted):
            return True
        self.otherwise = self.otherwise or "; ".join(finding.message for finding in judged.failures)
        self.ends_worker |= any(finding.oracle in DEATHS for finding in judged.failures)
        return False
