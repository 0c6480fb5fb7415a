"""Verdict: what a trial of one case in one dtype comes to, with the known issues taken out."""

from harness.trial.judged_result import JudgedResult, rule, states
from harness.trial.known_issues import DEATHS, concerned, in_range, subtract
from harness.trial.outcome import CellRow, Failure, Outcome
from harness.trial.reduction import table
from harness.trial.review import Review, observed, reviewed
from harness.trial.tally import Tally, round_ratios
from harness.trial.trial import Trial

__all__ = [
    "DEATHS",
    "CellRow",
    "Failure",
    "JudgedResult",
    "Outcome",
    "Review",
    "Tally",
    "Trial",
    "concerned",
    "in_range",
    "observed",
    "reviewed",
    "round_ratios",
    "rule",
    "states",
    "subtract",
    "table",
]
