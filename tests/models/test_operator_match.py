"""From a call of a model to the operator example that makes the same call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.core import Case, Finding
from harness.models.model import Call
from harness.models.operator_match import match_operator, worth_matching
from harness.suites import load_suite

ROOT = Path(__file__).resolve().parents[2]
CONV = ("input", "weight", "bias", "stride", "padding", "dilation", "groups")
Conv = Callable[..., Call]


def tensor(*shape: int, last: bool = False, dtype: str = "float32") -> Any:
    """A tensor of a call."""
    order = [0, *range(2, len(shape)), 1] if last else list(range(len(shape)))
    strides = [0] * len(shape)
    step = 1
    for dimension in reversed(order):
        strides[dimension] = step
        step *= shape[dimension]
    return ("tensor", dtype, shape, tuple(strides))


def conv(given: Any, weight: Any, bias: Any = None, **changes: Any) -> Call:
    """A call of torch.conv2d."""
    plain = {"stride": (1, 1), "padding": (0, 0), "dilation": (1, 1), "groups": 1, **changes}
    named = {"input": given, "weight": weight, "bias": bias, **plain}
    return Call("torch.conv2d", CONV, named, (), (tensor(1, 1, 1, 1, dtype=given[1]),))


@pytest.fixture(scope="module")
def cases() -> list[Case]:
    """The cases of four suites."""
    names = ("convolution", "activation", "pooling", "resampling")
    files = [ROOT / "suites" / "operators" / f"{name}.yaml" for name in names]
    return [case for file in files for case in load_suite(file, ROOT).cases]


def test_a_flag_that_is_left_none_is_off(cases: list[Case]) -> None:
    """`interpolate` takes None for align_corners, and the case says false; another flag that is on is not its call."""
    given = {"input": tensor(2, 4, 8, 5, last=True), "size": (3, 1), "scale_factor": None, "mode": "bilinear",
             "align_corners": None, "recompute_scale_factor": None, "antialias": True}  # fmt: skip
    standard = ("scale_factor", "align_corners", "recompute_scale_factor")
    call = Call("torch.nn.functional.interpolate", tuple(given), given, standard, (tensor(2, 4, 3, 1),))
    found = match_operator(cases, [call])
    assert found is not None
    case, example = found
    assert case.id == "suites/operators/resampling.yaml::bilinear_antialias"
    assert (example.sizes["P"], example.sizes["Q"], example.sizes["align_corners"]) == (3, 1, False)
    rounded = replace(call, given={**given, "recompute_scale_factor": True}, standard=standard[:2])
    assert match_operator(cases, [rounded]) is None


def test_a_convolution_with_all_its_arguments(cases: list[Case]) -> None:
    """Groups, pairs, an absent bias, the formats: the sizes are those that give these shapes."""
    call = conv(tensor(2, 8, 9, 7, last=True), tensor(6, 4, 3, 1, last=True), stride=(2, 1), padding=(1, 0), groups=2)
    found = match_operator(cases, [call])
    assert found is not None
    case, example = found
    assert case.id == "suites/operators/convolution.yaml::conv2d"
    assert example.sizes == {
        "N": 2, "groups": 2, "Cg": 4, "Kg": 3, "kernel": (3, 1), "stride": (2, 1), "dilation": (1, 1),
        "padding": (1, 0), "H": 9, "W": 7,
    }  # fmt: skip
    assert example.absent == ("bias",)
    assert (example.layouts["input"], example.layouts["weight"]) == ("channels_last", "channels_last")
    assert (example.dtype, example.fill) == ("float32", "reals")


def test_a_single_number_stands_for_a_pair(cases: list[Case]) -> None:
    """stride=2 is stride=(2, 2); the bias is there."""
    found = match_operator(cases, [conv(tensor(1, 4, 9, 9), tensor(6, 4, 3, 3), tensor(6), stride=2)])
    assert found is not None
    assert found[1].sizes["stride"] == (2, 2)
    assert found[1].absent == ()


def test_the_dtype_is_that_of_the_result(cases: list[Case]) -> None:
    """Under autocast a convolution gets float32 and computes in bfloat16."""
    call = conv(tensor(1, 4, 9, 9), tensor(6, 4, 3, 3))
    half = Call(call.function, call.parameters, call.given, (), (tensor(1, 6, 7, 7, dtype="bfloat16"),))
    found = match_operator(cases, [half])
    assert found is not None
    assert found[1].dtype == "bfloat16"


@pytest.mark.parametrize(
    "call",
    [
        conv(tensor(1, 4, 9, 9), tensor(6, 4, 3, 3), padding="same"),
        conv(tensor(1, 5, 9, 9), tensor(6, 4, 3, 3)),
        conv(tensor(4, 9, 9), tensor(6, 4, 3, 3)),
        conv(tensor(1, 4, 9, 9), tensor(6, 4, 3, 3), unheard_of=1),
        conv(tensor(1, 4, 9, 9, dtype="int8"), tensor(6, 4, 3, 3)),
        Call("torch.no_such_operator", ("input",), {"input": tensor(1, 2, 3, 3)}, (), (tensor(1),)),
    ],
    ids=["padding in words", "channels that do not fit", "no batch", "another argument", "another dtype", "no case"],
)
def test_what_no_case_can_make_has_no_example(cases: list[Case], call: Call) -> None:
    """An example that is not the very call would answer another question."""
    assert match_operator(cases, [call]) is None


def test_the_first_call_that_has_a_case_is_taken(cases: list[Case]) -> None:
    """Others are passed over; names with a trailing underscore are the same operator."""
    unknown = Call("torch.no_such_operator", ("input",), {"input": tensor(1, 2, 3, 3)}, (), (tensor(1),))
    relu = Call("torch.relu_", ("input",), {"input": tensor(1, 2, 3, 3, last=True)}, (), (tensor(1, 2, 3, 3),))
    found = match_operator(cases, [unknown, relu])
    assert found is not None
    assert found[1].case == "suites/operators/activation.yaml::relu"
    assert found[1].layouts["input"] == "channels_last"


def finding(tensor: str, oracle: Any = "values") -> Finding:
    """A finding about a tensor."""
    return Finding(oracle, tensor, "layout", {"avx2": 2.0})


@pytest.mark.parametrize(
    ("accepted", "wrong", "names"),
    [
        (["grad:weight"], ["grad:weight"], ("known",)),
        (["grad:weight"], ["grad:bias"], ()),
        (["grad:input"], ["grad_input[0][0]"], ("known",)),
        (["output[0]"], ["output[0]", "grad:weight"], ()),
        ([], ["output[0]"], ()),
    ],
)
def test_a_module_is_known_wrong_where_each_wrong_tensor_is(
    accepted: list[str], wrong: list[str], names: tuple[str, ...]
) -> None:
    """A known issue of the operator's explains the same tensor of the module, and no other."""
    assert worth_matching([("known", finding(one)) for one in accepted], map(finding, wrong)) == names


def test_a_lost_format_is_explained_by_a_lost_format_only() -> None:
    """Wrong values are no reason for strides, nor the other way round."""
    lost = finding("module:act", "strides")
    assert worth_matching([("known", finding("output[0]", "strides"))], [lost]) == ("known",)
    assert worth_matching([("known", finding("output[0]"))], [lost]) == ()
    assert worth_matching([("known", finding("output[0]", "strides"))], [finding("output[0]")]) == ()
