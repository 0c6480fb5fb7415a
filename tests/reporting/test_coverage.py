"""Coverage: what a record reached, against lists of operators and of functions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from harness.errors import UserError
from harness.reporting import Coverage, judge_functions, operators_reached, read_record, share
from harness.reporting.coverage import Functions

RELU = "suites/x/s.yaml::relu"
FLIP = "suites/x/s.yaml::flip"


@dataclass(frozen=True)
class Listed:
    """A published list."""

    about: str = "a list"
    link: str = "https://example.org"

    def operators(self) -> dict[str, str]:
        """`half` has another name in ATen."""
        return {"relu": "aten::relu", "flip": "aten::flip", "half": "aten::_to_copy"}


def item(case: str, status: str = "passed", *operators: str) -> dict[str, Any]:
    """An item of a record."""
    return {"case": case, "status": status, "operators": list(operators)}


ITEMS = {
    "relu[float32]": item(RELU, "passed", "aten::relu", "aten::_to_copy", "mine::relu"),
    "relu[float64]": item(RELU, "failed", "aten::relu"),
    "flip[float32]": item(FLIP, "untrusted"),
}


def coverage(functions: Functions, items: Mapping[str, Any] = ITEMS) -> Coverage:
    """The coverage that these items come to."""
    reached = operators_reached(items)
    return Coverage(
        "r.json", "2.9", len(items), ("flip[float64]",), reached, (share("l", Listed(), reached),), functions
    )


def test_operators_are_counted_by_item() -> None:
    """Each ATen operator with the number of items that reached it; those of other libraries are not ATen's."""
    assert operators_reached(ITEMS) == {"aten::relu": 2, "aten::_to_copy": 1}


def test_a_list_says_what_is_missing_by_its_own_name() -> None:
    """An operator counts under the name that ATen gives it."""
    found = share("l", Listed(), {"aten::relu": 2, "aten::_to_copy": 1})
    assert found.missing == ("flip",)
    assert round(found.percent, 1) == 66.7


def test_every_function_is_covered_or_explained_or_missing() -> None:
    """A case that no item checked covers nothing; what the build lacks, and a reason nobody needs, are told."""
    found = judge_functions(
        ["elu", "flip", "pad", "relu"],
        {"relu": [RELU], "flip": [FLIP], "gone": [RELU]},
        {"elu": "takes vectors only", "relu": "takes none", "old": "is no more"},
        ITEMS,
        named=["gone"],
    )
    assert found.cases == {"relu": (RELU,)}
    assert found.unchecked == {"flip": (FLIP,)}
    assert found.reasons == {"elu": "takes vectors only"}
    assert found.missing == ("pad",)
    assert found.unknown == ("gone", "old")
    assert found.needless == ("relu",)


def test_the_text_names_what_is_missing() -> None:
    """Percent and missing of each list, each function with its case or its reason, and what the record lacks."""
    functions = judge_functions(
        ["elu", "flip", "pad", "relu"],
        {"relu": [RELU], "flip": [FLIP]},
        {"elu": "takes vectors only", "old": "is no more", "relu": "takes none"},
        ITEMS,
    )
    text = coverage(functions).text()
    for line in (
        "record r.json: PyTorch 2.9, 3 items",
        "not in the record, 1 items of 4: flip[float64]",
        "ATen operators reached: 2",
        "  _to_copy, relu",
        "l: 2 of 3 operators, 66.7 % (a list; https://example.org)",
        "  missing: flip",
        "torch.nn.functional: 1 functions covered, 1 with a reason, 2 missing",
        f"  relu: {RELU}",
        "  elu: not covered: takes vectors only",
        f"  flip: MISSING: no item of the record checked {FLIP}",
        "  pad: MISSING: no case calls it, and golden/coverage.yaml gives no reason",
        "note: golden/coverage.yaml names old, which torch.nn.functional of this build does not have",
        "note: golden/coverage.yaml gives a reason for relu, which a case calls: remove the entry",
    ):
        assert line in text.splitlines()


FLIPPED = {**ITEMS, "flip[float64]": item(FLIP, "passed", "aten::flip")}


@pytest.mark.parametrize(
    ("items", "offered", "whole"),
    [
        (FLIPPED, ["relu", "flip"], True),
        (ITEMS, ["relu"], False),
        (FLIPPED, ["relu", "pad"], False),
        ({**FLIPPED, "flip[float64]": item(FLIP, "untrusted", "aten::flip")}, ["relu", "flip"], False),
    ],
    ids=["all of it", "an operator missing", "a function missing", "a case unchecked"],
)
def test_whole_or_not(items: Mapping[str, Any], offered: list[str], whole: bool) -> None:
    """Complete only where every listed operator ran and every function is covered or explained."""
    functions = judge_functions(offered, {"relu": [RELU], "flip": [FLIP]}, {}, items)
    assert coverage(functions, items).complete is whole


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "there is no record "),
        ("{", "cannot be read: "),
        ("[]", "is no record of schema "),
        ('{"schema": 0}', "(its schema: 0)"),
        ('{"schema": 1, "items": {}}', "holds no item"),
    ],
)
def test_a_record_that_is_no_use(tmp_path: Path, text: str | None, said: str) -> None:
    """The message says what is wrong and how to get a record."""
    path = tmp_path / "record.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(UserError) as error:
        read_record(path)
    assert said in str(error.value)
    assert "run the whole gate" in str(error.value)


def test_a_record_is_read(tmp_path: Path) -> None:
    """Through JSON and back."""
    path = tmp_path / "record.json"
    path.write_text(json.dumps({"schema": 1, "items": ITEMS}))
    assert read_record(path)["items"] == ITEMS
