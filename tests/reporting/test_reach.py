"""What a record reached, against lists of operators and of functions."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from harness.core import ItemStatus
from harness.golden import OperatorListSchema
from harness.reporting import (
    ArgumentsReach,
    FunctionReach,
    OperatorItemRecord,
    ReachReport,
    arguments_reach,
    cases_by_operator,
    count_operators,
    function_reach,
    list_reach,
)
from tests.reporting.records import operator_item

RELU = "suites/x/s.yaml::relu"
FLIP = "suites/x/s.yaml::flip"
LISTED = OperatorListSchema.model_validate(
    {
        "about": "a list",
        "link": "https://example.org",
        "names": ["relu", "flip", "half"],
        "written": {"half": "_to_copy"},
    }
)


def item(case: str, status: str = "passed", *operators: str) -> OperatorItemRecord:
    """An item of a record that reached these operators."""
    return operator_item(case, status=ItemStatus(status), operators=operators)


ITEMS = (
    item(RELU, "passed", "aten::relu", "aten::_to_copy", "mine::relu"),
    item(RELU, "failed", "aten::relu"),
    item(FLIP, "untrusted"),
)


ARGUMENTS = arguments_reach(
    {"aten::relu": {"self": ("given",)}},
    {},
    {
        "aten::relu": {
            "arguments": [{"name": "self", "type": "Tensor", "default": None, "written": False}],
            "pointwise": True,
        }
    },
    (),
)


def report(
    functions: FunctionReach,
    items: Sequence[OperatorItemRecord] = ITEMS,
    arguments: ArgumentsReach = ARGUMENTS,
) -> ReachReport:
    """The report that these items come to."""
    reached = count_operators(items)
    lists = (list_reach("l", LISTED, reached),)
    modules = {"torch.nn.functional": functions}
    return ReachReport("r.json", "2.9", len(items), ("flip[float64]",), reached, lists, modules, arguments)


def test_operators_are_counted_by_item() -> None:
    """Each ATen operator with the number of items that reached it; those of other libraries are not ATen's."""
    assert count_operators(ITEMS) == {"aten::relu": 2, "aten::_to_copy": 1}


def test_a_list_says_what_is_missing_by_its_own_name() -> None:
    """An operator counts under the name that ATen gives it."""
    listed = list_reach("l", LISTED, {"aten::relu": 2, "aten::_to_copy": 1})
    assert listed.missing == ("flip",)
    assert round(listed.percent, 1) == 66.7


def test_every_function_is_covered_or_explained_or_missing() -> None:
    """A case that no item checked covers nothing; what the build lacks, and a reason nobody needs, are told."""
    functions = function_reach(
        ["elu", "flip", "pad", "relu"],
        {"relu": [RELU], "flip": [FLIP], "gone": [RELU]},
        {"elu": "takes vectors only", "relu": "takes none", "old": "is no more"},
        ITEMS,
        named=["gone"],
    )
    assert functions.cases == {"relu": (RELU,)}
    assert functions.unchecked == {"flip": (FLIP,)}
    assert functions.reasons == {"elu": "takes vectors only"}
    assert functions.missing == ("pad",)
    assert functions.unknown == ("gone", "old")
    assert functions.needless == ("relu",)


def test_a_reason_may_be_that_of_a_pattern() -> None:
    """A name of its own comes before a pattern; one that fits nothing, or nothing without a case, is told."""
    reasons = {"relu*": "makes no sense", "conv*": "is no more", "e*": "takes vectors", "elu_": "is in place"}
    functions = function_reach(["elu", "elu_", "relu"], {"relu": [RELU]}, reasons, ITEMS)
    assert functions.reasons == {"elu": "takes vectors", "elu_": "is in place"}
    assert (functions.unknown, functions.needless, functions.missing) == (("conv*",), ("relu*",), ())


def test_an_operator_has_the_cases_in_which_it_ran() -> None:
    """By its name without the overload, and only where some call names it: others run inside."""
    assert cases_by_operator(ITEMS, ["aten::relu", "aten::flip.default"]) == {"aten::relu": {RELU}}


def test_the_text_names_what_is_missing() -> None:
    """Percent and missing of each list, each function with its case or its reason, and what the record lacks."""
    functions = function_reach(
        ["elu", "flip", "pad", "relu"],
        {"relu": [RELU], "flip": [FLIP]},
        {"elu": "takes vectors only", "old": "is no more", "relu": "takes none"},
        ITEMS,
    )
    text = report(functions).text()
    for line in (
        "record r.json: PyTorch 2.9, 3 items",
        "not in the record, 1 items of 4: flip[float64]",
        "ATen operators reached: 2",
        "  _to_copy, relu",
        "l: 2 of 3 operators, 66.7 % (a list; https://example.org)",
        "  missing: flip",
        "torch.nn.functional: 1 functions covered, 1 with a reason, 2 missing",
        f"  relu: {RELU}",
        "  not covered: takes vectors only",
        "    elu",
        f"  flip: MISSING: no item of the record checked {FLIP}",
        "  pad: MISSING: no case calls it, and golden/coverage.yaml gives no reason",
        "note: golden/coverage.yaml names old, which torch.nn.functional of this build does not have",
        "note: golden/coverage.yaml gives a reason for relu, which a case calls: remove the entry",
    ):
        assert line in text.splitlines()


FLIPPED = (*ITEMS, item(FLIP, "passed", "aten::flip"))


@pytest.mark.parametrize(
    ("items", "offered", "whole"),
    [
        (FLIPPED, ["relu", "flip"], True),
        (ITEMS, ["relu"], False),
        (FLIPPED, ["relu", "pad"], False),
        ((*ITEMS, item(FLIP, "untrusted", "aten::flip")), ["relu", "flip"], False),
    ],
    ids=["all of it", "an operator missing", "a function missing", "a case unchecked"],
)
def test_whole_or_not(items: Sequence[OperatorItemRecord], offered: list[str], whole: bool) -> None:
    """Complete only where every listed operator ran and every function is covered or explained."""
    functions = function_reach(offered, {"relu": [RELU], "flip": [FLIP]}, {}, items)
    assert report(functions, items).complete is whole
