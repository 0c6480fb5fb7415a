"""The report of a run as one HTML file, which needs no network and no other file."""

from harness.reporting.html_report.document import html_report
from harness.reporting.html_report.fault_page import FaultPage, fault_pages
from harness.reporting.html_report.inline_source import InlineSource, inline_source

__all__ = ["FaultPage", "InlineSource", "fault_pages", "html_report", "inline_source"]
