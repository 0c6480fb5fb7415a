"""Reporting: the JSON record of a run, and the views of it."""

from harness.reporting.coverage import Coverage, judge_functions, operators_reached, read_record, share
from harness.reporting.failure import failure_text
from harness.reporting.record import Record
from harness.reporting.replay import replay_text
from harness.reporting.summary import terminal_summary
from harness.reporting.templating import TEMPLATES

__all__ = [
    "TEMPLATES",
    "Coverage",
    "Record",
    "failure_text",
    "judge_functions",
    "operators_reached",
    "read_record",
    "replay_text",
    "share",
    "terminal_summary",
]
