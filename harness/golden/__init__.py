"""Golden: what a person has reviewed: deviations that are known and accepted, and what the suites must reach."""

from harness.golden.coverage import OperatorList, Wanted, load_wanted
from harness.golden.deviations import Deviations, load_deviations
from harness.golden.fit import misfit
from harness.golden.networks import load_network_deviations

__all__ = [
    "Deviations",
    "OperatorList",
    "Wanted",
    "load_deviations",
    "load_network_deviations",
    "load_wanted",
    "misfit",
]
