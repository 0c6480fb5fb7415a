"""Pure functions from Case, Example, Reference and Observations to Findings, on NumPy arrays.

`judge` is the whole of it; the judge of models uses the other pieces too.
"""

from harness.oracles.aggregate import KIND_BY_ORACLE, Place, merge_faults
from harness.oracles.compare import Fault
from harness.oracles.judge import judge
from harness.oracles.rounding import round_to
from harness.oracles.vacuity import CONSTANT_OUTPUT, EMPTY, OWN_REFERENCE

__all__ = [
    "CONSTANT_OUTPUT",
    "EMPTY",
    "KIND_BY_ORACLE",
    "OWN_REFERENCE",
    "Fault",
    "Place",
    "judge",
    "merge_faults",
    "round_to",
]
