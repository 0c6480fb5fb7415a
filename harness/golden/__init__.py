"""Golden: what a person has reviewed. Here the deviations: findings that are known and accepted for now."""

from harness.golden.deviations import Deviations, load_deviations
from harness.golden.fit import misfit

__all__ = ["Deviations", "load_deviations", "misfit"]
