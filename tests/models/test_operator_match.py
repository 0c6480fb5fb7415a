"""From a call of a model to the operator example that makes the same call."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from harness.core import Case
from harness.models.function_call import ArgumentValue, CallTensor, FunctionCall
from harness.models.operator_match import match_operator
from harness.portable.memory_format import dense_strides
from harness.suites import load_suite

ROOT = Path(__file__).resolve().parents[2]
CONV = ("input", "weight", "bias", "stride", "padding", "dilation", "groups")


def tensor(*shape: int, last: bool = False, dtype: str = "float32") -> CallTensor:
    """A tensor of a call, contiguous or channels-last."""
    return CallTensor(dtype, shape, dense_strides("channels_last" if last else "contiguous", shape))


def conv(
    images: CallTensor, weight: CallTensor, bias: CallTensor | None = None, **changes: ArgumentValue
) -> FunctionCall:
    """A call of torch.conv2d."""
    plain = {"stride": (1, 1), "padding": (0, 0), "dilation": (1, 1), "groups": 1, **changes}
    arguments = {"input": images, "weight": weight, "bias": bias, **plain}
    return FunctionCall("torch.conv2d", CONV, arguments, (), (tensor(1, 1, 1, 1, dtype=images.dtype),))


@pytest.fixture(scope="module")
def cases() -> list[Case]:
    """The cases of four suites."""
    names = ("convolution", "activation", "pooling", "resampling")
    files = [ROOT / "suites" / "operators" / f"{name}.yaml" for name in names]
    return [case for file in files for case in load_suite(file, ROOT).cases]


def test_a_flag_that_is_left_none_is_off(cases: list[Case]) -> None:
    """`interpolate` takes None for align_corners, and the case says false; another flag that is on is not its call."""
    arguments: dict[str, ArgumentValue]
    arguments = {"input": tensor(2, 4, 8, 5, last=True), "size": (3, 1), "scale_factor": None, "mode": "bilinear",
                 "align_corners": None, "recompute_scale_factor": None, "antialias": True}  # fmt: skip
    defaults = ("scale_factor", "align_corners", "recompute_scale_factor")
    name = "torch.nn.functional.interpolate"
    call = FunctionCall(name, tuple(arguments), arguments, defaults, (tensor(2, 4, 3, 1),))
    match = match_operator(cases, [call])
    assert match is not None
    case, example = match
    assert case.id == "suites/operators/resampling.yaml::bilinear_antialias"
    assert (example.sizes["P"], example.sizes["Q"], example.sizes["align_corners"]) == (3, 1, False)
    rounded = replace(call, arguments={**arguments, "recompute_scale_factor": True}, defaults=defaults[:2])
    assert match_operator(cases, [rounded]) is None


def test_a_convolution_with_all_its_arguments(cases: list[Case]) -> None:
    """Groups, pairs, an absent bias, the formats: the sizes are those that give these shapes."""
    call = conv(tensor(2, 8, 9, 7, last=True), tensor(6, 4, 3, 1, last=True), stride=(2, 1), padding=(1, 0), groups=2)
    match = match_operator(cases, [call])
    assert match is not None
    case, example = match
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
    match = match_operator(cases, [conv(tensor(1, 4, 9, 9), tensor(6, 4, 3, 3), tensor(6), stride=2)])
    assert match is not None
    assert match[1].sizes["stride"] == (2, 2)
    assert match[1].absent == ()


def test_a_single_number_stands_for_all_that_a_case_has_apart(cases: list[Case]) -> None:
    """padding=1 is a row on each side and a column on each side."""
    arguments: dict[str, ArgumentValue]
    arguments = {"input": tensor(1, 4, 9, 9, last=True), "kernel_size": 3, "stride": 1, "padding": 1,
                 "ceil_mode": False, "count_include_pad": True, "divisor_override": None}  # fmt: skip
    name = "torch.nn.functional.avg_pool2d"
    match = match_operator(cases, [FunctionCall(name, tuple(arguments), arguments, (), (tensor(1, 4, 9, 9),))])
    assert match is not None
    sizes = match[1].sizes
    assert (sizes["kernel"], sizes["stride"], sizes["pad_h"], sizes["pad_w"]) == ((3, 3), (1, 1), 1, 1)


def test_the_dtype_is_that_of_the_result(cases: list[Case]) -> None:
    """Under autocast a convolution gets float32 and computes in bfloat16."""
    call = conv(tensor(1, 4, 9, 9), tensor(6, 4, 3, 3))
    half = replace(call, results=(tensor(1, 6, 7, 7, dtype="bfloat16"),))
    match = match_operator(cases, [half])
    assert match is not None
    assert match[1].dtype == "bfloat16"


@pytest.mark.parametrize(
    "call",
    [
        conv(tensor(1, 4, 9, 9), tensor(6, 4, 3, 3), padding="same"),
        conv(tensor(1, 5, 9, 9), tensor(6, 4, 3, 3)),
        conv(tensor(9, 9), tensor(6, 4, 3, 3)),
        conv(tensor(1, 4, 9, 9), tensor(6, 4, 3, 3), unheard_of=1),
        conv(tensor(1, 4, 9, 9, dtype="int8"), tensor(6, 4, 3, 3)),
        FunctionCall("torch.no_such_operator", ("input",), {"input": tensor(1, 2, 3, 3)}, (), (tensor(1),)),
    ],
    ids=["padding in words", "channels that do not fit", "no channels", "another argument", "another dtype", "no case"],
)
def test_what_no_case_can_make_has_no_example(cases: list[Case], call: FunctionCall) -> None:
    """An example that is not the very call would answer another question."""
    assert match_operator(cases, [call]) is None


def test_an_image_without_a_batch_has_a_case_of_its_own(cases: list[Case]) -> None:
    """A convolution of one image alone is an example of the case that runs convolutions so."""
    match = match_operator(cases, [conv(tensor(4, 9, 9), tensor(6, 4, 3, 3))])
    assert match is not None
    assert match[1].case == "suites/operators/convolution.yaml::conv2d_unbatched"
    assert {name: match[1].sizes[name] for name in ("Cg", "Kg", "H", "W")} == {"Cg": 4, "Kg": 6, "H": 9, "W": 9}


def test_the_first_call_that_has_a_case_is_taken(cases: list[Case]) -> None:
    """Others are passed over; names with a trailing underscore are the same operator."""
    unknown = FunctionCall("torch.no_such_operator", ("input",), {"input": tensor(1, 2, 3, 3)}, (), (tensor(1),))
    relu = FunctionCall("torch.relu_", ("input",), {"input": tensor(1, 2, 3, 3, last=True)}, (), (tensor(1, 2, 3, 3),))
    match = match_operator(cases, [unknown, relu])
    assert match is not None
    assert match[1].case == "suites/operators/activation.yaml::relu"
    assert match[1].layouts["input"] == "channels_last"
