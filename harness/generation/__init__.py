"""Generation: from a Case to Examples. Sizes, covering arrays, drawing, and shrinking."""

from harness.generation.corners import corner_examples
from harness.generation.coverage import CornerCoverage, corner_coverage
from harness.generation.declared_examples import declared_examples
from harness.generation.drawing import ExampleSource, random_examples, sampled_examples
from harness.generation.enlargement import enlarged_examples
from harness.generation.fixed_examples import fixed_examples, plain_example
from harness.generation.gradcheck_examples import gradcheck_examples
from harness.generation.larger import larger_examples
from harness.generation.layout_choice import has_own_layout
from harness.generation.layout_probes import (
    ORDINARY,
    LayoutProbe,
    argument_examples,
    layout_probes,
    probe_shapes,
    snapshot_candidates,
)
from harness.generation.neighbours import Neighbour, neighbours
from harness.generation.ranges import ranges
from harness.generation.resolve import ResolvedExample, ResolvedModule, ResolvedTensor, resolve_example, resolve_module
from harness.generation.shapes import (
    BUDGET,
    MOST_ELEMENTS,
    arguments,
    check_indices,
    construction,
    describe_excess,
    is_within_budget,
    positional,
    shapes,
    terms,
)
from harness.generation.shrinking import shrink
from harness.generation.size_traits import size_traits
from harness.generation.stratified import space_bits, stratified_examples, sums_products
from harness.generation.typical_example import typical_example

__all__ = [
    "BUDGET",
    "MOST_ELEMENTS",
    "ORDINARY",
    "CornerCoverage",
    "ExampleSource",
    "LayoutProbe",
    "Neighbour",
    "ResolvedExample",
    "ResolvedModule",
    "ResolvedTensor",
    "argument_examples",
    "arguments",
    "check_indices",
    "construction",
    "corner_coverage",
    "corner_examples",
    "declared_examples",
    "describe_excess",
    "enlarged_examples",
    "fixed_examples",
    "gradcheck_examples",
    "has_own_layout",
    "is_within_budget",
    "larger_examples",
    "layout_probes",
    "neighbours",
    "plain_example",
    "positional",
    "probe_shapes",
    "random_examples",
    "ranges",
    "resolve_example",
    "resolve_module",
    "sampled_examples",
    "shapes",
    "shrink",
    "size_traits",
    "snapshot_candidates",
    "space_bits",
    "stratified_examples",
    "sums_products",
    "terms",
    "typical_example",
]
