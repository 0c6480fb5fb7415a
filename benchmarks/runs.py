"""Examples that are run and judged as in a gate, and what each process used for it."""

from __future__ import annotations

import functools
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from harness.core import Case, Example, KnownIssue, Level
from harness.execution import Executor
from harness.generation import random_examples
from harness.portable.cpu_time_limit import cpu_seconds
from harness.project import Project
from harness.suites import load_suite
from harness.suites.levels import load_levels
from harness.trial import applicable_known_issues, judge_run

ROOT: Final = Path(__file__).resolve().parents[1]
SEED: Final = 20261
LIMIT: Final = 20.0
"""CPU seconds that an example may take in a cell, as in a gate."""

Item = tuple[Case, str]
"""A case in one dtype."""


@dataclass(frozen=True)
class RunCost:
    """What drawing, running and judging some examples took, in seconds: by the clock, and of CPU time by process.

    `cells` is the number of them; a cell that another one answered for counts as well.
    """

    examples: int
    cells: int
    wall: float
    harness: float
    reference: float
    workers: float

    @property
    def rate(self) -> float:
        """Examples a second."""
        return self.examples / self.wall

    @property
    def cpu_seconds(self) -> float:
        """CPU time of all processes: what a loaded machine changes little, where it changes the clock's."""
        return self.harness + self.reference + self.workers

    @property
    def cell_rate(self) -> float:
        """Examples times cells a second."""
        return self.rate * self.cells


def suite_items(name: str, cases: Collection[str] = (), dtypes: Collection[str] = ()) -> list[Item]:
    """The items of the operator suite of that name, or those of these cases and dtypes."""
    suite = load_suite(ROOT / "suites" / "operators" / f"{name}.yaml", ROOT)
    chosen = [case for case in suite.cases if not cases or case.name in cases]
    return [(case, dtype) for case in chosen for dtype in case.dtypes if not dtypes or dtype in dtypes]


def suite_names() -> list[str]:
    """The operator suites."""
    return sorted(path.stem for path in (ROOT / "suites" / "operators").glob("*.yaml"))


def all_levels() -> Sequence[Level]:
    """The levels that are declared."""
    return load_levels(ROOT / "suites" / "isa.yaml")


def open_executor(python: str | None, names: Collection[str] | None = None, *, in_process: bool = False) -> Executor:
    """An executor of these levels (None: the default ones), yet to be entered."""
    levels = () if in_process else all_levels()
    return Executor(levels, python=None if in_process else python, limit=LIMIT, names=names, in_process=in_process)


def warm_up(executor: Executor, items: Iterable[Item]) -> None:
    """Run an example of each item, which loads what is loaded late."""
    for case, dtype in items:
        if not executor.missing_packages(case):
            run_examples(executor, (case, dtype), random_examples(case, dtype, 1, SEED))


def run_cost(executor: Executor, items: Iterable[Item], examples: int) -> RunCost:
    """What drawing, running and judging so many examples of each item cost, or fewer where its space is small.

    What lacks a package is left out.
    """
    runnable = [(case, dtype) for case, dtype in items if not executor.missing_packages(case)]
    before = _worker_seconds(executor)
    started, own = time.monotonic(), time.process_time()
    count = 0
    for case, dtype in runnable:
        count += run_examples(executor, (case, dtype), random_examples(case, dtype, examples, SEED))
    wall, harness = time.monotonic() - started, time.process_time() - own
    used = {name: now - before.get(name, 0.0) for name, now in _worker_seconds(executor).items()}
    reference = sum(seconds for name, seconds in used.items() if name.startswith("reference"))
    return RunCost(count, len(executor.cell_names(None)), wall, harness, reference, sum(used.values()) - reference)


def run_examples(executor: Executor, item: Item, examples: Collection[Example]) -> int:
    """Run and judge them as a gate does: what no known issue accepts costs a second reference. How many there were."""
    case, known_issues = item[0], _known_issues(*item, executor.build.torch)
    for result in executor.run(case, examples):
        judge_run(case, result, known_issues, executor)
    return len(examples)


@functools.cache
def _project() -> Project:
    return Project(ROOT)


def _known_issues(case: Case, dtype: str, torch: str) -> Sequence[KnownIssue]:
    return applicable_known_issues(_project().home_of(case).known_issues.entries, case.id, dtype, torch)


def _worker_seconds(executor: Executor) -> Mapping[str, float]:
    return {name: cpu_seconds(pid) for name, pid in executor.worker_pids.items()}


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Columns, the first to the left and the others to the right."""
    lines = [header, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    return "\n".join(
        "  ".join(
            [line[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True))]
        )
        for line in lines
    )
