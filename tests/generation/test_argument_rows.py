"""Rows in which the arguments of a case take every pair of their values."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations, product
from typing import Any

from harness.core import Case, Expression, Size
from harness.core.case import Module
from harness.generation.argument_rows import argument_rows

PLAIN = {"N": 2, "C": 3, "H": 5}


def pool(declare: Callable[..., Case], tensor: Callable[..., Any], **options: Any) -> Case:
    """A pool with a mode, a flag and a kernel of two; its batch is a choice that only the shape has."""
    sizes = [
        Size("N", "choice", (1, 2, 3)),
        Size("mode", "choice", ("max", "sum", None)),
        Size("ceil", "choice", (False, True)),
        Size("kernel", "range", low=Expression.parse("1"), high=Expression.parse("9"), length=2),
        Size("H", "spatial", low=Expression.parse("kernel[0]")),
    ]
    arguments = {"mode": Expression.parse("mode"), "options": [Expression.parse("ceil"), Expression.parse("kernel")]}
    return declare(sizes, [tensor("input", ["N", 3, "H", "kernel[1]"])], **{"arguments": arguments, **options})


def test_every_pair_of_values_is_there(declare: Callable[..., Case], tensor: Callable[..., Any]) -> None:
    """All choices, and of a range its first corners, in each place; what is no argument stays as it is."""
    rows = argument_rows(pool(declare, tensor), PLAIN)
    corners = sorted({row["kernel"][0] for row in rows})
    assert len(corners) == 3
    assert {row["N"] for row in rows} == {2}
    columns = [
        [row["mode"] for row in rows],
        [row["ceil"] for row in rows],
        [row["kernel"][0] for row in rows],
        [row["kernel"][1] for row in rows],
    ]
    values: list[list[Any]] = [["max", "sum", None], [False, True], corners, corners]
    for one, other in combinations(range(4), 2):
        assert set(zip(columns[one], columns[other], strict=True)) == set(product(values[one], values[other]))
    assert len(rows) < 3 * 2 * 3 * 3


def test_what_bounds_leave_out_is_left_out(declare: Callable[..., Case], tensor: Callable[..., Any]) -> None:
    """Of two values that do not go together there is no row."""
    rows = argument_rows(pool(declare, tensor, require=("not ceil or mode != None",)), PLAIN)
    assert (None, True) not in {(row["mode"], row["ceil"]) for row in rows}
    assert {row["mode"] for row in rows} == {"max", "sum", None}


def test_a_case_without_choices_has_none(declare: Callable[..., Case], tensor: Callable[..., Any]) -> None:
    """Sizes of a shape are no arguments; those that make a module are."""
    assert argument_rows(pool(declare, tensor, arguments={}), PLAIN) == []
    module = Module(init={"ceil_mode": Expression.parse("ceil")})
    assert len(argument_rows(pool(declare, tensor, arguments={}, module=module), PLAIN)) == 2
