"""Whether the reproducer of a known issue still fails as its entry says."""

from __future__ import annotations

from harness.core import Case, KnownIssue, ReproducerCheck, ReproducerState
from harness.execution import Executor
from harness.golden import complete_layouts
from harness.trial.fatal_parts import REPEATS
from harness.trial.judged_result import judge_result


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
    otherwise = ""
    for some, repeats in dict.fromkeys(((cells[:1], 1), (cells, 1), (cells, REPEATS))):
        result = executor.run_isolated(case, reproducer, cells=some, repeats=repeats)
        judged = judge_result(case, result, [known_issue])
        if any(name == known_issue.id for name, _ in judged.partition.accepted):
            return ReproducerCheck(ReproducerState.STILL_FAILS)
        otherwise = otherwise or "; ".join(finding.message for finding in judged.failures)
    detail = f"its reproducer does not fail that way any more ({otherwise or 'it passes'})"
    return ReproducerCheck(ReproducerState.STALE, detail)
