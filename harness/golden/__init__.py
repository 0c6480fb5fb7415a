"""Golden: what a person has reviewed.

Known issues (findings that are known and accepted for now), the layout contract, snapshots, and what the suites
must reach.
"""

from harness.golden.contract.layout_rule import DENSE, FORMATS, LayoutRule, phrases, spelled_out
from harness.golden.contract.lines import LEVELS, Contract, Element, Facts, load_contract
from harness.golden.contract.table import answer, answer_table
from harness.golden.coverage import OperatorList, Wanted, load_wanted
from harness.golden.double_backward import MissingDoubleBackwards, load_missing_double_backwards
from harness.golden.issues.files import KnownIssues, load_known_issues
from harness.golden.issues.fit import misfit
from harness.golden.issues.notes import AcceptanceSchema, Notes
from harness.golden.release import release
from harness.golden.snapshots.snapshot import PER_CASE, Digest, Snapshot, Snapshots, exact, fingerprint, load_snapshots
from harness.golden.store import Golden
from harness.golden.update import Observed, update

__all__ = [
    "DENSE",
    "FORMATS",
    "LEVELS",
    "PER_CASE",
    "AcceptanceSchema",
    "Contract",
    "Digest",
    "Element",
    "Facts",
    "Golden",
    "KnownIssues",
    "LayoutRule",
    "MissingDoubleBackwards",
    "Notes",
    "Observed",
    "OperatorList",
    "Snapshot",
    "Snapshots",
    "Wanted",
    "answer",
    "answer_table",
    "exact",
    "fingerprint",
    "load_contract",
    "load_known_issues",
    "load_missing_double_backwards",
    "load_snapshots",
    "load_wanted",
    "misfit",
    "phrases",
    "release",
    "spelled_out",
    "update",
]
