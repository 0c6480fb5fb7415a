"""Runs compared with each other: two of them, or many over time."""

from harness.reporting.comparison.breakage import (
    FAILING,
    Breakage,
    BreakageKind,
    finding_breakage,
    item_breakages,
    record_breakages,
)
from harness.reporting.comparison.comparison import RunComparison, compare_runs
from harness.reporting.comparison.history import History, Lasting, Past, history_of
from harness.reporting.comparison.recorded_run import RecordedRun, read_run, read_runs
from harness.reporting.comparison.run_figures import RunFigures, WorstRatio, percent, run_figures, tensor_ratios
from harness.reporting.comparison.views import (
    comparison_markdown,
    comparison_short_text,
    comparison_text,
    history_text,
)

__all__ = [
    "FAILING",
    "Breakage",
    "BreakageKind",
    "History",
    "Lasting",
    "Past",
    "RecordedRun",
    "RunComparison",
    "RunFigures",
    "WorstRatio",
    "compare_runs",
    "comparison_markdown",
    "comparison_short_text",
    "comparison_text",
    "finding_breakage",
    "history_of",
    "history_text",
    "item_breakages",
    "percent",
    "read_run",
    "read_runs",
    "record_breakages",
    "run_figures",
    "tensor_ratios",
]
