"""Reporting: the JSON record of a run, and the views of it."""

from harness.reporting.coverage import Coverage, judge_functions, operators_reached, read_record, share
from harness.reporting.failure import failure_text
from harness.reporting.networks import layout_text, model_text, network_failure_text
from harness.reporting.record import Record
from harness.reporting.summary import terminal_summary

__all__ = [
    "Coverage",
    "Record",
    "failure_text",
    "judge_functions",
    "layout_text",
    "model_text",
    "network_failure_text",
    "operators_reached",
    "read_record",
    "share",
    "terminal_summary",
]
