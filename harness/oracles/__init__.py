"""Pure functions from Case, Example, Reference and Observations to Findings, on NumPy arrays.

`judge` is the whole of it; the judge of models uses the other pieces too.
"""

from harness.oracles.aggregate import KIND_BY_ORACLE, Place, merge_faults
from harness.oracles.compare import Fault
from harness.oracles.drift import Drift, compare_references, measure_drift
from harness.oracles.judge import judge
from harness.oracles.mismatch import NO_PATTERN, describe_mismatch, first_elements
from harness.oracles.rounding import round_to
from harness.oracles.vacuity import CONSTANT_OUTPUT, EMPTY, NOTHING_JUDGED, OWN_REFERENCE
from harness.oracles.window import Window

__all__ = [
    "CONSTANT_OUTPUT",
    "EMPTY",
    "KIND_BY_ORACLE",
    "NOTHING_JUDGED",
    "NO_PATTERN",
    "OWN_REFERENCE",
    "Drift",
    "Fault",
    "Place",
    "Window",
    "compare_references",
    "describe_mismatch",
    "first_elements",
    "judge",
    "measure_drift",
    "merge_faults",
    "round_to",
]
