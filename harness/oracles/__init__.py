"""Pure functions from Case, Example, Reference and Observations to Findings, on NumPy arrays.

`judge` is the whole of it; the rest are its pieces.
"""

from harness.oracles.aggregate import FIXED, Place, told
from harness.oracles.bounds import allowance, gamma
from harness.oracles.compare import Fault
from harness.oracles.judge import judge
from harness.oracles.rounding import round_to

__all__ = [
    "FIXED",
    "Fault",
    "Place",
    "allowance",
    "gamma",
    "judge",
    "round_to",
    "told",
]
