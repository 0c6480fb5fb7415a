"""A minimal example made larger: legal, within the budget, and never smaller in anything."""

from __future__ import annotations

from dataclasses import replace

from harness.core import Example, Expression, Size
from harness.generation import enlarged_examples
from harness.generation.shapes import BUDGET, largest_numel
from tests.trial.toy import CASE

SMALLEST = {"N": 1, "C": 2, "H": 1, "W": 2}
EXAMPLE = Example(CASE.id, "float32", SMALLEST, {"input": "channels_last", "grad_output": "contiguous"})


def test_the_largest_comes_first_and_then_fewer_kinds_of_sizes() -> None:
    """Channels, images and batch together, then some of them; the layouts stay."""
    examples = [*enlarged_examples(CASE, EXAMPLE)]
    assert dict(examples[0].sizes) == {"N": 3, "C": 31, "H": 7, "W": 13}
    assert {"N": 1, "C": 31, "H": 1, "W": 2} in [dict(example.sizes) for example in examples]
    assert all(example.layouts == EXAMPLE.layouts for example in examples)
    assert len({example.to_json() for example in examples}) == len(examples)


def test_nothing_is_made_smaller_and_nothing_is_tried_twice() -> None:
    """What is larger already stays; where all is, there is nothing to enlarge."""
    wide = EXAMPLE.but(sizes=SMALLEST | {"W": 40})
    assert all(example.sizes["W"] == 40 for example in enlarged_examples(CASE, wide))
    large = EXAMPLE.but(sizes={"N": 3, "C": 64, "H": 9, "W": 13})
    assert [*enlarged_examples(CASE, large)] == []


def test_examples_are_legal_and_within_the_budget() -> None:
    """A requirement that larger sizes break leaves them out; too many elements are halved."""
    narrow = replace(CASE, require=(Expression.parse("C <= 2"),))
    assert {example.sizes["C"] for example in enlarged_examples(narrow, EXAMPLE)} == {2}
    shape = tuple(map(Expression.parse, ("N*K", "C", "H", "W")))
    heavy = replace(
        CASE,
        sizes=(*CASE.sizes, Size("K", "choice", choices=(64,))),
        tensors=(replace(CASE.tensors[0], shape=shape),),
    )
    start = EXAMPLE.but(sizes=SMALLEST | {"K": 64})
    assert all(largest_numel(heavy, dict(example.sizes)) <= BUDGET for example in enlarged_examples(heavy, start))
