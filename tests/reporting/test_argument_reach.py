"""Which kinds an argument must have had by its schema, and what explains those that it has not."""

from __future__ import annotations

import pytest

from harness.golden import ArgumentGroupSchema
from harness.portable.operator_protocol import ArgumentData, SchemaData
from harness.reporting import arguments_reach
from harness.reporting.argument_reach import missing_kinds

POOL = "aten::avg_pool2d"


def argument(name: str, declared: str, default: str | None = None, *, written: bool = False) -> ArgumentData:
    """One argument of a schema."""
    return {"name": name, "type": declared, "default": default, "written": written}


def schema(*arguments: ArgumentData, pointwise: bool = False) -> SchemaData:
    """The schema of an operator that takes these."""
    return {"arguments": list(arguments), "pointwise": pointwise}


@pytest.mark.parametrize(
    ("declared", "name", "kinds", "missing"),
    [
        ("bool", "ceil_mode", {"true"}, ("false",)),
        ("Optional[Tensor]", "bias", {"left out"}, ("given",)),
        ("Optional[Tensor]", "bias", {"part"}, ("left out",)),
        ("Optional[int]", "divisor", {"left out", "1"}, ()),
        ("int", "reduction", {"1"}, ("0", "2")),
        ("int", "groups", {"1"}, ("another kind",)),
        ("int", "groups", {"1", "more"}, ()),
        ("str", "approximate", {"none"}, ("tanh",)),
        ("number", "alpha", {"1", "fraction"}, ()),
        ("Optional[List[float]]", "scale_factors", {"left out", "alike"}, ("fraction",)),
        ("Optional[float]", "scales_h", {"fraction", "whole", "left out"}, ()),
        ("List[int]", "stride", {"ones"}, ("another kind",)),
        ("Tensor", "self", {"given", "contiguous"}, ()),
        (
            "List[Tensor]",
            "tensors",
            {"of several", "first contiguous", "first channels-last", "second contiguous"},
            ("of one", "second channels-last", "later contiguous", "later channels-last"),
        ),
    ],
)
def test_what_a_type_asks_for(declared: str, name: str, kinds: set[str], missing: tuple[str, ...]) -> None:
    """Both of a flag, given and left out, each word, more than one kind of number, each place of a list."""
    entry = argument(name, declared)
    assert missing_kinds(entry, kinds, schema(entry)) == missing


def test_a_default_of_nothing_is_left_to_itself_once() -> None:
    """A pool's stride is then its kernel."""
    stride = argument("stride", "List[int]", "[]")
    assert missing_kinds(stride, {"ones", "alike"}, schema(stride)) == ("empty",)


def test_an_operand_is_broadcast() -> None:
    """Of an operator that broadcasts, each operand but what is written to; of one operand there is nothing to ask."""
    first, other = argument("self", "Tensor", written=True), argument("other", "Tensor")
    second = argument("value", "Tensor")
    whole = schema(first, other, second, pointwise=True)
    assert missing_kinds(other, {"full"}, whole) == ("part", "scalar")
    assert missing_kinds(first, {"full"}, whole) == ()
    assert missing_kinds(other, {"given"}, schema(other, pointwise=True)) == ()


def test_a_call_that_a_suite_makes_counts_alone() -> None:
    """What other operators hand to the same one inside tells nothing of what the cases choose."""
    mode = argument("ceil_mode", "bool")
    reach = arguments_reach(
        {POOL: {"ceil_mode": ("false",)}},
        {POOL: {"ceil_mode": ("true",)}, "aten::inner": {"ceil_mode": ("false", "true")}},
        {POOL: schema(mode), "aten::inner": schema(mode)},
        (),
    )
    assert [(each.operator, each.missing) for each in reach.holes] == [(POOL, ("true",))]
    assert (reach.drawn_count, reach.missing_count, reach.explained_count) == (3, 1, 0)


def test_reasons_are_given_by_pattern_and_kind() -> None:
    """A reason for one kind explains no other; one that explains nothing, and an operator that is gone, are told."""
    flag = argument("ceil_mode", "bool")
    groups = [
        ArgumentGroupSchema(names=("aten::avg_*/ceil_mode",), kinds=("true",), reason="no ceiling here"),
        ArgumentGroupSchema(names=("*/generator",), reason="nothing is random"),
    ]
    reach = arguments_reach({POOL: {}, "aten::gone": {}}, {}, {POOL: schema(flag)}, groups)
    (explained,) = reach.arguments
    assert (explained.missing, dict(explained.reasons)) == (("false",), {"true": "no ceiling here"})
    assert reach.by_reason() == {"no ceiling here": (f"{POOL}/ceil_mode (true)",)}
    assert (reach.needless, reach.unknown) == (("*/generator",), ("aten::gone",))


def test_a_reason_for_inner_operators_holds_of_no_other() -> None:
    """What an operator is handed inside another follows from that one's arguments; what a case hands it does not."""
    mode = argument("ceil_mode", "bool")
    groups = [ArgumentGroupSchema(names=("*",), inner=True, reason="it follows from what the caller is handed")]
    schemas = {POOL: schema(mode), "aten::inner": schema(mode)}
    reach = arguments_reach({POOL: {"ceil_mode": ("true",)}}, {"aten::inner": {}, POOL: {}}, schemas, groups)
    assert [(each.operator, each.missing) for each in reach.holes] == [(POOL, ("false",))]
    assert reach.explained_count == 2
    assert reach.needless == ()
