"""Reporting: the JSON record of a run, and the views of it."""

from harness.reporting.failure import failure_text
from harness.reporting.record import Record
from harness.reporting.summary import terminal_summary

__all__ = ["Record", "failure_text", "terminal_summary"]
