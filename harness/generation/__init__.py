"""Generation: from a Case to Examples. Sizes, layouts, fills, covering arrays, and shrinking.

`layouts` and `fills` need nothing but NumPy and run on Python 3.8, because a worker loads their source too.
"""

from harness.generation.corners import corner_examples
from harness.generation.coverage import Coverage, coverage
from harness.generation.declared_examples import declared_examples
from harness.generation.drawing import random_examples, sampled_examples
from harness.generation.gradcheck_examples import tiny_examples
from harness.generation.layout_probes import ORDINARY, RANKS, Probe, pinnable, probes, telling_shapes
from harness.generation.ranges import ranges
from harness.generation.shapes import BUDGET, arguments, construction, positional, shapes, terms
from harness.generation.shrinking import shrink

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
