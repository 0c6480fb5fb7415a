"""Two builds of PyTorch over the same examples: which findings are new in the one under test, gone, or in both.

A finding is told apart by its oracle and tensor in each cell of each example. What one build shows and the other does
not, the other is asked for again. What no known issue accepts and the baseline does not show makes the item fail. What
a known issue accepts does so too, unless the issue explains why the builds differ: it is not of the baseline's release,
or it only widens the bound. An accepted value beyond the bound in one build and within it in the other, while the two
agree within the bound, says nothing either.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from typing import Final

from harness.core import Case, Example, Finding, KnownIssue, PlaceReplay, PlaceState
from harness.core.finding import Oracle
from harness.execution import Executor
from harness.golden import complete_layouts
from harness.oracles import Drift, compare_references, measure_drift
from harness.trial.availability import Availability
from harness.trial.build_comparison import (
    BuildChange,
    BuildComparison,
    ChangedFinding,
    ReferenceDifference,
    ReplayedPlace,
    TensorDrift,
)
from harness.trial.example_runner import ExampleRunner
from harness.trial.fatal_parts import REPEATS
from harness.trial.judged_result import JudgedResult
from harness.trial.known_issues import DEATHS, FindingPartition
from harness.trial.replays import replay_place
from harness.trial.reproducers import MOST_AFTER_DEATHS
from harness.trial.second_look import MOST_ASKED_AGAIN, Mark, SecondLook

UNWRITTEN: Final[tuple[Oracle, ...]] = ("values", "repeat")
"""Memory that nobody wrote shows as either."""

Marks = Mapping[Mark, tuple[str, ...]]
"""By mark the ids of the known issues that accept it; none where it is a failure."""


@dataclass(frozen=True)
class Baseline:
    """The build that another one is compared with. `name` is what it is called in a sentence.

    `known_issues` are those of the item for its release, `every_issue` those of any release. `lack` is what it lacks to
    run the item at all; `may_lack`: golden/ has seen the item in other releases only.
    """

    name: str
    executor: Executor
    known_issues: Sequence[KnownIssue] = ()
    every_issue: Sequence[KnownIssue] = ()
    lack: str = ""
    may_lack: bool = False


@dataclass
class BuildComparer:
    """Runs the examples of an item in the build under test, by `runner`, and in the baseline, and compares them.

    `deaths` counts the workers that examples have ended in the baseline.
    """

    case: Case
    dtype: str
    runner: ExampleRunner
    baseline: Baseline
    comparison: BuildComparison = field(init=False)
    deaths: int = field(default=0, init=False)
    _other: ExampleRunner = field(init=False)
    _availability: Availability = field(default_factory=Availability, init=False)
    _asked_of_baseline: SecondLook = field(init=False)
    _asked_of_ours: SecondLook = field(init=False)

    def __post_init__(self) -> None:
        self.comparison = BuildComparison(self.baseline.name, self.baseline.lack)
        self._other = ExampleRunner(self.case, self.baseline.executor, self.baseline.known_issues)
        self._asked_of_baseline = SecondLook(self._shows_in_baseline)
        self._asked_of_ours = SecondLook(self._shows_here)

    @property
    def explaining_issues(self) -> list[KnownIssue]:
        """The known issues of the build under test that say why it differs from the baseline."""
        names = {issue.name for issue in self.baseline.known_issues}
        return [issue for issue in self.runner.known_issues if issue.accumulates_in or issue.name not in names]

    def reproducers(self) -> list[Example]:
        """The reproducers of the item, whatever release their known issues are of: they are compared as well."""
        if self.baseline.lack:
            return []
        return [complete_layouts(self.case, issue.reproducer) for issue in self._own_issues]

    @property
    def _own_issues(self) -> list[KnownIssue]:
        item = (self.case.id, self.dtype)
        return [issue for issue in self.baseline.every_issue if item == (issue.reproducer.case, issue.reproducer.dtype)]

    def judge_examples(
        self, examples: Sequence[Example], keep_out: Callable[[Example], None]
    ) -> Iterator[JudgedResult]:
        """The judgements of the build under test, in which only what is new fails.

        Both builds work at the same time. What the baseline does not run, because it is known to end its worker, or
        because it lacks the operator, is new where it fails.
        """
        ours, theirs = self.runner.judge_examples(examples, keep_out), self._judge_baseline(examples)
        waiting: tuple[dict[str, JudgedResult], dict[str, JudgedResult]] = ({}, {})
        for pair in zip_longest(ours, theirs):
            for judged, results in zip(pair, waiting, strict=True):
                if judged is not None:
                    results[judged.example.to_json()] = judged
            for text in [text for text in waiting[0] if text in waiting[1]]:
                yield self._compare(waiting[0].pop(text), waiting[1].pop(text))
        for judged in waiting[0].values():
            yield self._compare(judged, None)

    def finish(self, *, is_complete: bool) -> None:
        """After the last example: replay known faults in both builds, and see whether the baseline has the item."""
        must_compute = self.dtype not in self.case.unsupported
        if self.baseline.may_lack and must_compute and not self.comparison.lack:
            self.comparison.lack = self._availability.lack
        if self.comparison.lack:
            self.comparison.findings = [each for each in self.comparison.findings if each.change is BuildChange.NEW]
        elif is_complete:
            self.comparison.places = {issue.name: self._replay(issue) for issue in self._own_issues}

    def is_in_baseline(self, example: Example, finding: Finding, repeats: int = 1) -> bool:
        """Whether the baseline breaks the same property of the same tensor in the finding's first cell.

        Where it crashes or hangs in place of that it is asked a few times more, once each: memory is spoilt there.
        """
        cell = self._cell_of_baseline(next(iter(finding.cells)))
        if self.baseline.lack or cell is None or cell in self._other.partwise.fatal_cells(example):
            return False
        mark = (finding.oracle, finding.tensor, cell)
        if repeats == 1 and finding.oracle not in DEATHS:
            results = self.baseline.executor.run(self.case, [example], cells=[cell])
            return _is_among(mark, _marks(self._other.judge(next(iter(results))), self.baseline.known_issues))
        shown = _isolated_marks(self._other, example, cell, repeats)
        if not _is_among(mark, shown) and any(oracle in DEATHS for oracle, _, _ in shown):
            singly = (_isolated_marks(self._other, example, cell, 1) for _ in range(MOST_AFTER_DEATHS))
            return any(_is_among(mark, marks) for marks in singly)
        return _is_among(mark, shown)

    def _judge_baseline(self, examples: Sequence[Example]) -> Iterator[JudgedResult]:
        if self.baseline.lack:
            return
        for judged in self._other.judge_examples(examples, lambda _: None):
            self._availability.note(judged.result)
            self.deaths += any(finding.oracle in DEATHS for finding in judged.failures)
            yield judged

    def _replay(self, issue: KnownIssue) -> ReplayedPlace:
        executors = self.runner.executor, self.baseline.executor
        replays = [replay_place(issue, self.case, executor) for executor in executors]
        if any(replay.state is PlaceState.FAILS for replay in replays):
            replays = [self._replay_again(issue, *pair) for pair in zip(executors, replays, strict=True)]
        return ReplayedPlace(*replays)

    def _replay_again(self, issue: KnownIssue, executor: Executor, replay: PlaceReplay) -> PlaceReplay:
        """Ask a build again that does not show what the other does: memory that is not the call's shows by chance."""
        for _ in range(MOST_ASKED_AGAIN):
            if replay.state is not PlaceState.DOES_NOT_FAIL:
                break
            replay = replay_place(issue, self.case, executor)
        return replay

    def _cell_of_baseline(self, cell: str) -> str | None:
        """The baseline's cell of that level, or the one that equals it there; None where it has none."""
        name = self.baseline.executor.aliases.get(cell, cell)
        return name if any(each.name == name for each in self.baseline.executor.cells) else None

    def _compare(self, ours: JudgedResult, theirs: JudgedResult | None) -> JudgedResult:
        """Note how an example differs, and return the judgement in which only what is new fails."""
        our_marks = _marks(ours, self.runner.known_issues)
        their_marks = self._renamed_marks(theirs) if theirs else {}
        if theirs:
            self.comparison.examples += 1
            their_marks |= self._marks_of_skipped(self._other, theirs, our_marks, their_marks)
            our_marks |= self._marks_of_skipped(self.runner, ours, their_marks, our_marks)
        drift = self._measure_drift(ours, theirs) if theirs else {}
        if theirs:
            self._note_distances(ours, theirs, drift, {*our_marks, *their_marks})
        new = [mark for mark in our_marks if not _is_among(mark, their_marks)]
        unexplained = [mark for mark in new if not self._is_explained(ours.example, mark, our_marks[mark], drift)]
        failing = [
            mark
            for mark in unexplained
            if not _is_kept_from(self._other, ours.example, mark, our_marks[mark])
            and not self._asked_of_baseline.shows(ours.example, mark)
        ]
        explained = [mark for mark in new if mark not in unexplained]
        self._note(BuildChange.NEW, ours, {mark: our_marks[mark] for mark in explained})
        self._note(BuildChange.NEW, ours, {mark: our_marks[mark] for mark in failing}, fails=True)
        shared = {
            mark: tuple(sorted({*issues, *their_marks.get(mark, ())}))
            for mark, issues in our_marks.items()
            if mark not in explained and mark not in failing
        }
        self._note(BuildChange.IN_BOTH, ours, shared)
        if theirs:
            lost = {mark: issues for mark, issues in their_marks.items() if not _is_among(mark, our_marks)}
            gone = {mark: issues for mark, issues in lost.items() if not self._is_here_too(ours.example, mark, issues)}
            self._note(BuildChange.GONE, theirs, gone)
            self._note(BuildChange.IN_BOTH, theirs, {mark: lost[mark] for mark in lost if mark not in gone})
        return _with_failing(ours, failing)

    def _renamed_marks(self, theirs: JudgedResult) -> dict[Mark, tuple[str, ...]]:
        """The marks of the baseline in the cells of the build under test: what is one there may be two here."""
        marks = _marks(theirs, self.baseline.known_issues)
        cells = {cell.name: self._cell_of_baseline(cell.name) for cell in self.runner.executor.cells}
        return {
            (oracle, tensor, ours): issues
            for (oracle, tensor, cell), issues in marks.items()
            for ours, name in cells.items()
            if name == cell
        }

    def _marks_of_skipped(
        self, runner: ExampleRunner, judged: JudgedResult, wanted: Collection[Mark], marks: Marks
    ) -> dict[Mark, tuple[str, ...]]:
        """What one build shows in the cells that it skipped, where the other shows something that it has not got."""
        cells = {cell for _, _, cell in wanted if cell in judged.result.skipped}
        if not any(mark[2] in cells and not _is_among(mark, marks) for mark in wanted):
            return {}
        result = next(iter(runner.executor.run(self.case, [judged.example], cells=sorted(cells))))
        return dict(_marks(runner.judge(result), runner.known_issues))

    def _is_explained(self, example: Example, mark: Mark, issues: Sequence[str], drift: Drift) -> bool:
        """Whether a known issue accepts it, and that the baseline does not show it is no change for the worse."""
        oracle, tensor, cell = mark
        if not issues:
            return False
        explaining = (issue for issue in self.explaining_issues if issue.id in issues and issue.holds(example))
        if any(issue.names(tensor) and issue.covers(cell) for issue in explaining):
            return True
        return oracle == "values" and drift.get((cell, tensor), 2.0) <= 1.0

    def _shows_in_baseline(self, example: Example, mark: Mark) -> bool:
        """Whether the baseline shows it after all where it is called many times."""
        oracle, tensor, cell = mark
        return self.is_in_baseline(example, Finding(oracle, tensor, "universal", {cell: 1.0}), REPEATS)

    def _shows_here(self, example: Example, mark: Mark) -> bool:
        """Whether the build under test does."""
        cell = mark[2]
        if cell in self.runner.partwise.fatal_cells(example):
            return False
        return _is_among(mark, _isolated_marks(self.runner, example, cell, REPEATS))

    def _is_here_too(self, example: Example, mark: Mark, issues: Sequence[str]) -> bool:
        """Whether the build under test has what only the baseline has shown, as far as it can be asked."""
        return _is_kept_from(self.runner, example, mark, issues) or self._asked_of_ours.shows(example, mark)

    def _measure_drift(self, ours: JudgedResult, theirs: JudgedResult) -> Drift:
        by_place = {(each.cell, each.layout): each for each in theirs.result.observations}
        pairs = [
            (each, other)
            for each in ours.result.observations
            if (cell := self._cell_of_baseline(each.cell)) and (other := by_place.get((cell, each.layout)))
        ]
        return measure_drift(self.case, ours.example, (ours.result.reference, theirs.result.reference), pairs)

    def _note_distances(self, ours: JudgedResult, theirs: JudgedResult, drift: Drift, wrong: Collection[Mark]) -> None:
        """Note the drift of what is right in both builds, and what they compute another answer of in float64."""
        wrong_values = {(cell, tensor) for oracle, tensor, cell in wrong if oracle in UNWRITTEN}
        references = (ours.result.reference, theirs.result.reference)
        differing = dict(compare_references(self.case, ours.example, references))
        for tensor, message in differing.items():
            if tensor not in {name for _, name in wrong_values}:
                self.comparison.references.setdefault(tensor, ReferenceDifference(message, ours.example))
        for (cell, tensor), ratio in drift.items():
            if tensor not in differing and (cell, tensor) not in wrong_values:
                self.comparison.note_drift(tensor, TensorDrift(ratio, cell, ours.example))

    def _note(self, change: BuildChange, judged: JudgedResult, marks: Marks, *, fails: bool = False) -> None:
        """Add to the comparison what the example shows, one entry for each oracle, tensor and known issues."""
        accepted = (finding for _, finding in judged.partition.accepted)  # a wider bound may have taken them out
        messages = {finding.key: _sentence(finding) for finding in (*accepted, *judged.judgement.findings)}
        self.comparison.note_findings(
            ChangedFinding(change, oracle, tensor, cells, issues, 1, messages[oracle, tensor], judged.example, fails)
            for (oracle, tensor, issues), cells in _cells_by_issues(marks).items()
        )


def _isolated_marks(runner: ExampleRunner, example: Example, cell: str, repeats: int) -> Marks:
    """What the example breaks in a fresh worker of that cell."""
    result = runner.executor.run_isolated(runner.case, example, cells=[cell], repeats=repeats)
    return _marks(runner.judge(result), runner.known_issues)


def _is_kept_from(runner: ExampleRunner, example: Example, mark: Mark, issues: Collection[str]) -> bool:
    """Whether a known crash keeps the example from running there, where one of these known issues says the same of it.

    That it does not show then is no sign that the build has not got it.
    """
    oracle, tensor, cell = mark
    return cell in runner.partwise.fatal_cells(example) and any(
        issue.id in issues and issue.is_about(oracle, tensor, [cell]) and issue.holds(example)
        for issue in runner.known_issues
    )


def _marks(judged: JudgedResult, known_issues: Sequence[KnownIssue]) -> dict[Mark, tuple[str, ...]]:
    """Everything that an example breaks, accepted or not."""
    covering: dict[str, list[KnownIssue]] = {}
    for issue in known_issues:
        covering.setdefault(issue.id, []).append(issue)
    marks: dict[Mark, tuple[str, ...]] = {}
    for issue_id, finding in judged.partition.accepted:
        for cell in finding.cells:
            if any(issue.covers(cell) for issue in covering[issue_id]):
                mark = (finding.oracle, finding.tensor, cell)
                marks[mark] = tuple(sorted({*marks.get(mark, ()), issue_id}))
    return marks | {
        (finding.oracle, finding.tensor, cell): () for finding in judged.partition.failures for cell in finding.cells
    }


def _is_among(mark: Mark, marks: Collection[Mark]) -> bool:
    oracle, tensor, cell = mark
    return any((each, tensor, cell) in marks for each in (UNWRITTEN if oracle in UNWRITTEN else (oracle,)))


def _cells_by_issues(marks: Marks) -> dict[tuple[Oracle, str, tuple[str, ...]], tuple[str, ...]]:
    cells: dict[tuple[Oracle, str, tuple[str, ...]], tuple[str, ...]] = {}
    for (oracle, tensor, cell), issues in marks.items():
        cells[oracle, tensor, issues] = (*cells.get((oracle, tensor, issues), ()), cell)
    return cells


def _sentence(finding: Finding) -> str:
    return f"{finding.message}, {finding.where}" if finding.where else finding.message


def _with_failing(judged: JudgedResult, failing: Collection[Mark]) -> JudgedResult:
    """The judgement in which these marks fail, and what else no known issue accepts is in the baseline as well."""
    failures = _restrict_cells(judged.judgement.findings, failing, keep=True)
    shared = _restrict_cells(judged.partition.failures, failing, keep=False)
    return replace(judged, partition=FindingPartition(failures, judged.partition.accepted, shared))


def _restrict_cells(findings: Sequence[Finding], marks: Collection[Mark], *, keep: bool) -> tuple[Finding, ...]:
    """The findings in those of their cells that are among the marks, or are not; without any they go."""
    restricted = []
    for finding in findings:
        cells = {
            cell: ratio
            for cell, ratio in finding.cells.items()
            if ((finding.oracle, finding.tensor, cell) in marks) is keep
        }
        if cells:
            restricted.append(replace(finding, cells=cells))
    return tuple(restricted)
