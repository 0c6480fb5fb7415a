"""Reporting: the JSON record of a run, and the views of it."""

from harness.reporting.against_summary import against_summary
from harness.reporting.argument_reach import ArgumentsReach, arguments_reach
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
from harness.reporting.corpus import corpus_of
from harness.reporting.draft import IssueDraft, failure_draft, fault_draft, group_draft
from harness.reporting.failure import failure_text
from harness.reporting.fault_groups import FaultGroup, FaultPlace, fault_groups, fault_summary
from harness.reporting.finding_record import FindingRecord, finding_record, sort_by_name
from harness.reporting.golden_item import GoldenItemRecord
from harness.reporting.html_report import InlineSource, html_report, inline_source
from harness.reporting.item_properties import item_properties
from harness.reporting.journal import Journal, JournalEntry, JournalHead, JournalWriter, journal_path, read_journal
from harness.reporting.json_schema import record_schema_text
from harness.reporting.merging import merge_records, missing_parts
from harness.reporting.model_item import (
    FaultyModuleRecord,
    LayoutRowRecord,
    ModelExampleRecord,
    ModelFailureRecord,
    ModelItemRecord,
)
from harness.reporting.operator_item import FailureRecord, OperatorItemRecord, operator_item_record
from harness.reporting.own_reference import own_reference_sentence
from harness.reporting.reach import (
    FunctionReach,
    ListReach,
    ReachReport,
    cases_by_operator,
    count_operators,
    function_reach,
    list_reach,
)
from harness.reporting.reading import read_operator_record, read_record
from harness.reporting.record import (
    BaselineRecord,
    BuildRecord,
    ItemRecord,
    LevelRecord,
    Record,
    RunRecord,
    ShardRecord,
    example_count,
    item_text,
    parse_item,
)
from harness.reporting.recorder import Recorder, RecordHead
from harness.reporting.rediscovery import RediscoveryReport, rediscovery_report
from harness.reporting.replay import replay_text
from harness.reporting.run_differences import baseline_difference, difference_message
from harness.reporting.script import MOST_LINES, fault_scripts, write_script
from harness.reporting.script_subject import NoScriptError, ScriptSubject
from harness.reporting.script_writer import FAULT_IS_HERE, POISON, STOCK
from harness.reporting.step_summary import step_summary
from harness.reporting.summary import release_summary, sum_counts, terminal_summary
from harness.reporting.templating import HTML, TEMPLATES
from harness.reporting.writing import (
    WrittenRecord,
    prepare_record,
    previous_path,
    put_aside,
    put_back,
    write_record,
)

__all__ = [
    "FAULT_IS_HERE",
    "HTML",
    "MOST_LINES",
    "POISON",
    "STOCK",
    "TEMPLATES",
    "ArgumentsReach",
    "BaselineRecord",
    "BuildRecord",
    "FailureRecord",
    "FaultGroup",
    "FaultPlace",
    "FaultyModuleRecord",
    "FindingRecord",
    "FunctionReach",
    "GoldenItemRecord",
    "InlineSource",
    "IssueDraft",
    "ItemRecord",
    "Journal",
    "JournalEntry",
    "JournalHead",
    "JournalWriter",
    "LayoutRowRecord",
    "LevelRecord",
    "ListReach",
    "ModelExampleRecord",
    "ModelFailureRecord",
    "ModelItemRecord",
    "NoScriptError",
    "OperatorItemRecord",
    "ReachReport",
    "Record",
    "RecordHead",
    "Recorder",
    "RediscoveryReport",
    "RunRecord",
    "ScriptSubject",
    "ShardRecord",
    "WrittenRecord",
    "against_summary",
    "arguments_reach",
    "baseline_difference",
    "cases_by_operator",
    "catalogue_text",
    "compare_runs",
    "comparison_markdown",
    "comparison_short_text",
    "comparison_text",
    "corpus_of",
    "count_operators",
    "difference_message",
    "example_count",
    "failure_draft",
    "failure_text",
    "fault_draft",
    "fault_groups",
    "fault_scripts",
    "fault_summary",
    "finding_record",
    "function_reach",
    "group_draft",
    "history_of",
    "history_text",
    "html_report",
    "inline_source",
    "item_properties",
    "item_text",
    "journal_path",
    "list_reach",
    "matrix_table",
    "merge_records",
    "missing_parts",
    "operator_item_record",
    "own_reference_sentence",
    "parse_item",
    "prepare_record",
    "previous_path",
    "put_aside",
    "put_back",
    "read_journal",
    "read_operator_record",
    "read_record",
    "read_run",
    "read_runs",
    "record_schema_text",
    "rediscovery_report",
    "release_summary",
    "replay_text",
    "sort_by_name",
    "step_summary",
    "sum_counts",
    "terminal_summary",
    "write_record",
    "write_script",
]
