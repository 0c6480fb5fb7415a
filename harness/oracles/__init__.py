"""Pure functions from Case, Example, Reference and Observations to Findings, on NumPy arrays.

`judge` is the whole of it; the rest are its pieces.
"""

from harness.oracles.bounds import allowance, gamma
from harness.oracles.formats import keeps, losses
from harness.oracles.judge import judge
from harness.oracles.networks import judge_network
from harness.oracles.rounding import FORMATS, accumulator_of, round_to, tiny, unit_roundoff
from harness.oracles.strides import channels_last_strides, contiguous_strides, format_of

__all__ = [
    "FORMATS",
    "accumulator_of",
    "allowance",
    "channels_last_strides",
    "contiguous_strides",
    "format_of",
    "gamma",
    "judge",
    "judge_network",
    "keeps",
    "losses",
    "round_to",
    "tiny",
    "unit_roundoff",
]
