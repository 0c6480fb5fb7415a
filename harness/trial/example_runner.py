"""Running and judging the examples of a case in one executor, around the parts that a known crash or hang is about."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from harness.core import Case, Example, KnownIssue
from harness.core.case import RARE_PATHS
from harness.execution import Executor, RedundantLevels, Result
from harness.trial.fatal_parts import PartwiseRunner
from harness.trial.judged_result import JudgedResult, disturbance, has_died, judge_run
from harness.trial.trace_selection import TraceSelection

FRESH_WORKERS: Final = 2
"""Fresh workers asked whether a death was the kernel's; the first may have been killed along with the other."""

MOST_DEATHS_MET: Final = 3
"""So many examples of each known crash or hang run whole where rediscovery is measured: each costs a worker."""

MOST_TRACED: Final = 10
"""Examples of a trial whose ATen operators are traced; tracing costs more than running."""


@dataclass
class _Group:
    """What is learnt of the examples that run in the same cells, from one batch of them to the next."""

    redundant: RedundantLevels
    traces: TraceSelection


@dataclass
class ExampleRunner:
    """Runs examples of one case in one executor, and judges each with the known issues taken out.

    `skipped` counts by cell the examples that another cell answered for, `incidents` are sentences about workers that
    were ended from outside; both grow. `rediscovers`: a few examples of each known crash or hang run whole, to see
    whether it is met.
    """

    case: Case
    executor: Executor
    known_issues: Sequence[KnownIssue]
    rediscovers: bool = False
    skipped: Counter[str] = field(default_factory=Counter, init=False)
    incidents: list[str] = field(default_factory=list, init=False)
    partwise: PartwiseRunner = field(init=False)
    _confirmed_ends: set[str] = field(default_factory=set, init=False)
    _deaths_met: Counter[str] = field(default_factory=Counter, init=False)
    _groups: dict[tuple[str, ...], _Group] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self.partwise = PartwiseRunner(self.case, self.executor, self.known_issues)

    def judge_examples(
        self, examples: Sequence[Example], keep_out: Callable[[Example], None]
    ) -> Iterator[JudgedResult]:
        """Judge them, in order but for those that are known to kill a cell, which run there without the part that does.

        An example of which nothing can be run anywhere is handed to `keep_out` instead.
        """
        groups: dict[frozenset[str], list[Example]] = {}
        for example in examples:
            groups.setdefault(self._cells_kept_out(example), []).append(example)
        for cells in sorted(groups, key=sorted):
            yield from self._judge_group(groups[cells], cells, keep_out)

    def _cells_kept_out(self, example: Example) -> frozenset[str]:
        """The cells in which the example must not be run as a whole."""
        cells = self.partwise.fatal_cells(example)
        issues = {issue.name for cell in cells for issue in self.partwise.issues(example, cell)}
        if self.rediscovers and any(self._deaths_met[name] < MOST_DEATHS_MET for name in issues):
            self._deaths_met.update(issues)
            return frozenset()
        if example.path in RARE_PATHS:  # what is compiled at one more level costs as much again
            few = self.executor.representative_cells
            few = few[-1:] if example.path == "compile" else few
            return frozenset(cells).union(cell.name for cell in self.executor.cells if cell.name not in few)
        return frozenset(cells)

    def judge(self, result: Result) -> JudgedResult:
        """The judgement of a result of this executor."""
        return judge_run(self.case, result, self.known_issues, self.executor)

    def _judge_group(
        self, examples: Sequence[Example], without: Collection[str], keep_out: Callable[[Example], None]
    ) -> Iterator[JudgedResult]:
        kept = [cell.name for cell in self.executor.cells if cell.name not in without]
        if not kept:
            yield from self._judge_parts(examples, keep_out)
            return
        cells = [cell for cell in self.executor.cells if cell.name in kept]
        group = self._groups.setdefault(
            tuple(kept), _Group(RedundantLevels(cells), TraceSelection(self.case, MOST_TRACED))
        )
        traced = group.traces.select(examples)
        for result in self.executor.run(self.case, examples, cells=kept, traced=traced, redundant=group.redundant):
            self.skipped.update(result.skipped)
            undisturbed = self._undisturbed_result(result, kept, is_traced=result.example in traced)
            yield self.judge(self.partwise.add_observations(undisturbed))

    def _judge_parts(self, examples: Sequence[Example], keep_out: Callable[[Example], None]) -> Iterator[JudgedResult]:
        """Judge examples that must not be run as a whole anywhere, where the reference might die of it too."""
        for example in examples:
            if result := self.partwise.run(example, self.partwise.fatal_cells(example)):
                yield self.judge(result)
            else:
                keep_out(example)

    def _undisturbed_result(self, result: Result, cells: Collection[str], *, is_traced: bool) -> Result:
        """The result, or a fresh worker's where the first was ended from outside: then the fault does not come back.

        The profiler, by which operators are traced, may end a worker too, and does not run in a fresh one.
        """
        kind = disturbance(result) or ("crash" if is_traced and has_died(result) else "")
        if not kind or kind in self._confirmed_ends:
            return result
        for _ in range(FRESH_WORKERS):
            fresh = self.executor.run_isolated(self.case, result.example, cells=cells)
            if not disturbance(fresh):
                if not has_died(fresh):
                    about = result.example.to_json()
                    self.incidents.append(
                        f"the {kind} did not come back in a fresh worker, whose answer counts: {about}"
                    )
                return fresh
        self._confirmed_ends.add(kind)
        return result
