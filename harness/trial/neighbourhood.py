"""Where around an example its fault shows: the example's neighbours are run, and give the fault's condition."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from harness.core import Case, Example, Expression, Finding, KnownIssue
from harness.execution import Executor, Result
from harness.generation import neighbours
from harness.portable.dtypes import accumulator_of
from harness.trial.conditions import find_conjunct
from harness.trial.fatal_parts import HASTE
from harness.trial.judged_result import judge_result
from harness.trial.known_issues import DEATHS, fatal_cells

SEEDS = 6
"""Seeds with which a neighbour is tried before it counts as right: another size has other numbers."""


@dataclass(frozen=True)
class Neighbourhood:
    """Runs examples of a case in one cell and says whether they fail as a finding does.

    What `known_issues` accept or keep from running there says nothing of the fault. A cell of the finding that runs
    here is needed; see `is_here`.
    """

    case: Case
    executor: Executor
    known_issues: Sequence[KnownIssue]
    finding: Finding

    @property
    def cell(self) -> str:
        """The first of the finding's cells that runs here; empty where none does."""
        return next((cell.name for cell in self.executor.cells if cell.name in self.finding.cells), "")

    def fails(self, example: Example) -> bool:
        """Whether the example shows the fault, with its own seed."""
        return bool(self.cell) and bool(self.verdicts([example])[0])

    def condition(self, example: Example) -> str:
        """What must be true of an example for the fault to show, as far as its neighbours tell.

        A choice is in it where the fault goes away with another value; what has to change together is not found.
        `example` is taken to fail.
        """
        around = [*neighbours(self.case, example)]
        verdicts = self._verdicts_with_seeds([neighbour.example for neighbour in around])
        values = example.values()
        conjuncts = []
        for name in dict.fromkeys(neighbour.name for neighbour in around):
            own = Expression.parse(name).evaluate(values)
            pairs = zip(around, verdicts, strict=True)
            trials = [(each.value, fails) for each, fails in pairs if each.name == name and fails is not None]
            conjuncts.append(find_conjunct(name, [(own, True), *trials]))
        return " and ".join(filter(None, conjuncts)) or "True"

    def is_coarse_sum(self, example: Example) -> bool:
        """Whether the values are within the bound of an accumulator of the example's own half type."""
        is_half = accumulator_of(example.dtype) != example.dtype
        if self.finding.oracle != "values" or not is_half or not self.cell:
            return False
        entry = coarse_accumulator(self.finding, example)
        result = next(iter(self.executor.run(self.case, [example], cells=[self.cell])))
        judged = judge_result(self.case, result, [*self.known_issues, entry])
        accepted = {name for name, finding in judged.partition.accepted if finding.key == self.finding.key}
        return judged.failure(self.finding.key) is None and entry.id in accepted

    def verdicts(self, examples: Sequence[Example]) -> list[bool | None]:
        """For each example whether it fails as the finding does; None where a known issue hides it."""
        runnable = [example for example in examples if self.cell not in fatal_cells(self.known_issues, example)]
        results = {result.example.to_json(): result for result in self._results(runnable)}
        return [self._verdict(results.get(example.to_json())) for example in examples]

    def _verdicts_with_seeds(self, examples: Sequence[Example]) -> list[bool | None]:
        """The same; where values decide, an example is right only if it is right with other seeds too."""
        verdicts = self.verdicts(examples)
        right = [index for index, verdict in enumerate(verdicts) if verdict is False]
        if self.finding.oracle != "values":
            return verdicts
        others = [examples[index].but(seed=seed) for index in right for seed in range(SEEDS)]
        again = self.verdicts(others)
        for place, index in enumerate(right):
            verdicts[index] = any(again[place * SEEDS : (place + 1) * SEEDS])
        return verdicts

    def _results(self, examples: Iterable[Example]) -> Iterator[Result]:
        if self.finding.oracle not in DEATHS:
            yield from self.executor.run(self.case, examples, cells=[self.cell])
            return
        limit = max(self.executor.limit / HASTE, 1.0) if self.finding.oracle == "hang" else None
        for example in examples:
            yield self.executor.run_isolated(self.case, example, cells=[self.cell], limit=limit)

    def _verdict(self, result: Result | None) -> bool | None:
        if result is None:
            return None
        judged = judge_result(self.case, result, self.known_issues)
        if judged.failure(self.finding.key) is not None:
            return True
        is_hidden = any(finding.key == self.finding.key for _, finding in judged.partition.accepted)
        return None if is_hidden else False


def coarse_accumulator(finding: Finding, example: Example) -> KnownIssue:
    """An entry that admits, for this example alone, an accumulator of its own dtype."""
    return KnownIssue(
        id="proposed",
        tensors=(finding.tensor,),
        oracle="values",
        cells=tuple(finding.cells),
        when=Expression.parse("True"),
        reason="",
        link="",
        cases=(example.case,),
        dtypes=(example.dtype,),
        reproducer=example,
        accumulates_in="same",
    )
