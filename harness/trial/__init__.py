"""Verdict: what a trial of one case in one dtype comes to, with the known issues taken out."""

from harness.trial.judged_result import Ruling, rule, states
from harness.trial.known_issues import DEATHS, concerned, in_range, taken_out
from harness.trial.outcome import CellRow, Failure, Outcome, rounded
from harness.trial.reduction import table
from harness.trial.review import Review, observed, reviewed
from harness.trial.trial import Trial

__all__ = [
    "DEATHS",
    "CellRow",
    "Failure",
    "Outcome",
    "Review",
    "Ruling",
    "Trial",
    "concerned",
    "in_range",
    "observed",
    "reviewed",
    "rounded",
    "rule",
    "states",
    "table",
    "taken_out",
]
