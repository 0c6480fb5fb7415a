"""`equivalence bisect`: which of several builds is the first in which an example fails."""

from __future__ import annotations

import argparse
import enum
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from harness.cli.options import add_kernel_options
from harness.cli.parser import Commands, add_command
from harness.cli.replay import case_of, read_examples
from harness.core import CellState, Example, Finding
from harness.errors import UserError
from harness.gate import Gate
from harness.settings import Settings
from harness.trial import JudgedResult, describe_refusal, judge_run, reason_not_callable

REPLAYS = 2
"""How often an example is run in a build, in fresh workers each time: one failure is enough."""


class BuildState(enum.StrEnum):
    """What a build is to a bisection. The text is what is printed."""

    GOOD = "good"
    """The example does not fail in the way that is looked for."""
    BAD = "bad"
    """It does."""
    SKIPPED = "skipped"
    """The build lacks what the example calls; of the last one, no check of it could have failed."""


@dataclass(frozen=True)
class TriedBuild:
    """A build that was tried: its interpreter, its version, what it is, and why."""

    python: str
    version: str
    state: BuildState
    detail: str
    keys: frozenset[tuple[str, str]] = frozenset()

    @property
    def line(self) -> str:
        """The line that is printed."""
        return f"{self.state:8}{self.version:16} {self.python}" + (f"  ({self.detail})" if self.detail else "")


Try = Callable[[str, frozenset[tuple[str, str]]], TriedBuild]
"""Takes an interpreter and the findings that are looked for (none: any), and runs the example with it."""


@dataclass(frozen=True)
class Bisection:
    """What came of it: the last build without the failure and the first with it, and all that were tried, in order.

    `conclusion` is the sentence that says it, `is_named` whether a first bad build is named.
    """

    conclusion: str
    is_named: bool
    tried: Sequence[TriedBuild]


def add_bisect_command(commands: Commands) -> None:
    """Add its parser."""
    about = "the first of several builds in which an example fails, by binary search"
    parser = add_command(commands, "bisect", bisect_builds, about)
    parser.add_argument("example", metavar="JSON|FILE", help="an example as a failure prints it, or a file with it")
    build = "an interpreter with a build, the oldest first; again for another"
    parser.add_argument("--python", metavar="PATH", action="append", default=[], dest="pythons", help=build)
    add_kernel_options(parser)
    parser.add_argument("--all", action="store_true", help="try every build: shows where it comes and goes")


def bisect_builds(options: argparse.Namespace, settings: Settings) -> int:
    """Name the first bad build, and print each that was tried. 1 where none can be named. Raises UserError."""
    pythons = list(dict.fromkeys(options.pythons))
    if len(pythons) < 2:
        raise UserError("bisect: give two builds at least, the oldest first: --python P1 --python P2")
    examples = read_examples(options.example, "bisect")
    if len(examples) > 1:
        raise UserError(f"bisect: {len(examples)} examples; give one")

    def attempt(python: str, keys: frozenset[tuple[str, str]]) -> TriedBuild:
        """Try one build, and say so."""
        tried = try_build(replace(settings, python=python), examples[0], keys)
        print(tried.line, flush=True)  # noqa: T201 - a command prints
        return tried

    bisection = bisect(pythons, attempt, every=options.all)
    print(bisection.conclusion)  # noqa: T201 - the same
    return int(not bisection.is_named)


def bisect(pythons: Sequence[str], attempt: Try, *, every: bool = False) -> Bisection:
    """Look for the first bad build, the oldest build first, trying the last, the first and what lies half-way.

    What is looked for are the findings of the last build: a build that fails in other ways alone is good. `every`: all
    are tried.
    """
    anything: frozenset[tuple[str, str]] = frozenset()
    last = attempt(pythons[-1], anything)
    search = _Search([None] * (len(pythons) - 1) + [last])
    keys = last.keys
    search.tried[0] = attempt(pythons[0], keys)
    while (index := search.next_index(every=every)) is not None:
        search.tried[index] = attempt(pythons[index], keys)
    return Bisection(search.conclusion(), search.first_bad() is not None, [build for build in search.tried if build])


@dataclass
class _Search:
    """The builds in their order; None for one that was not tried."""

    tried: list[TriedBuild | None]

    def _indices(self, state: BuildState) -> list[int]:
        return [index for index, build in enumerate(self.tried) if build is not None and build.state is state]

    def next_index(self, *, every: bool) -> int | None:
        """Which build to try next: the middle one of those that may be the first bad one; None where none is left."""
        untried = [index for index, build in enumerate(self.tried) if build is None]
        if every:
            return untried[0] if untried else None
        bad = self._indices(BuildState.BAD)
        if not bad or bad[0] == 0:
            return None
        good = [index for index in self._indices(BuildState.GOOD) if index < bad[0]]
        between = [index for index in untried if max(good, default=0) < index < bad[0]]
        return between[len(between) // 2] if between else None

    def first_bad(self) -> int | None:
        """The first bad build with a good one before it, where the last is bad; None where there is none."""
        bad, good = self._indices(BuildState.BAD), self._indices(BuildState.GOOD)
        if not bad or bad[-1] != len(self.tried) - 1:
            return None
        later = [index for index in bad if good and index > good[-1]]
        return later[0] if later else None

    def conclusion(self) -> str:
        """What the builds that were tried come to, in sentences."""
        bad, good = self._indices(BuildState.BAD), self._indices(BuildState.GOOD)
        first, last = self.tried[0], self.tried[-1]
        assert first is not None  # noqa: S101 - the first and the last are tried whatever they are
        assert last is not None  # noqa: S101 - the same
        index = self.first_bad()
        if last.state is not BuildState.BAD:
            gone = f"; {first.version}, the first, fails: it is gone since" if first.state is BuildState.BAD else ""
            passes = "passes" if last.state is BuildState.GOOD else f"says nothing ({last.detail})"
            return f"the last build, {last.version}, {passes}: there is no first bad one to look for{gone}"
        if index is None:
            runs = bad[0] if bad else 0
            earliest = self.tried[runs]
            assert earliest is not None  # noqa: S101 - it is bad
            without = "no build before it runs the example" if runs else "the first build fails already"
            return f"{without}: {earliest.version} ({earliest.python})"
        culprit = self.tried[index]
        before = self.tried[max(number for number in good if number < index)]
        assert culprit is not None  # noqa: S101 - it is bad
        assert before is not None  # noqa: S101 - it is good
        skipped = [number for number in self._indices(BuildState.SKIPPED) if good[-1] < number < index]
        unsure = f", or one of the {len(skipped)} before it that say nothing" if skipped else ""
        wavers = " It is not bad from one build on: an earlier one fails too." if bad[0] < good[-1] else ""
        return f"first bad: {culprit.version} ({culprit.python}){unsure}; last good: {before.version}.{wavers}"


def try_build(settings: Settings, example: Example, keys: frozenset[tuple[str, str]]) -> TriedBuild:
    """Run the example in fresh workers of a build. `keys`: oracle and tensor of what is looked for; none: anything.

    Raises UserError where the build, or the example, cannot be used.
    """
    gate = Gate(settings)
    case = case_of(gate.project, example, "bisect")
    with gate:
        version = gate.executor.build.torch
        if lacking := reason_not_callable(case, gate.executor):
            return TriedBuild(settings.python or "", version, BuildState.SKIPPED, lacking)
        executor = gate.executor
        several = [judge_run(case, executor.run_isolated(case, example), (), executor) for _ in range(REPLAYS)]
    state, detail = judge_build(several, keys)
    matching = frozenset(finding.key for judged in several for finding in _matching_findings(judged, keys))
    return TriedBuild(settings.python or "", version, state, detail, matching)


def judge_build(several: Sequence[JudgedResult], keys: frozenset[tuple[str, str]]) -> tuple[BuildState, str]:
    """What the results of the same example in one build come to, and why."""
    failing = [judged for judged in several if _matching_findings(judged, keys)]
    if failing:
        rarely = "" if len(failing) == len(several) else ", not at every call"
        return BuildState.BAD, _matching_findings(failing[0], keys)[0].message + rarely
    if refusal := next(filter(None, map(describe_refusal, (judged.result for judged in several))), ""):
        return BuildState.SKIPPED, f"it raises {refusal}"
    if not keys and all(judged.verdict is CellState.UNTRUSTED for judged in several):  # else the check failed elsewhere
        return BuildState.SKIPPED, "no check of it could have failed"
    others = [finding.message for judged in several for finding in judged.failures]
    return BuildState.GOOD, f"it fails otherwise: {others[0]}" if others else ""


def _matching_findings(judged: JudgedResult, keys: frozenset[tuple[str, str]]) -> list[Finding]:
    return [finding for finding in judged.failures if not keys or finding.key in keys]
