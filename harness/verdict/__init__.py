"""Verdict: what a trial of one case in one dtype comes to, with the known deviations taken out."""

from harness.verdict.deviations import concerned
from harness.verdict.matching import explaining, matching_example
from harness.verdict.networks import NetworkFailure, NetworkOutcome, NetworkTrial, concerned_networks, layout_rows
from harness.verdict.outcome import CellRow, Failure, Outcome
from harness.verdict.reduction import table
from harness.verdict.review import Review, observed, reviewed
from harness.verdict.ruling import Ruling, rule
from harness.verdict.trial import Trial

__all__ = [
    "CellRow",
    "Failure",
    "NetworkFailure",
    "NetworkOutcome",
    "NetworkTrial",
    "Outcome",
    "Review",
    "Ruling",
    "Trial",
    "concerned",
    "concerned_networks",
    "explaining",
    "layout_rows",
    "matching_example",
    "observed",
    "reviewed",
    "rule",
    "table",
]
