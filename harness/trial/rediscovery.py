"""Whether a trial finds by itself what is known: the first example that met each place of a known fault."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from harness.core import Example, Finding, KnownIssue
from harness.core.finding import Oracle
from harness.trial.judged_result import JudgedResult
from harness.trial.plan import Plan


@dataclass(frozen=True)
class FirstMeeting:
    """The first example of a trial in which a place of a known fault showed.

    `example` is its number among those that the trial runs, from 1; `seconds` are counted from the trial's beginning.
    """

    example: int
    seconds: float
    oracle: Oracle


@dataclass
class Rediscovery:
    """What a trial meets of the places that are known.

    `meetings` maps the name of a place to the first example of the plan that met it, and grows. An example that runs
    later may have a smaller number than one before it, for those that end a worker run by themselves.
    """

    known_issues: Sequence[KnownIssue]
    plan: Plan
    meetings: dict[str, FirstMeeting]
    _started: float = field(default_factory=time.monotonic)

    def note(self, judged: JudgedResult) -> None:
        """Keep what this example met, where none with a smaller number did."""
        number = self.plan.number(judged.example)
        for fault, finding in judged.partition.accepted:
            meeting = FirstMeeting(number, round(time.monotonic() - self._started, 1), finding.oracle)
            for place in self._places(fault, finding, judged.example):
                earlier = self.meetings.get(place)
                if earlier is None or number < earlier.example:
                    self.meetings[place] = meeting

    def _places(self, fault: str, finding: Finding, example: Example) -> list[str]:
        """The places of the fault that accept a finding of this example."""
        about = (finding.oracle, finding.tensor, finding.cells)
        issues = (issue for issue in self.known_issues if issue.id == fault)
        return [issue.name for issue in issues if issue.is_about(*about) and issue.holds(example)]
