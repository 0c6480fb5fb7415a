"""How good shrinking is: what it ends at, and that it ends."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import pytest

from harness.core import Case, Example, Expression, Size, TensorSpec
from harness.errors import UserError
from harness.generation import random_examples, shrink
from harness.generation.shapes import legalise

Declare = Callable[..., Case]
Parse = Callable[[str | int], Expression]
Tensor = Callable[..., TensorSpec]
Predicate = Callable[[Example], bool]


def _failing_examples(case: Case, fails: Predicate) -> list[Example]:
    failures = [example for example in random_examples(case, "float32", 150, 7) if fails(example)]
    assert failures
    return failures[:8]


def _image(**changes: object) -> Example:
    sizes = {"N": 3, "C": 33, "H": 31, "W": 65}
    layouts = {"input": "channels_last:slice_c", "grad_output": "channels_last"}
    start = Example("suites/some.yaml::op", "float32", sizes, layouts, fill="reals", seed=99, threads=2, inplace=True)
    return start.but(**changes)


def test_what_always_fails_ends_at_the_simplest_example(image: Case, conv2d: Case) -> None:
    """All sizes least, all contiguous, nothing optional, one thread, first fill, seed 0."""
    for case in (image, conv2d):
        for example in _failing_examples(case, lambda _: True):
            shrunk = shrink(case, example, lambda _: True)
            assert shrunk.sizes == legalise(case, {})
            assert set(shrunk.layouts.values()) == {"contiguous"}
            assert (shrunk.fill, shrunk.seed, shrunk.threads, shrunk.inplace) == ("integers", 0, 1, False)
            assert shrunk.absent == tuple(spec.name for spec in case.tensors if spec.optional)


def test_sizes_end_at_the_least_that_fails(image: Case) -> None:
    """`C % 8 != 0 and H > 3` ends at C = 1, H = 4, and N and W at 1."""

    def fails(example: Example) -> bool:
        return example.sizes["C"] % 8 != 0 and example.sizes["H"] > 3

    for example in [_image(), *_failing_examples(image, fails)]:
        assert shrink(image, example, fails).sizes == {"N": 1, "C": 1, "H": 4, "W": 1}


@pytest.mark.parametrize(("residue", "least"), [(0, 16), (1, 9), (5, 13)])
def test_patterns_of_vector_lengths_are_followed_down(image: Case, residue: int, least: int) -> None:
    """A tail of a vector's length is failures again at the shorter vectors."""

    def fails(example: Example) -> bool:
        return example.sizes["C"] % 8 == residue and example.sizes["C"] > 8

    example = _image(sizes={"N": 3, "C": 64 + residue, "H": 3, "W": 3})
    assert shrink(image, example, fails).sizes["C"] == least


def test_layouts_end_at_the_simplest_that_fails(image: Case) -> None:
    """A view that matters stays, its format and the other tensor's layout go."""

    def is_sliced(example: Example) -> bool:
        return example.layouts["input"].endswith("slice_c")

    assert shrink(image, _image(), is_sliced).layouts == {"input": "contiguous:slice_c", "grad_output": "contiguous"}

    def not_contiguous(example: Example) -> bool:
        return not example.layouts["input"].startswith("contiguous")

    assert shrink(image, _image(), not_contiguous).layouts["input"] == "channels_last"


def test_options_that_matter_stay(image: Case) -> None:
    """Threads, fill and the in-place form are kept where the failure needs them."""

    def fails(example: Example) -> bool:
        return example.inplace and example.threads == 2 and example.fill == "reals" and example.seed % 2 == 1

    shrunk = shrink(image, _image(), fails)
    assert (shrunk.inplace, shrunk.threads, shrunk.fill, shrunk.seed) == (True, 2, "reals", 1)
    assert shrunk.sizes == {"N": 1, "C": 1, "H": 1, "W": 1}


@pytest.mark.parametrize("start", [2, 7, 33, 64])
def test_sizes_that_must_fall_together_do(declare: Declare, tensor: Tensor, start: int) -> None:
    """Equal sizes end at the least equal pair, whatever stands between them."""
    case = declare([Size("a", "channels"), Size("b", "spatial"), Size("c", "spatial")], [tensor("x", ["a", "b", "c"])])

    def fails(example: Example) -> bool:
        return bool(example.sizes["a"] == example.sizes["c"] > 1)

    example = Example(case.id, "float32", {"a": start, "b": 9, "c": start}, {"x": "contiguous"})
    assert shrink(case, example, fails).sizes == {"a": 2, "b": 1, "c": 2}


def test_groups_and_channels_fall_together(declare: Declare, tensor: Tensor) -> None:
    """A depthwise failure, groups = channels, ends at the least groups that are more than one."""
    case = declare([Size("groups", "choice", choices=(1, 2, 4, 8)), Size("C", "channels")], [tensor("x", ["C"])])

    def depthwise(example: Example) -> bool:
        return bool(example.sizes["groups"] == example.sizes["C"] > 1)

    example = Example(case.id, "float32", {"groups": 8, "C": 8}, {"x": "contiguous"})
    assert shrink(case, example, depthwise).sizes == {"groups": 2, "C": 2}


def test_choices_that_are_no_numbers_are_tried_in_order(declare: Declare, tensor: Tensor) -> None:
    """A mode goes to the first that fails, together with a size where it must."""
    case = declare([Size("mode", "choice", choices=("a", "b", "c")), Size("C", "channels")], [tensor("x", ["C"])])
    example = Example(case.id, "float32", {"mode": "c", "C": 4}, {"x": "contiguous"})
    assert shrink(case, example, lambda example: example.sizes["mode"] != "a").sizes == {"mode": "b", "C": 1}

    def together(example: Example) -> bool:
        return (example.sizes["mode"], example.sizes["C"]) in {("c", 4), ("a", 1)}

    assert shrink(case, example, together).sizes == {"mode": "a", "C": 1}


def test_bounds_follow_the_sizes_they_depend_on(conv2d: Case) -> None:
    """A smaller kernel lets the image shrink; less padding makes it grow to what is legal."""

    def fails(example: Example) -> bool:
        return bool(example.sizes["kernel"][1] >= 3)

    for example in _failing_examples(conv2d, fails):
        shrunk = shrink(conv2d, example, fails)
        assert (shrunk.sizes["kernel"], shrunk.sizes["padding"]) == ((1, 3), (0, 0))
        assert (shrunk.sizes["H"], shrunk.sizes["W"]) == (1, 3)


def test_values_below_the_simplest_rise_to_it(declare: Declare, tensor: Tensor, expression: Parse) -> None:
    """Negative padding and an empty batch move towards 0 and 1."""
    sizes = [Size("N", "batch", empty=True), Size("p", "range", low=expression("0-9"), high=expression(9))]
    case = declare(sizes, [tensor("x", ["N"])])
    example = Example(case.id, "float32", {"N": 0, "p": -9}, {"x": "contiguous"})
    assert shrink(case, example, lambda example: example.sizes["p"] < -3).sizes == {"N": 1, "p": -4}
    assert shrink(case, example, lambda example: example.sizes["N"] == 0).sizes == {"N": 0, "p": 0}


def test_constraints_hold_all_the_way_down(declare: Declare, tensor: Tensor) -> None:
    """No candidate breaks `require`."""
    case = declare([Size("a", "channels"), Size("b", "channels")], [tensor("x", ["a", "b"])], require=["a % b == 0"])
    candidates: list[Example] = []

    def fails(example: Example) -> bool:
        candidates.append(example)
        return bool(example.sizes["a"] > 2)

    example = Example(case.id, "float32", {"a": 32, "b": 16}, {"x": "contiguous"})
    assert shrink(case, example, fails).sizes == {"a": 3, "b": 1}
    assert all(candidate.sizes["a"] % candidate.sizes["b"] == 0 for candidate in candidates)


def test_no_candidate_is_tried_twice_and_attempts_are_counted(image: Case) -> None:
    """The predicate is expensive: each candidate once, and never more of them than allowed."""
    candidates: list[str] = []

    def fails(example: Example) -> bool:
        candidates.append(example.to_json())
        return example.sizes["H"] * example.sizes["W"] > 20

    shrunk = shrink(image, _image(), fails)
    assert shrunk.sizes["H"] * shrunk.sizes["W"] > 20
    assert len(candidates) == len(set(candidates))
    assert _image().to_json() not in candidates
    for attempts in (0, 1, 5):
        candidates.clear()
        shrink(image, _image(), fails, attempts)
        assert len(candidates) == attempts


def test_a_failure_that_never_comes_back_keeps_the_example(image: Case) -> None:
    """Where nothing simpler fails, the example stays as it is."""
    assert shrink(image, _image(), lambda _: False) == _image()


@pytest.mark.parametrize("share", [2, 11])
def test_a_smaller_example_may_need_another_seed(image: Case, share: int) -> None:
    """What fails for some values only ends at one element all the same, with the first seed that shows it."""

    def fails(example: Example) -> bool:
        elements = math.prod(example.sizes.values())
        return any((example.seed * 31 + index) % share == share - 1 for index in range(elements))

    shrunk = shrink(image, _image(seed=4), fails)
    assert (set(shrunk.sizes.values()), shrunk.seed < 11) == ({1}, True)


def test_seeds_are_not_tried_where_the_values_do_not_matter(image: Case) -> None:
    """A failure of sizes alone costs a few attempts with other seeds, and keeps seed 0."""
    seeds: list[int] = []

    def fails(example: Example) -> bool:
        seeds.append(example.seed)
        return example.sizes["C"] > 16

    assert shrink(image, _image(seed=0), fails).sizes["C"] == 17
    assert sum(seed != 0 for seed in seeds) <= 12


def test_of_examples_equally_small_one_is_chosen(image: Case) -> None:
    """Of two images of two pixels it is the one of two columns."""

    def fails(example: Example) -> bool:
        return example.sizes["H"] * example.sizes["W"] == 2

    for height, width in ((1, 2), (2, 1)):
        example = _image(sizes={"N": 3, "C": 33, "H": height, "W": width})
        assert shrink(image, example, fails).sizes == {"N": 1, "C": 1, "H": 1, "W": 2}


def test_an_example_of_another_form_of_the_case_is_refused(image: Case, conv2d: Case) -> None:
    """A replay that lacks a size says which sizes the case has."""
    with pytest.raises(UserError, match="sizes N, C, H is not one of this case, which has N, C, H, W"):
        shrink(image, _image(sizes={"N": 1, "C": 1, "H": 1}), lambda _: True)
    with pytest.raises(UserError, match="is not one of this case"):
        shrink(conv2d, _image(), lambda _: True)


def test_an_example_that_is_no_longer_legal_still_shrinks(declare: Declare, expression: Parse, tensor: Tensor) -> None:
    """A range that the example's own sizes leave empty is left alone until another size makes room."""
    sizes = [Size("k", "channels"), Size("p", "range", low=expression(0), high=expression("4-k"))]
    case = declare(sizes, [tensor("x", ["k"])])
    example = Example(case.id, "float32", {"k": 9, "p": 2}, {"x": "channels_last:odd"})
    shrunk = shrink(case, example, lambda example: example.sizes["k"] > 1)
    assert (shrunk.sizes, shrunk.layouts) == ({"k": 2, "p": 0}, {"x": "contiguous"})
    stuck = shrink(case, example, lambda example: example.sizes["k"] > 4)
    assert (stuck.sizes, stuck.layouts) == (example.sizes, {"x": "contiguous"})


def test_a_failure_of_the_plain_call_does_not_keep_its_path(image: Case) -> None:
    """The path stays only where the fault needs it."""
    case = replace(image, paths=("no_grad", "out"))
    start = _image(path="out", inplace=False)
    assert shrink(case, start, lambda _: True).path == "plain"
    assert shrink(case, start, lambda example: example.path == "out").path == "out"
