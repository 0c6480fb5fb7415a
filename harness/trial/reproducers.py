"""Whether the reproducer of a known issue still fails as its entry says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from harness.core import Case, Example, KnownIssue, ReproducerCheck, ReproducerState
from harness.execution import Executor
from harness.golden import complete_layouts
from harness.trial.fatal_parts import REPEATS
from harness.trial.judged_result import JudgedResult, judge_result
from harness.trial.known_issues import DEATHS

MOST_AFTER_DEATHS: Final = 4
"""So often what ended its worker in place of what its entry says is asked again, once each time.

What writes to memory that is not its own may end the call or spoil its numbers, and the sooner the more often it runs.
"""


def check_reproducer(known_issue: KnownIssue, case: Case, dtype: str, executor: Executor) -> ReproducerCheck:
    """What became of the reproducer in the item of that case and dtype, in a worker of its own.

    One level is enough to fail at, and it is tried first; what comes and goes is not stale because it stayed away once.
    """
    reproducer = known_issue.reproducer
    if (reproducer.case, reproducer.dtype) != (case.id, dtype):
        item = f"{reproducer.case.rpartition('::')[2]}[{reproducer.dtype}]"
        return ReproducerCheck(ReproducerState.OF_ANOTHER_ITEM, item)
    reproducer = complete_layouts(case, reproducer)
    cells = tuple(cell.name for cell in executor.cells if cell.name in known_issue.cells)
    if not cells:
        reason = f"no cell of {', '.join(known_issue.cells)} on this machine"
        return ReproducerCheck(ReproducerState.NOT_CHECKED, reason)
    otherwise, ends_worker = "", False
    attempts = [*dict.fromkeys(((cells[:1], 1), (cells, 1), (cells, REPEATS)))]
    while attempts:
        some, repeats = attempts.pop(0)
        judged = _judge(known_issue, case, reproducer, executor, some, repeats)
        if any(name == known_issue.id for name, _ in judged.partition.accepted):
            return ReproducerCheck(ReproducerState.STILL_FAILS)
        otherwise = otherwise or "; ".join(finding.message for finding in judged.failures)
        if not ends_worker and any(finding.oracle in DEATHS for finding in judged.failures):
            ends_worker = True
            attempts += [(cells, 1)] * MOST_AFTER_DEATHS
    if lost := [level for level in executor.lost_levels if level in known_issue.cells]:
        reason = f"{', '.join(lost)}: {executor.lost_levels[lost[0]]}"
        return ReproducerCheck(ReproducerState.NOT_CHECKED, reason)
    detail = f"its reproducer does not fail that way any more ({otherwise or 'it passes'})"
    return ReproducerCheck(ReproducerState.STALE, detail, ends_worker=ends_worker)


def _judge(  # noqa: PLR0913, PLR0917 - what runs, and where
    known_issue: KnownIssue, case: Case, reproducer: Example, executor: Executor, cells: Sequence[str], repeats: int
) -> JudgedResult:
    return judge_result(case, executor.run_isolated(case, reproducer, cells=cells, repeats=repeats), [known_issue])
