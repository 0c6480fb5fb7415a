"""Reporting: the JSON record of a run, and the views of it."""

from harness.reporting.catalogue import catalogue_text, matrix_table
from harness.reporting.comparison import (
    compare_runs,
    comparison_markdown,
    comparison_short_text,
    comparison_text,
    history_of,
    history_text,
    read_run,
    read_runs,
)
from harness.reporting.failure import failure_text
from harness.reporting.finding_record import FindingRecord, finding_record, sort_by_name
from harness.reporting.json_schema import record_schema_text
from harness.reporting.model_item import (
    FaultyModuleRecord,
    LayoutRowRecord,
    ModelExampleRecord,
    ModelFailureRecord,
    ModelItemRecord,
)
from harness.reporting.operator_item import OperatorItemRecord, operator_item_record
from harness.reporting.own_reference import own_reference_sentence
from harness.reporting.reach import FunctionReach, ListReach, ReachReport, count_operators, function_reach, list_reach
from harness.reporting.reading import read_operator_record, read_record
from harness.reporting.record import BuildRecord, LevelRecord, Record, RunRecord, item_text, parse_item
from harness.reporting.recorder import Recorder, RecordHead
from harness.reporting.replay import replay_text
from harness.reporting.script import FAULT_IS_HERE, POISON, fault_script
from harness.reporting.summary import release_summary, sum_counts, terminal_summary
from harness.reporting.templating import TEMPLATES
from harness.reporting.writing import WrittenRecord, prepare_record, write_record

__all__ = [
    "FAULT_IS_HERE",
    "POISON",
    "TEMPLATES",
    "BuildRecord",
    "FaultyModuleRecord",
    "FindingRecord",
    "FunctionReach",
    "LayoutRowRecord",
    "LevelRecord",
    "ListReach",
    "ModelExampleRecord",
    "ModelFailureRecord",
    "ModelItemRecord",
    "OperatorItemRecord",
    "ReachReport",
    "Record",
    "RecordHead",
    "Recorder",
    "RunRecord",
    "WrittenRecord",
    "catalogue_text",
    "compare_runs",
    "comparison_markdown",
    "comparison_short_text",
    "comparison_text",
    "count_operators",
    "failure_text",
    "fault_script",
    "finding_record",
    "function_reach",
    "history_of",
    "history_text",
    "item_text",
    "list_reach",
    "matrix_table",
    "operator_item_record",
    "own_reference_sentence",
    "parse_item",
    "prepare_record",
    "read_operator_record",
    "read_record",
    "read_run",
    "read_runs",
    "record_schema_text",
    "release_summary",
    "replay_text",
    "sort_by_name",
    "sum_counts",
    "terminal_summary",
    "write_record",
]
