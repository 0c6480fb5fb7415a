"""Neighbours of an example: each differs from it in one choice, is legal, and says which choice that is."""

from __future__ import annotations

from dataclasses import replace

from harness.core import Case, Example, Expression, Size, TensorSpec
from harness.generation import neighbours
from tests.trial.toy import CASE

SIZES = {"N": 1, "C": 3, "H": 1, "W": 2}
EXAMPLE = Example(CASE.id, "float32", SIZES, {"input": "channels_last", "grad_output": "contiguous"})


def values_of(case: Case, example: Example, name: str) -> list[object]:
    """The values of one choice among the neighbours."""
    return [neighbour.value for neighbour in neighbours(case, example) if neighbour.name == name]


def test_sizes_change_by_one_and_to_the_corners_around() -> None:
    """A size goes one up and down, to its simplest value and to the next corner either way; never below its least."""
    assert values_of(CASE, EXAMPLE, "C") == [1, 2, 4, 8]
    assert values_of(CASE, EXAMPLE, "H") == [2, 3]
    assert values_of(CASE, EXAMPLE, "N") == [2, 3]
    may_be_empty = replace(CASE, sizes=(replace(CASE.sizes[0], empty=True), *CASE.sizes[1:]))
    assert values_of(may_be_empty, EXAMPLE, "N") == [2, 3]


def test_each_neighbour_differs_in_the_choice_that_it_names() -> None:
    """The name is what a condition calls the choice: it has another value there, and nothing else has."""
    around = [*neighbours(CASE, EXAMPLE)]
    own = EXAMPLE.values()
    for neighbour in around:
        values = neighbour.example.values()
        assert [name for name in own if values[name] != own[name]] == [neighbour.name]
        assert values[neighbour.name] == neighbour.value
    assert {"N", "layout_input", "layout_grad_output", "fill", "threads"} <= {each.name for each in around}
    assert len({each.example.to_json() for each in around}) == len(around)


def test_a_neighbour_is_legal() -> None:
    """What breaks a constraint, or would need another size to follow, is left out."""
    bound = replace(CASE, require=(Expression.parse("W > H"),))
    assert values_of(bound, EXAMPLE, "H") == []
    assert values_of(bound, EXAMPLE, "W") == [3, 7]
    narrow = replace(
        CASE, sizes=(*CASE.sizes[:3], Size("W", "range", low=Expression.parse("H"), high=Expression.parse("2*H")))
    )
    assert values_of(narrow, EXAMPLE, "H") == [2]


def test_positions_choices_and_optional_tensors() -> None:
    """A position of a tuple has a name of its own; an optional tensor comes and goes with its layout."""
    stride = Size("stride", "choice", ((1), 2), length=2)
    bias = TensorSpec("bias", (Expression.parse("C"),), optional=True)
    case = replace(CASE, sizes=(*CASE.sizes, stride), tensors=(*CASE.tensors, bias), inplace="inplace", paths=("vmap",))
    example = EXAMPLE.but(sizes={**SIZES, "stride": (1, 2)}, absent=("bias",))
    assert [values_of(case, example, f"stride[{position}]") for position in (0, 1)] == [[2], [1]]
    assert values_of(case, example, "has_bias") == [True]
    assert values_of(case, example, "layout_bias") == []
    present = next(each.example for each in neighbours(case, example) if each.name == "has_bias")
    assert (present.absent, present.layouts["bias"]) == ((), "contiguous")
    gone = next(each for each in neighbours(case, present) if each.name == "has_bias")
    assert (gone.value, gone.example) == (False, example)
    assert values_of(case, example, "inplace") == [True]
    assert values_of(case, example.but(inplace=True), "path") == []
    assert values_of(case, example, "path") == ["vmap"]
