"""The report of a run as one HTML file, which needs no network and no other file."""

from harness.reporting.html_report.document import html_report

__all__ = ["html_report"]
