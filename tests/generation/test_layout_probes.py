"""Probes: which tiny examples show a case's formats, and which examples are worth pinning."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.core import Case, Expression, Size, TensorSpec
from harness.generation import ORDINARY, argument_examples, layout_probes, probe_shapes, snapshot_candidates

Declare = Callable[..., Case]
Parse = Callable[[str | int], Expression]
Tensor = Callable[..., TensorSpec]


@pytest.fixture
def pool(declare: Declare, tensor: Tensor) -> Case:
    """A case with an option beside the sizes of its image."""
    return declare(
        sizes=(
            Size("N", "batch", empty=True),
            Size("C", "channels"),
            Size("H", "spatial"),
            Size("W", "spatial"),
            Size("mode", "choice", ("max", "mean")),
        ),
        tensors=(tensor("input", ["N", "C", "H", "W"], channels_last=True),),
    )


def test_shapes_are_ordinary_ambiguous_or_have_an_option(pool: Case) -> None:
    """In ordinary ones no size is 1 and no two of an image agree; each other class changes one thing."""
    sizes = {probe.shape: probe.example.sizes for probe in layout_probes(pool, "float32")}
    ordinary = {"N": 2, "C": 3, "H": 5, "W": 6, "mode": "max"}
    assert sizes == {
        ORDINARY: ordinary,
        "C = 1": {**ordinary, "C": 1},
        "H = W = 1": {**ordinary, "H": 1, "W": 1},
        "N = 1": {**ordinary, "N": 1},
        "empty": {**ordinary, "N": 0},
        "mode = mean": {**ordinary, "mode": "mean"},
    }
    assert probe_shapes(pool, "float32") == [ORDINARY, "mode = mean"]


def test_a_range_that_is_an_extent_is_part_of_the_image(declare: Declare, expression: Parse, tensor: Tensor) -> None:
    """Its least value makes the shape ambiguous and is no option; elsewhere it and a choice take their second."""
    rows = Size("H", "range", low=expression("1"), high=expression("4"))
    case = declare(
        sizes=(Size("C", "channels"), rows, Size("W", "choice", (1, 2, 257))),
        tensors=(tensor("input", ["2", "C", "H", "W"], channels_last=True),),
    )
    sizes = {probe.shape: probe.example.sizes for probe in layout_probes(case, "float32")}
    assert sizes == {
        ORDINARY: {"C": 3, "H": 2, "W": 2},
        "C = 1": {"C": 1, "H": 2, "W": 2},
        "H = W = 1": {"C": 3, "H": 1, "W": 1},
    }


def test_every_combination_of_formats_is_probed_at_ordinary_shapes(pool: Case, tensor: Tensor) -> None:
    """Each tensor that has a format, and grad_output, in both; elsewhere the tensors agree with each other."""
    case = Case(**{**vars(pool), "tensors": (*pool.tensors, tensor("other", ["N", "C", "H", "W"], channels_last=True))})
    combinations: dict[str, set[frozenset[str]]] = {}
    for probe in layout_probes(case, "float32"):
        combinations.setdefault(probe.shape, set()).add(probe.channels_last)
    names = [frozenset(some) for some in ((), ("input",), ("other",), ("input", "other"))]
    assert combinations[ORDINARY] == {
        some | also for some in names for also in (frozenset(), frozenset({"grad_output"}))
    }
    assert combinations["C = 1"] == {
        some | also for some in names[::3] for also in (frozenset(), frozenset({"grad_output"}))
    }


def test_what_is_pinned_is_a_plain_call(pool: Case) -> None:
    """Integers first, both formats, no views, not in place; other ones in each dtype, the same in every run."""
    candidates = snapshot_candidates(pool, "float32")
    assert candidates == snapshot_candidates(pool, "float32")
    assert {layout for example in candidates for layout in example.layouts.values()} == {"contiguous", "channels_last"}
    assert not any(example.inplace for example in candidates)
    fills = [example.fill for example in candidates]
    assert fills == sorted(fills, key=pool.fills.index)
    assert fills[0] == "integers"
    assert candidates[0].sizes != snapshot_candidates(pool, "float64")[0].sizes


def test_arguments_are_pinned_in_one_dtype(pool: Case) -> None:
    """In the first, as plain calls of integers: what is wrong in every dtype is wrong in it."""
    case = Case(**{**vars(pool), "arguments": {"mode": Expression.parse("mode")}})
    rows = argument_examples(case, case.dtypes[0])
    assert [example.sizes["mode"] for example in rows] == ["max", "mean"]
    assert {(example.fill, example.inplace) for example in rows} == {("integers", False)}
    assert not any(argument_examples(case, dtype) for dtype in case.dtypes[1:])
    assert argument_examples(pool, pool.dtypes[0]) == []
