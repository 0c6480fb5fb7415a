"""Verdict: what a trial of one case in one dtype comes to, with the known deviations taken out."""

from harness.verdict.deviations import concerned
from harness.verdict.outcome import CellRow, Failure, Outcome
from harness.verdict.reduction import table
from harness.verdict.ruling import Ruling, rule
from harness.verdict.trial import Trial

__all__ = ["CellRow", "Failure", "Outcome", "Ruling", "Trial", "concerned", "rule", "table"]
