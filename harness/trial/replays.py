"""What became of a known issue's reproducer in one build, whatever its entry says of releases."""

from __future__ import annotations

from harness.core import Case, KnownIssue, PlaceReplay, PlaceState, ReproducerState
from harness.execution import Executor, Result
from harness.golden import complete_layouts
from harness.trial.availability import reason_not_callable
from harness.trial.reproducers import check_reproducer


def replay_place(place: KnownIssue, case: Case, executor: Executor) -> PlaceReplay:
    """Run the reproducer of one place of a fault as every gate does, and say whether the build has the fault there.

    `case` is the reproducer's. A call that raises in every cell and in both layouts, where the fault is not that it
    raises, shows that the build does not have the operator, the argument or the dtype: the fault is not absent there.
    Nor is it where the call crashes or hangs in place of what the entry says, however often it is asked: what spoils
    memory does that too.
    """
    if lacking := reason_not_callable(case, executor):
        return PlaceReplay(PlaceState.NOT_AVAILABLE, lacking)
    check = check_reproducer(place, case, place.reproducer.dtype, executor)
    if check.state is ReproducerState.STILL_FAILS:
        return PlaceReplay(PlaceState.FAILS)
    if check.state is not ReproducerState.STALE or check.ends_worker:
        return PlaceReplay(PlaceState.NOT_CHECKED, check.detail)
    if refusal := describe_refusal(_run_everywhere(place, case, executor)):
        return PlaceReplay(PlaceState.NOT_AVAILABLE, refusal)
    return PlaceReplay(PlaceState.DOES_NOT_FAIL, check.detail)


def _run_everywhere(place: KnownIssue, case: Case, executor: Executor) -> Result:
    cells = [cell.name for cell in executor.cells if cell.name in place.cells]
    return executor.run_isolated(case, complete_layouts(case, place.reproducer), cells=cells)


def describe_refusal(result: Result) -> str:
    """What the reference or every cell raised in place of a result; nothing where one returned."""
    if result.reference.status == "raised":
        return f"{result.reference.error}: {result.reference.message}"
    if result.observations and all(observation.status == "raised" for observation in result.observations):
        first = result.observations[0]
        return f"{first.error}: {first.message}"
    return ""
