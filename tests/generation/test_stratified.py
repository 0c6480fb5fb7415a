"""Stratified draws, and examples larger than a grain."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import combinations, product
from typing import Any

from harness.core import Case, Expression, Size, TensorSpec
from harness.generation import corner_examples, larger_examples, shapes, space_bits, stratified_examples
from harness.generation.larger import GRAIN, PRODUCTS
from harness.generation.shapes import BUDGET
from harness.generation.stratified import stratified_rows

Declare = Callable[..., Case]
Tensor = Callable[..., TensorSpec]


def test_rows_are_all_there_are_or_meet_in_fours() -> None:
    """A small space is covered whole; of a larger one any four columns take every combination."""
    assert set(stratified_rows((2, 3, 2), 64)) == set(product(range(2), range(3), range(2)))
    rows = stratified_rows((2,) * 8, 64)
    assert len(set(rows)) == 64
    for columns in combinations(range(8), 4):
        assert len({tuple(row[column] for column in columns) for row in rows}) == 16


def test_one_row_one_column_and_one_channel_meet_each_format_in_place(image: Case) -> None:
    """Which of the four extents are least, with channels-last or not, in place or not: each of these 64 is drawn."""
    examples = stratified_examples(image, "float32", 160, seed=3)
    met = {
        (*(example.sizes[name] == 1 for name in "NCHW"), _starts(example, "channels_last"), example.inplace)
        for example in examples
    }
    assert len(met) >= 60


def _starts(example: Any, layout: str) -> bool:
    return bool(example.layouts["input"].startswith(layout))


def test_a_choice_of_few_values_takes_each_and_one_of_extents_its_first_and_the_rest(
    declare: Declare, tensor: Tensor
) -> None:
    """Words and flags are strata of their own; of a list of extents 1 is one, wherever it stands."""
    sizes = [
        Size("C", "channels"),
        Size("W", "choice", choices=(2, 1, 3, 9, 33)),
        Size("mode", "choice", choices=("a", "b", "c")),
        Size("alpha", "choice", choices=(0.5, 1.5, 2.5, 3.5, 4.5, 5.5)),
    ]
    case = declare(sizes, [tensor("input", ["1", "C", "1", "W"], channels_last=True)])
    examples = stratified_examples(case, "float32", 48, seed=0)
    assert {(example.sizes["mode"], example.sizes["W"] == 1) for example in examples} == {
        *product("abc", (False, True))
    }
    assert {example.sizes["alpha"] for example in examples} == {0.5, 1.5, 2.5, 3.5, 4.5, 5.5}
    assert sum(example.sizes["W"] == 1 for example in examples) > len(examples) / 3


def test_stratified_examples_follow_their_seed(conv2d: Case) -> None:
    """The same seed draws the same, another one others, and none is drawn twice or beyond the count."""
    examples = stratified_examples(conv2d, "bfloat16", 24, 1)
    assert examples == stratified_examples(conv2d, "bfloat16", 24, 1)
    assert examples != stratified_examples(conv2d, "bfloat16", 24, 2)
    assert len({example.but(seed=0).to_json() for example in examples}) == len(examples) <= 24
    assert stratified_examples(conv2d, "bfloat16", 0, 1) == []


def test_a_step_along_one_element_is_taken_along_more(image: Case) -> None:
    """A view by steps or slices is along a dimension that has more than one element, where there is one."""
    for example in stratified_examples(image, "float32", 64, 5):
        name, shape = example.layouts["input"], shapes(image, example)["input"]
        if name[:-1].endswith((":step_", ":slice_")) and max(shape[1:]) > 1:
            assert shape["nchw".index(name[-1])] > 1


def test_larger_examples_go_beyond_a_grain_in_both_formats(image: Case) -> None:
    """Two threads have more than one grain to share, within the budget, and the first is channels-last."""
    larger = larger_examples(image, stratified_examples(image, "float32", 40, 0), 3)
    assert len(larger) == 3
    assert larger[0].layouts["input"] == "channels_last"
    for example in larger:
        assert GRAIN < math.prod(shapes(image, example)["input"]) <= BUDGET
        assert example.threads == 2
    assert larger_examples(image, [], 3) == []


def test_what_cannot_grow_is_not_made_larger(declare: Declare, tensor: Tensor) -> None:
    """Where the sizes of a case end before a grain there is no larger example."""
    case = declare([Size("W", "choice", choices=(1, 2, 3))], [tensor("input", ["1", "4", "2", "W"])])
    assert larger_examples(case, stratified_examples(case, "float32", 9, 0), 2) == []


def test_a_result_is_not_larger_than_what_an_example_may_have(
    declare: Declare, tensor: Tensor, expression: Callable[[str | int], Expression]
) -> None:
    """An expanded tensor of few elements would ask for billions in its result: such an example is not made."""
    sizes = [Size("N", "batch"), Size("C", "channels"), Size("H", "spatial"), Size("W", "spatial")]
    shape = {"size": [expression(name) for name in "NCHW"]}
    one_axis = declare(sizes, [tensor("input", ["1", "1", "1", "W"])], arguments=shape)
    whole = declare(sizes, [tensor("input", ["N", "C", "H", "W"])], arguments=shape)
    matrices = declare(sizes, [tensor("input", ["N", "2", "3"])], arguments=shape)
    for case, count in ((one_axis, 1), (whole, 4), (matrices, 0)):
        larger = larger_examples(case, stratified_examples(case, "float32", 40, 0), 4)
        assert len(larger) >= count
        assert all(math.prod(example.sizes.values()) <= BUDGET for example in larger)


def test_an_operator_with_many_arguments_has_a_larger_space(image: Case, conv2d: Case) -> None:
    """Each size with two strata is a bit of the space, and a convolution has twice as many as an image alone."""
    assert space_bits(image, "float32") > 4
    assert space_bits(conv2d, "float32") > 2 * space_bits(image, "float32")


def test_a_weight_has_odd_strides_as_often_as_other_strata(conv2d: Case) -> None:
    """Layouts of a weight are strata too: in a quarter of the rows, where its shape has a 1, strides of it are odd."""
    examples = stratified_examples(conv2d, "float32", 96, 0)
    odd = [example for example in examples if example.layouts["weight"].endswith((":odd", ":image"))]
    assert len(odd) >= 10
    assert {example.layouts["weight"].partition(":")[0] for example in odd} == {"contiguous", "channels_last"}


def test_larger_examples_take_each_word_and_one_plane_is_beyond_16_bits(declare: Declare, tensor: Tensor) -> None:
    """Of three larger examples each has another reduction, and the first one has all its elements in one image."""
    sizes = [Size("N", "batch"), Size("C", "channels"), Size("H", "spatial"), Size("W", "spatial")]
    words = Size("reduction", "choice", choices=("mean", "sum", "none"))
    case = declare([*sizes, words], [tensor("input", ["N", "C", "H", "W"])])
    larger = larger_examples(case, stratified_examples(case, "float32", 40, 0), 3)
    assert {example.sizes["reduction"] for example in larger} == {"mean", "sum", "none"}
    assert larger[0].sizes["N"] == 1
    assert math.prod(shapes(case, larger[0])["input"]) > 2**15


def test_no_larger_example_sums_more_products_than_take_seconds(conv2d: Case) -> None:
    """A larger convolution has an image beyond a grain, and not its largest weight with it."""
    larger = larger_examples(conv2d, stratified_examples(conv2d, "float32", 80, 0), 2)
    assert larger
    for example in larger:
        extents = shapes(conv2d, example)
        assert math.prod(extents["input"]) * math.prod(extents["weight"]) // extents["input"][1] <= PRODUCTS


def test_every_way_to_run_a_call_meets_each_layout_where_it_tells(declare: Declare, tensor: Tensor) -> None:
    """A row of a path has its first tensor apart from the plain format if any has, and an empty one is faked too."""
    sizes = [Size("N", "batch", empty=True), Size("C", "channels"), Size("H", "spatial"), Size("W", "spatial")]
    spec = tensor("input", ["N", "C", "H", "W"], channels_last=True)
    rows = corner_examples(declare(sizes, [spec], paths=("meta",)), "float32")
    faked = [row for row in rows if row.path == "meta"]
    assert any(row.layouts["input"].endswith(":expand_n") and row.sizes["N"] > 1 for row in faked)
    assert any(row.sizes["N"] == 0 for row in faked)
