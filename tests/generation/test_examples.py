"""Declared, corner and random examples, and the share of combinations they cover."""

from __future__ import annotations

import json
import math
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from itertools import combinations, product
from pathlib import Path
from typing import Any

import pytest

from harness.core import Case, DeclaredExample, Example, Expression, Size, TensorSpec
from harness.errors import UserError
from harness.generation import (
    CornerCoverage,
    ExampleSource,
    corner_coverage,
    corner_examples,
    declared_examples,
    random_examples,
    sampled_examples,
)
from harness.generation.covering import covering_array, load_covering_array
from harness.generation.drawing import free_pool
from harness.generation.shapes import legalise, shapes
from harness.generation.space import factors
from harness.portable import layouts
from harness.portable.memory_format import dense_strides

Declare = Callable[..., Case]
Parse = Callable[[str | int], Expression]
Tensor = Callable[..., TensorSpec]


def test_a_covering_array_covers_and_starts_simple() -> None:
    """Every pair of columns holds every pair of values; the row of zeros comes first; one-valued columns are free."""
    counts = (5, 4, 1, 3, 3, 2)
    rows = covering_array(counts, 2)
    assert rows[0] == (0,) * 6
    for column, other in combinations(range(6), 2):
        assert {(row[column], row[other]) for row in rows} == set(product(range(counts[column]), range(counts[other])))
    assert len(covering_array((2, 3), 3)) == 6
    assert covering_array((), 2) == ((),)


@pytest.mark.parametrize("text", ["", "[[7, 0]]", '["ab"]', "[[0]]", "[]", "7", "[" * 5000])
def test_an_array_that_is_none_is_made_again(tmp_path: Path, text: str) -> None:
    """What a file holds is looked at before it is used, and replaced where it is no array of these columns."""
    rows = load_covering_array((3, 2), 2, tmp_path)
    (file,) = tmp_path.iterdir()
    file.write_text(text)
    assert load_covering_array((3, 2), 2, tmp_path) == rows == covering_array((3, 2), 2)
    assert json.loads(file.read_text()) == [list(row) for row in rows]


def test_an_array_need_not_be_kept(tmp_path: Path) -> None:
    """Where the directory cannot be made it is still there for this run."""
    (tmp_path / "file").touch()
    assert load_covering_array((3, 2), 2, tmp_path / "file" / "arrays") == covering_array((3, 2), 2)


def test_arrays_are_kept(tmp_path: Path) -> None:
    """The second run reads what the first wrote; what cannot be read is made and written again."""
    rows = load_covering_array((3, 2, 2, 2), 3, tmp_path / "arrays")
    (file,) = (tmp_path / "arrays").iterdir()
    assert rows == covering_array((3, 2, 2, 2), 3)
    file.write_text("[[1, 0, 0, 0]]")
    assert load_covering_array((3, 2, 2, 2), 3, tmp_path / "arrays") == ((1, 0, 0, 0),)
    file.write_text("[[1,")
    assert load_covering_array((3, 2, 2, 2), 3, tmp_path / "arrays") == rows
    assert load_covering_array((3, 2, 2, 2), 2, tmp_path / "arrays") == covering_array((3, 2, 2, 2), 2)
    assert load_covering_array((3, 2, 2, 2), 3, None) == rows


@pytest.mark.parametrize("strength", [2, 3])
def test_corner_examples_cover_their_combinations(declare: Declare, tensor: Tensor, strength: int) -> None:
    """At strength two all pairs are met, at strength three all triples, in few rows."""
    sizes = [Size("N", "batch"), Size("C", "channels"), Size("g", "choice", choices=(1, 2, 4))]
    case = declare(sizes, [tensor("x", ["N", "C"]), tensor("b", ["C"], optional=True)])
    share = corner_coverage(case, "float32", corner_examples(case, "float32", strength))
    assert share.pairs_covered == share.pairs_total
    assert (share.triples_covered == share.triples_total) == (strength == 3)


def test_corner_examples_are_few_distinct_legal_and_the_same_every_time(conv2d: Case) -> None:
    """A convolution's pairs fit in some eighty rows that start with the simplest."""
    examples = corner_examples(conv2d, "float32")
    assert len(examples) <= 85
    assert len({example.but(seed=0).to_json() for example in examples}) == len(examples)
    assert examples == corner_examples(conv2d, "float32")
    assert all(legalise(conv2d, example.sizes) == example.sizes for example in examples)
    assert examples[0].seed == 0
    assert set(examples[0].layouts.values()) == {"contiguous"}
    assert {example.absent for example in examples} == {(), ("bias",)}
    assert corner_coverage(conv2d, "float32", examples).pairs_covered > 2900


def test_in_place_examples_have_no_overlapping_first_tensor(image: Case) -> None:
    """What is written in place is never expanded."""
    examples = corner_examples(image, "float32") + random_examples(image, "float32", 100, 0)
    written = [example.layouts["input"] for example in examples if example.inplace]
    assert written
    assert not any(name.endswith("expand_n") for name in written)


def test_rows_that_break_a_constraint_are_repaired_or_dropped(declare: Declare, tensor: Tensor) -> None:
    """Constraints hold in every corner example, and the corners they leave are still there."""
    sizes = [Size("a", "choice", choices=(1, 2, 3)), Size("b", "choice", choices=(1, 2, 3)), Size("C", "channels")]
    case = declare(sizes, [tensor("x", ["C"])], require=["a != b"])
    examples = corner_examples(case, "float32")
    met = {(example.sizes["a"], example.sizes["b"]) for example in examples}
    assert met == {(1, 2), (1, 3), (2, 1), (2, 3), (3, 1), (3, 2)}


@pytest.mark.parametrize("draw", [corner_examples, lambda case, dtype: random_examples(case, dtype, 20, 0)])
def test_what_nothing_satisfies_is_an_error_that_names_the_case(
    declare: Declare, tensor: Tensor, draw: Callable[[Case, str], list[Example]]
) -> None:
    """An impossible constraint is said with the constraint and what to do."""
    case = declare([Size("C", "channels")], [tensor("x", ["C"])], require=["C < 0"])
    message = (
        "suites/some.yaml::op (line 7): nothing satisfies this case: 'C < 0' does not hold; "
        "loosen `require` or give the sizes bounds that meet it"
    )
    with pytest.raises(UserError, match=f"^{re.escape(message)}$"):
        draw(case, "float32")


def test_bounds_that_never_hold_name_the_case(declare: Declare, expression: Parse) -> None:
    """An empty range and a bound that cannot be computed are the declaration's mistakes."""
    empty = declare([Size("p", "range", low=expression(3), high=expression(1))], [])
    with pytest.raises(UserError, match=r"line 7\): nothing satisfies this case: p would lie in 3\.\.1"):
        corner_examples(empty, "float32")
    broken = declare([Size("p", "range", low=expression("1//0"), high=expression(1))], [])
    with pytest.raises(UserError, match=r"line 7\): the bounds of p: '1//0' divides by zero"):
        corner_examples(broken, "float32")
    late = declare(
        [Size("k", "range", low=expression(0), high=expression(0)), Size("p", "spatial", low=expression("1//k"))], []
    )
    with pytest.raises(UserError, match="the bounds of p: '1//k' divides by zero with k=0"):
        corner_examples(late, "float32")


def test_random_examples_are_as_many_as_asked_and_follow_their_seed(conv2d: Case) -> None:
    """The same seed gives the same examples, another seed others, and none twice."""
    examples = random_examples(conv2d, "bfloat16", 40, 1)
    assert len({example.to_json() for example in examples}) == 40
    assert examples == random_examples(conv2d, "bfloat16", 40, 1)
    assert examples != random_examples(conv2d, "bfloat16", 40, 2)
    assert all(legalise(conv2d, example.sizes) == example.sizes for example in examples)
    assert random_examples(conv2d, "float32", 0, 1) == []


def test_random_examples_do_not_depend_on_the_modules_loaded(tmp_path: Any) -> None:
    """Another process, with other local modules around it, draws the same examples."""
    program = (
        "import sys; sys.path.insert(0, sys.argv[1]); import local_numbers\n"
        "from harness.core import *\nfrom harness.generation import random_examples\n"
        "case = Case('s::c', 'c', 's', 1, 'f', (Size('C', 'channels'), Size('H', 'spatial')),\n"
        "    (TensorSpec('x', (Expression.parse('C'), Expression.parse('H'))),), Numerics('exact', 'selection'))\n"
        "print([example.to_json() for example in random_examples(case, 'float32', 400, 9)])\n"
    )
    outputs = set()
    for first in (1000, 30000):
        numbers = tuple(range(first, first + 50))
        folder = tmp_path / str(first)
        folder.mkdir()
        (folder / "local_numbers.py").write_text(f"NUMBERS = {numbers}\n")
        command = [sys.executable, "-c", program, str(folder)]
        outputs.add(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    assert len(outputs) == 1


def test_small_spaces_give_what_they_have(declare: Declare, tensor: Tensor) -> None:
    """Where there are few examples, all that differ from their contiguous run come, once each."""
    case = declare([Size("a", "choice", choices=(1, 2))], [tensor("x", ["a"], grad=False)], fills=("integers",))
    examples = random_examples(case, "float32", 200, 0)
    assert len({example.but(seed=0).to_json() for example in examples}) == len(examples)
    placements = [layouts.placement(name, (a,)) for name in layouts.names_for(1, channels_last=False) for a in (1, 2)]
    assert len(examples) == 2 * sum((strides, offset) != ((1,), 0) for strides, offset, _ in placements) == 14


def test_degenerate_sizes_come_often_and_together(image: Case) -> None:
    """One in ten has three of four sizes at their least, others reach the widths of blocked kernels."""
    examples = random_examples(image, "float32", 200, 5)
    least = [sum(value == 1 for value in example.sizes.values()) for example in examples]
    assert sum(count >= 3 for count in least) >= 20
    assert sum(max(example.sizes["H"], example.sizes["W"]) >= 29 for example in examples) >= 20
    assert {1, 8, 16, 17, 33} <= {example.sizes["C"] for example in examples}


def test_a_source_goes_on_where_it_ended(image: Case) -> None:
    """What is drawn later has not been drawn before, and the same requests of the same seed give the same."""
    first, again = ExampleSource(image, "float32", 4), ExampleSource(image, "float32", 4)
    drawn = [first.draw(count) for count in (20, 10, 0, 30)]
    texts = [example.but(seed=0).to_json() for examples in drawn for example in examples]
    assert drawn == [again.draw(count) for count in (20, 10, 0, 30)]
    assert [len(examples) for examples in drawn] == [20, 10, 0, 30]
    assert len(set(texts)) == 60


def test_most_first_tensors_are_not_plain_contiguous(conv2d: Case) -> None:
    """Two runs in the same format compare nothing, so they are few."""
    names = [example.layouts["input"] for example in random_examples(conv2d, "float32", 200, 5)]
    assert names.count("contiguous") < 40
    assert len(set(names)) > 15


def test_a_drawn_view_lies_apart_from_its_plain_format(conv2d: Case) -> None:
    """An image out of a batch is drawn where there is one image, odd strides where a size is 1."""
    examples = random_examples(conv2d, "float32", 300, 5)
    names = [example.layouts[tensor] for example in examples for tensor in ("input", "weight")]
    for example in examples:
        for tensor in ("input", "weight"):
            name, shape = example.layouts[tensor], shapes(conv2d, example)[tensor]
            plain = layouts.placement(name.partition(":")[0], shape)
            assert ":" not in name or layouts.placement(name, shape)[:2] != plain[:2]
    assert {"channels_last:odd", "channels_last:image", "channels_last:loaded"} <= set(names)


def test_no_drawn_example_is_its_contiguous_run_twice(image: Case) -> None:
    """Of each something lies elsewhere than in the contiguous run, whatever its sizes are."""
    for example in random_examples(image, "float32", 300, 3):
        shape = tuple(example.sizes[name] for name in "NCHW")
        strides, offset, _ = layouts.placement(example.layouts["input"], shape)
        has_other_gradient = example.path == "plain" and example.layouts["grad_output"] != "contiguous"
        assert (strides, offset) != (dense_strides("contiguous", shape), 0) or has_other_gradient


@pytest.mark.parametrize(
    "ambiguous", [{"C": 1}, {"H": 1, "W": 1}, {"N": 1}, {"C": 1, "W": 1}, {"N": 1, "C": 1, "H": 1}]
)
def test_ambiguous_shapes_are_drawn_with_all_kinds_of_strides(image: Case, ambiguous: dict[str, int]) -> None:
    """One channel, one pixel, one image: as contiguous, as channels-last, as a view, and with odd strides."""
    examples = sampled_examples(image, "float32", 4000)
    these = [each for each in examples if all(each.sizes[name] == size for name, size in ambiguous.items())]
    names = {example.layouts["input"] for example in these}
    assert len(these) >= 60
    assert {"channels_last", "channels_last:odd", "contiguous:odd", "channels_last:slice_c"} <= names
    assert len({layouts.placement(each.layouts["input"], (1, 2, 3, 4))[0] for each in these}) >= 8


def test_a_case_that_has_only_contiguous_tensors_is_drawn_all_the_same(declare: Declare, tensor: Tensor) -> None:
    """An empty or scalar tensor has one place only, and its examples are what they are."""
    case = declare([Size("a", "choice", choices=(1, 2, 3))], [tensor("x", [])], fills=("integers",))
    assert {example.sizes["a"] for example in random_examples(case, "float32", 20, 0)} == {1, 2, 3}


def test_a_case_that_rejects_its_draws_is_called_mis_declared(declare: Declare, tensor: Tensor) -> None:
    """More than a few percent of rejected draws is an error with the numbers."""
    case = declare([Size("a", "channels"), Size("b", "channels")], [tensor("x", ["a", "b"])], require=["a <= b"])
    expected = r"line 7\): the case rejects \d+ of \d+ draws \(\d+ %\): 'a <= b' does not hold; declare sizes whose"
    with pytest.raises(UserError, match=expected):
        random_examples(case, "float32", 100, 0)


def test_a_rare_rejection_is_tolerated(declare: Declare, tensor: Tensor) -> None:
    """A constraint that hardly ever bites costs nothing."""
    case = declare([Size("a", "channels"), Size("b", "channels")], [tensor("x", ["a", "b"])], require=["a*b != 31*48"])
    assert len(random_examples(case, "float32", 60, 0)) == 60


def test_declared_examples_take_simplest_values_where_they_say_nothing(conv2d: Case) -> None:
    """Only what is declared is fixed; bounds follow from it; optional tensors are present."""
    declared = DeclaredExample("wide kernel", sizes={"kernel": [5, 1], "Cg": 3}, layouts={"input": "channels_last"})
    left = DeclaredExample("no bias", absent=("bias",), fill="reals", threads=2)
    first, second = declared_examples(_with(conv2d, declared, left), "float16")
    assert first.sizes["kernel"] == (5, 1)
    assert (first.sizes["H"], first.sizes["W"], first.sizes["Cg"], first.sizes["N"]) == (5, 1, 3, 1)
    assert first.layouts == dict.fromkeys(("weight", "bias", "grad_output"), "contiguous") | {"input": "channels_last"}
    assert (first.fill, first.threads, first.seed, first.dtype, first.absent) == ("integers", 1, 0, "float16", ())
    assert (second.absent, second.fill, second.threads) == (("bias",), "reals", 2)
    assert "bias" not in second.layouts


def _with(case: Case, *examples: DeclaredExample) -> Case:
    return Case(**{**vars(case), "examples": examples})


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"sizes": {"Q": 1}}, "fixes 'Q'; the sizes are N, groups, Cg"),
        ({"sizes": {"H": 0}}, "has H = 0, which is not legal; the nearest is 1"),
        ({"sizes": {"kernel": 3}}, "has kernel = 3, which is not legal; the nearest is (1, 1)"),
        ({"absent": ("weight",)}, "leaves out 'weight'; optional are bias"),
        (
            {"layouts": {"inptu": "contiguous"}},
            "has a layout of 'inptu'; the tensors are input, weight, bias, grad_out",
        ),
        ({"layouts": {"input": "nhwc"}}, "input: there is no layout 'nhwc'"),
        ({"fill": "noise"}, "has the fill 'noise'; there are integers"),
        ({"inplace": True}, "is in place, and the case declares no `inplace` form"),
    ],
)
def test_declared_examples_that_are_not_legal_say_why(conv2d: Case, wrong: dict[str, Any], message: str) -> None:
    """The message names the case, the example and what would be right."""
    with pytest.raises(UserError, match=r"line 7\): the example 'corner'.*" + re.escape(message)):
        declared_examples(_with(conv2d, DeclaredExample("corner", **wrong)), "float32")


def test_a_declared_example_that_breaks_a_constraint_says_which(declare: Declare, tensor: Tensor) -> None:
    """A constraint is named."""
    case = declare(
        [Size("C", "channels")], [tensor("x", ["C"])], require=["C != 3"], examples=(DeclaredExample("x", {"C": 3}),)
    )
    with pytest.raises(UserError, match="the example 'x': 'C != 3' does not hold"):
        declared_examples(case, "float32")


def test_an_in_place_example_is_declared_where_there_is_a_form(image: Case) -> None:
    """`inplace: true` reaches the example."""
    assert declared_examples(_with(image, DeclaredExample("y", inplace=True)), "float32")[0].inplace


def test_coverage_counts_combinations_of_corners(declare: Declare, tensor: Tensor, expression: Parse) -> None:
    """Values between corners count for nothing; totals are the symmetric sums of the numbers of corners."""
    sizes = [Size("a", "choice", choices=(1, 2)), Size("k", "range", low=expression(1), high=expression(9))]
    case = declare(sizes, [tensor("x", ["a"], grad=False)], fills=("integers",))
    example = Example(case.id, "float32", {"a": 1, "k": 9}, {"x": "contiguous"})
    counts = (2, 4, 3, 1, 2)  # a, k, layout of x, fill, threads
    pairs = sum(math.prod(group) for group in combinations(counts, 2))
    triples = sum(math.prod(group) for group in combinations(counts, 3))
    assert corner_coverage(case, "float32", [example]) == CornerCoverage(10, pairs, 10, triples)
    between = example.but(sizes={"a": 1, "k": 7})
    assert corner_coverage(case, "float32", [between]) == CornerCoverage(6, pairs, 4, triples)
    assert corner_coverage(case, "float32", [example, between], triples=False) == CornerCoverage(10, pairs)
    assert corner_coverage(case, "float32", []) == CornerCoverage(0, pairs, 0, triples)


def test_every_path_meets_every_layout_of_the_first_tensor(image: Case) -> None:
    """In rows of their own, so that those of the covering array all ask for gradients; drawn examples take some too."""
    case = replace(image, paths=("no_grad", "out"))
    rows, plain = corner_examples(case, "float32"), corner_examples(image, "float32")
    assert [row for row in rows if row.path == "plain"] == plain
    layouts = {row.layouts["input"] for row in plain}
    for path in case.paths:
        assert {row.layouts["input"] for row in rows if row.path == path} == layouts
    assert not [row for row in rows if row.inplace and row.path != "plain"]
    drawn = random_examples(case, "float32", 200, 1)
    assert {row.path for row in drawn} == {"plain", "no_grad", "out"}
    assert 100 < len([row for row in drawn if row.path == "plain"]) < 190
    assert not [row for row in drawn if row.inplace and row.path != "plain"]


def test_a_path_that_costs_seconds_has_few_rows_and_draws(image: Case) -> None:
    """One draw in a hundred is compiled; the other paths keep their share, and what reads a cache is not drawn."""
    case = replace(image, paths=("no_grad", "compile", "cached"))
    rows = corner_examples(case, "float32")
    for path, expected in (("compile", ["channels_last"]), ("cached", ["channels_last", "channels_last:slice_c"])):
        assert [row.layouts["input"] for row in rows if row.path == path] == expected
    (factor,) = (each for each in factors(case, "float32") if each.kind == "path")
    assert factor.domain is not None
    counts = Counter(free_pool(factor, factor.domain))
    assert counts["plain"] == 3 * counts["no_grad"]
    assert (counts["compile"], counts["cached"]) == (1, 0)
    assert 100 <= counts.total() - 1 < 104
    assert {row.path for row in corner_examples(case, "bfloat16")} == {"plain", "no_grad"}
