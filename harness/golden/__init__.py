"""Golden: what a person has reviewed.

Known issues (findings that are known and accepted for now), the layout contract, snapshots, and what the suites
must reach.
"""

from harness.golden.contract.contract import Contract, load_contract
from harness.golden.contract.layout_rule import FormatCombination, LayoutRule, RuleKind, candidate_rules, spell_out
from harness.golden.contract.line import LEVELS, ContractLine, Element, Facts
from harness.golden.contract.table import answer, answer_table
from harness.golden.corpus import (
    Corpus,
    CorpusCase,
    can_be_kept,
    corpus_entry,
    corpus_text,
    load_corpus,
)
from harness.golden.coverage import ArgumentGroupSchema, CoverageTargets, OperatorListSchema, load_coverage_targets
from harness.golden.double_backward import DOUBLE_BACKWARD_FILE, MissingDoubleBackwards, load_missing_double_backwards
from harness.golden.fault_matrix import MATRIX_FILE, FaultMatrix, MeasuredBuildSchema, load_fault_matrix
from harness.golden.files import corpus_file, update_command
from harness.golden.issues.entry_text import entry_text
from harness.golden.issues.files import KnownIssues, load_known_issues
from harness.golden.issues.fit import complete_layouts, describe_misfit
from harness.golden.issues.levels import describe_levels, phrase_levels, resolve_levels
from harness.golden.issues.notes import AcceptanceSchema, Notes
from harness.golden.issues.places import UNWRITTEN
from harness.golden.issues.release_edits import (
    ReleaseEdit,
    date_fault,
    edits_of_stale,
    release_bounds,
    verified_releases,
    write_release_edits,
)
from harness.golden.issues.writing import append_entry, set_fault_field, set_place_field, write_verified
from harness.golden.item_observation import ItemObservation, ItemObservationJson
from harness.golden.release import release_of
from harness.golden.snapshots.snapshot import (
    PER_CASE,
    Digest,
    Snapshot,
    Snapshots,
    can_be_exact,
    fingerprint,
    load_snapshots,
)
from harness.golden.store import Golden
from harness.golden.update import write_golden

__all__ = [
    "DOUBLE_BACKWARD_FILE",
    "LEVELS",
    "MATRIX_FILE",
    "PER_CASE",
    "UNWRITTEN",
    "AcceptanceSchema",
    "ArgumentGroupSchema",
    "Contract",
    "ContractLine",
    "Corpus",
    "CorpusCase",
    "CoverageTargets",
    "Digest",
    "Element",
    "Facts",
    "FaultMatrix",
    "FormatCombination",
    "Golden",
    "ItemObservation",
    "ItemObservationJson",
    "KnownIssues",
    "LayoutRule",
    "MeasuredBuildSchema",
    "MissingDoubleBackwards",
    "Notes",
    "OperatorListSchema",
    "ReleaseEdit",
    "RuleKind",
    "Snapshot",
    "Snapshots",
    "answer",
    "answer_table",
    "append_entry",
    "can_be_exact",
    "can_be_kept",
    "candidate_rules",
    "complete_layouts",
    "corpus_entry",
    "corpus_file",
    "corpus_text",
    "date_fault",
    "describe_levels",
    "describe_misfit",
    "edits_of_stale",
    "entry_text",
    "fingerprint",
    "load_contract",
    "load_corpus",
    "load_coverage_targets",
    "load_fault_matrix",
    "load_known_issues",
    "load_missing_double_backwards",
    "load_snapshots",
    "phrase_levels",
    "release_bounds",
    "release_of",
    "resolve_levels",
    "set_fault_field",
    "set_place_field",
    "spell_out",
    "update_command",
    "verified_releases",
    "write_golden",
    "write_release_edits",
    "write_verified",
]
