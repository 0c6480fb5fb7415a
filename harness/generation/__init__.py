"""Generation: from a Case to Examples. Sizes, layouts, fills, covering arrays, and shrinking.

`layouts` and `fills` need nothing but NumPy and run on Python 3.8, because a worker loads their source too.
"""

from harness.generation.covered import Coverage, coverage
from harness.generation.covering import corner_examples
from harness.generation.declared import declared_examples
from harness.generation.drawing import random_examples, sampled_examples
from harness.generation.layouts import dense
from harness.generation.networks import network_arguments, network_examples, network_shapes
from harness.generation.probes import ORDINARY, RANKS, Probe, pinnable, probes, telling_shapes
from harness.generation.ranges import ranges
from harness.generation.shapes import BUDGET, arguments, construction, positional, shapes, terms
from harness.generation.shrinking import shrink
from harness.generation.tiny import tiny_examples

__all__ = [
    "BUDGET",
    "ORDINARY",
    "RANKS",
    "Coverage",
    "Probe",
    "arguments",
    "construction",
    "corner_examples",
    "coverage",
    "declared_examples",
    "dense",
    "network_arguments",
    "network_examples",
    "network_shapes",
    "pinnable",
    "positional",
    "probes",
    "random_examples",
    "ranges",
    "sampled_examples",
    "shapes",
    "shrink",
    "telling_shapes",
    "terms",
    "tiny_examples",
]
