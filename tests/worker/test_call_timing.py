"""A call of an operator measured in both formats, forward and backward."""

from __future__ import annotations

from typing import Any

import pytest

from harness.core import Module
from harness.execution import requests
from harness.generation import resolve_example
from harness.portable import protocol
from tests.execution import stand
from tests.worker.test_protocol import OPERATIONS, misfit

LAYOUTS = {"input": "channels_last", "weight": "channels_last", "grad_output": "channels_last"}


def time_call(case: Any, example: Any, *, backward: bool) -> dict[str, Any]:
    """The reply to a request to measure, which has the types of the protocol."""
    request = {
        **requests.double_backward_request(resolve_example(case, example)),
        "op": "time",
        "seconds": 0.02,
        "intraop_threads": 1,
        "backward": backward,
    }
    assert misfit(request, OPERATIONS["time"].request) == ""
    reply: dict[str, Any] = protocol.decode(
        protocol.encode(stand.module("serve").Worker("local", traced=False).answer(request))
    )
    assert misfit(reply, OPERATIONS["time"].reply) == ""
    return reply


@pytest.mark.parametrize("backward", [False, True])
def test_a_call_is_measured_as_drawn_and_contiguous(backward: bool) -> None:
    """As many rounds of both, all of them longer than nothing."""
    example = stand.example(stand.CONV2D, sizes={"K": 4}, layouts=LAYOUTS)
    reply = time_call(stand.CONV2D, example, backward=backward)
    assert reply["threads"] == 1
    assert len(reply["rounds"]["nchw"]) == len(reply["rounds"]["nhwc"]) >= 3
    assert min(reply["rounds"]["nchw"] + reply["rounds"]["nhwc"]) > 0


@pytest.mark.parametrize(("is_contiguous", "expected"), [(True, "nchw"), (False, "nhwc")])
def test_the_tensors_of_a_timed_call_have_the_format_that_it_is_timed_for(is_contiguous: bool, expected: str) -> None:
    """What the example has in channels-last is that in the one, and contiguous in the other."""
    example = stand.example(stand.CONV2D, sizes={"K": 4}, layouts=LAYOUTS)
    call = stand.module("call").parse_call(requests.double_backward_request(resolve_example(stand.CONV2D, example)))
    timed = stand.module("operators.timing").TimedCall(call, contiguous=is_contiguous, backward=False)
    name = stand.module("models.image_format").format_name
    assert (name(timed.run.inputs["input"]), name(timed.run.inputs["weight"])) == (expected, expected)


def test_the_module_of_a_case_is_made_once() -> None:
    """What is measured is its call, and not how long it takes to make one."""
    case = stand.case("torch.nn.MaxPool2d", module=Module({"kernel_size": 2}))
    example = stand.example(case, layouts={"x": "channels_last"})
    call = stand.module("call").parse_call(requests.double_backward_request(resolve_example(case, example)))
    timed = stand.module("operators.timing").TimedCall(call, contiguous=False, backward=False)
    assert type(timed.function.func).__name__ == "MaxPool2d"


def test_what_raises_is_a_problem() -> None:
    """In one sentence."""
    case = stand.case("torch.linalg.cholesky")
    reply = time_call(case, stand.example(case), backward=False)
    assert reply["status"] == "problem"
    assert reply["message"].startswith("it raised ")
