"""Many runs, the oldest first: since when each thing fails, and the figures of each run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.reporting.comparison.breakage import Breakage
from harness.reporting.comparison.recorded_run import RecordedRun


@dataclass(frozen=True)
class Lasting:
    """Something that fails in the last run that looked at its item, and since when without a break.

    `since` is the first run of the unbroken row, `runs` how many runs of it looked at the item. `last` is the last run
    that looked, which is not the newest one where that did not run the item. `before`: the run before `since` that
    looked and did not see it, None where none had looked.
    """

    breakage: Breakage
    since: RecordedRun
    last: RecordedRun
    runs: int
    before: RecordedRun | None


@dataclass(frozen=True)
class Past:
    """Something that failed in some run, and not in the last one that looked at its item. `gone` is the first without.

    `runs` says in how many runs it was seen.
    """

    breakage: Breakage
    last: RecordedRun
    gone: RecordedRun
    runs: int


@dataclass(frozen=True)
class History:
    """The runs, the oldest first; what fails, longest first; what is over, the latest first; files left out."""

    runs: Sequence[RecordedRun]
    lasting: Sequence[Lasting]
    past: Sequence[Past]
    problems: Sequence[str] = ()


def history_of(runs: Sequence[RecordedRun], problems: Sequence[str] = ()) -> History:
    """The history of runs, which are in the order of their time."""
    every = {key: breakage for run in runs for key, breakage in run.breakages.items()}  # the latest words for each
    stories = [_story(breakage, [run for run in runs if run.has_looked_at(breakage.item) or key in run.breakages])
               for key, breakage in every.items()]  # fmt: skip
    lasting = [story for story in stories if isinstance(story, Lasting)]
    past = [story for story in stories if isinstance(story, Past)]
    return History(
        runs=runs,
        lasting=sorted(lasting, key=lambda story: (story.since.time, story.breakage.key)),
        past=sorted(past, key=lambda story: (story.gone.time, story.breakage.key), reverse=True),
        problems=problems,
    )


def _story(breakage: Breakage, looked: Sequence[RecordedRun]) -> Lasting | Past:
    """What became of one thing over the runs that looked at its item, in at least one of which it failed."""
    fails = [breakage.key in run.breakages for run in looked]
    if not fails[-1]:
        last = len(fails) - 1 - fails[::-1].index(True)
        return Past(breakage, looked[last], looked[last + 1], sum(fails))
    first = len(fails) - (fails[::-1].index(False) if False in fails else len(fails))
    return Lasting(breakage, looked[first], looked[-1], len(fails) - first, looked[first - 1] if first else None)
