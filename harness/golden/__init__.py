"""Golden: what a person has reviewed.

Deviations (findings that are known and accepted for now), the layout contract, pinned examples, and what the suites
must reach.
"""

from harness.golden.coverage import OperatorList, Wanted, load_wanted
from harness.golden.deviations import Deviations, load_deviations
from harness.golden.double import Refusals, load_refusals
from harness.golden.fit import misfit
from harness.golden.laws import DENSE, FORMATS, Law, phrases, spelled_out
from harness.golden.layouts import LEVELS, Contract, Element, Facts, load_contract
from harness.golden.networks import load_network_deviations
from harness.golden.references import PER_CASE, Digest, Pin, References, exact, fingerprint, load_references
from harness.golden.release import release
from harness.golden.store import Golden
from harness.golden.table import answer, answer_table
from harness.golden.update import Observed, update

__all__ = [
    "DENSE",
    "FORMATS",
    "LEVELS",
    "PER_CASE",
    "Contract",
    "Deviations",
    "Digest",
    "Element",
    "Facts",
    "Golden",
    "Law",
    "Observed",
    "OperatorList",
    "Pin",
    "References",
    "Refusals",
    "Wanted",
    "answer",
    "answer_table",
    "exact",
    "fingerprint",
    "load_contract",
    "load_deviations",
    "load_network_deviations",
    "load_references",
    "load_refusals",
    "load_wanted",
    "misfit",
    "phrases",
    "release",
    "spelled_out",
    "update",
]
