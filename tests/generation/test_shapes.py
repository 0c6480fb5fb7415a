"""Shapes, arguments, reduction lengths and the element budget."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

import pytest

from harness.core import Case, Example, Expression, Numerics, Size, TensorSpec
from harness.errors import UserError
from harness.generation import BUDGET, arguments, corner_examples, random_examples, shapes, terms
from harness.generation.shapes import within_budget

Declare = Callable[..., Case]


def _conv_example(**sizes: Any) -> Example:
    default: dict[str, Any] = {"N": 2, "groups": 2, "Cg": 3, "Kg": 4, "kernel": (3, 5), "stride": (1, 2)}
    default |= {"dilation": (1, 1), "padding": (0, 1), "H": 9, "W": 8, **sizes}
    return Example("suites/some.yaml::op", "float32", default, {}, absent=("bias",))


def test_shapes_are_those_of_present_tensors(conv2d: Case) -> None:
    """Expressions over the sizes give the shapes; an absent tensor has none."""
    assert shapes(conv2d, _conv_example()) == {"input": (2, 6, 9, 8), "weight": (8, 3, 3, 5)}


@pytest.mark.parametrize(("text", "value"), [("C - 4", "-1"), ("C > 2", "True"), ("'wide'", "'wide'")])
def test_a_size_that_is_no_size_names_case_tensor_and_values(
    declare: Declare, tensor: Callable[..., TensorSpec], text: str, value: str
) -> None:
    """A shape that comes out negative, or as something else, is a mistake of the declaration."""
    case = declare([Size("C", "channels")], [tensor("weight", [text])])
    values = " with C=3" if "C" in text else ""
    message = f"suites/some.yaml::op (line 7): weight has a size {text!r} = {value}{values}; sizes are 0 or more"
    with pytest.raises(UserError, match=re.escape(message)):
        shapes(case, Example(case.id, "float32", {"C": 3}, {}))


def test_an_expression_that_cannot_be_computed_names_the_case(
    declare: Declare, tensor: Callable[..., TensorSpec]
) -> None:
    """Arithmetic that fails is a user's mistake with a place, not a traceback."""
    case = declare([Size("C", "channels")], [tensor("weight", ["8 // (C - 3)"])])
    with pytest.raises(UserError, match=r"line 7\): '8 // \(C - 3\)' divides by zero with C=3"):
        shapes(case, Example(case.id, "float32", {"C": 3}, {}))


def test_arguments_are_evaluated_and_lists_are_tuples(
    declare: Declare, expression: Callable[[str | int], Expression]
) -> None:
    """Expressions over the sizes become values; literals stay."""
    declared = {"size": [expression("H//2"), 3], "mode": "reflect", "scale": 0.5, "dims": (2, (expression("H"),))}
    case = declare([Size("H", "spatial")], [], arguments=declared)
    values = arguments(case, Example(case.id, "float32", {"H": 9}, {}))
    assert values == {"size": (4, 3), "mode": "reflect", "scale": 0.5, "dims": (2, (9,))}


def test_terms_bound_the_reductions_of_a_convolution(conv2d: Case) -> None:
    """Forward, input gradient and weight gradient of a convolution sum no more terms than estimated."""
    for sizes in ({}, {"N": 1, "Cg": 64, "H": 3, "W": 5}, {"N": 16, "groups": 1, "Kg": 33}):
        example = _conv_example(**sizes)
        n, c, h, w = shapes(conv2d, example)["input"]
        k, cg, kh, kw = shapes(conv2d, example)["weight"]
        assert terms(conv2d, example) >= max(cg * kh * kw, k // (c // cg) * kh * kw, n * h * w)
        assert terms(conv2d, example) < n * c * h * w * k


def test_declared_terms_win_and_selections_count_their_windows(
    declare: Declare, tensor: Callable[..., TensorSpec], expression: Callable[[str | int], Expression]
) -> None:
    """Declared terms are evaluated; a pooling window is the product of its ranges, within the tensor."""
    sizes = [Size("H", "spatial"), Size("kernel", "range", low=expression(1), high=expression(9), length=2)]
    tensors = [tensor("input", ["H", "H"])]
    selection = Numerics("exact", "selection")
    example = Example("suites/some.yaml::op", "float32", {"H": 6, "kernel": (2, 3)}, {})
    assert terms(declare(sizes, tensors, numerics=selection), example) == 6
    assert terms(declare(sizes, tensors, numerics=selection), example.but(sizes={"H": 1, "kernel": (2, 3)})) == 1
    declared = Numerics("multilinear", "multilinear", terms=expression("kernel[0]*4"))
    assert terms(declare(sizes, tensors, numerics=declared), example) == 8
    assert terms(declare(sizes, [], numerics=declared), example) == 8
    assert terms(declare(sizes, []), example) == 1


def test_no_drawn_tensor_exceeds_the_budget(conv2d: Case, image: Case) -> None:
    """Corner rows and draws are made smaller, not rejected."""
    for case in (conv2d, image):
        for example in corner_examples(case, "float32") + random_examples(case, "float32", 60, 3):
            assert max(math.prod(shape) for shape in shapes(case, example).values()) <= BUDGET


def test_the_budget_halves_spatial_sizes_first_and_keeps_bounds(
    declare: Declare, tensor: Callable[..., TensorSpec], expression: Callable[[str | int], Expression]
) -> None:
    """Height and width go first, down to their bounds, then channels, then the batch; other sizes stay."""
    sizes = [Size("N", "batch"), Size("C", "channels"), Size("H", "spatial", low=expression(5)), Size("L", "spatial")]
    case = declare(sizes, [tensor("input", ["N", "C", "H"])])
    start = {"N": 16, "C": 64, "H": 64, "L": 99}
    assert within_budget(case, start, budget=64 * 16 * 32) == {"N": 16, "C": 64, "H": 32, "L": 99}
    assert within_budget(case, start, budget=16 * 32 * 5) == {"N": 16, "C": 32, "H": 5, "L": 99}
    assert within_budget(case, start, budget=40) == {"N": 8, "C": 1, "H": 5, "L": 99}
    assert within_budget(case, start, budget=1) == {"N": 1, "C": 1, "H": 5, "L": 99}


def test_the_budget_takes_ranges_last_and_skips_what_a_constraint_forbids(
    declare: Declare, tensor: Callable[..., TensorSpec], expression: Callable[[str | int], Expression]
) -> None:
    """A range goes to its simplest value where nothing else helps; a constraint holds throughout."""
    sizes = [Size("C", "channels"), Size("scale", "range", low=expression(1), high=expression(8))]
    case = declare(sizes, [tensor("input", ["C", "scale"])], require=["C > 4"])
    assert within_budget(case, {"C": 8, "scale": 8}, budget=10) == {"C": 8, "scale": 1}
