"""Double backward in the worker: what the states mean."""

from __future__ import annotations

from typing import Any

import pytest

from harness.core import Case
from tests.execution import stand

SIZES = {"N": 1, "C": 2, "H": 2, "W": 3}


def states(local: Any, case: Case, dtype: str = "float64") -> dict[str, str]:
    """Layout → state, for a small channels-last example."""
    layouts = {spec.name: "channels_last" for spec in case.tensors if spec.channels_last}
    example = stand.example(case, dtype, sizes=SIZES, layouts=layouts, fill="reals", seed=1)
    return {layout: state for layout, (state, _message) in local.double_backward(case, example).items()}


@pytest.mark.parametrize(
    ("call", "state"),
    [
        ("torch.sigmoid", "agrees"),
        ("torch.clone", "agrees"),
        ("torch.floor", "constant"),
        ("torch.nn.functional.hardsigmoid", "refused"),
        ("misbehaving.refuse_backward", "raised"),
        ("misbehaving.wrong_twice", "differs"),
        ("torch.Tensor.float", "coarse"),
    ],
)
def test_each_state(local: Any, call: str, state: str) -> None:
    """What gradgradcheck says, and why it may have nothing to say, in both layouts."""
    assert states(local, stand.case(call)) == {"drawn": state, "contiguous": state}


def test_several_tensors_are_differentiated_together(local: Any) -> None:
    """A convolution's input and weight."""
    weight = stand.tensor("weight", "2", "C", "1", "2")
    case = stand.case("torch.nn.functional.conv2d", stand.tensor("input", "N", "C", "H", "W"), weight)
    assert states(local, case) == {"drawn": "agrees", "contiguous": "agrees"}


def test_a_refusal_says_which_operator(local: Any) -> None:
    """The message is autograd's, with the class of the error."""
    case = stand.case("torch.nn.functional.hardsigmoid")
    results = local.double_backward(case, stand.example(case, "float64", sizes=SIZES, fill="reals"))
    state, message = results["drawn"]
    assert state == "refused"
    assert message.startswith("RuntimeError: ")
    assert "aten::hardsigmoid_backward" in message


def test_a_tensor_that_the_operator_writes_is_fresh_each_time(local: Any) -> None:
    """Differences would else be taken from what an earlier call left there."""
    case = stand.case(
        "torch.Tensor.copy_",
        stand.tensor("target", "N", "C", "H", "W", buffer=True, grad=False),
        stand.tensor("source", "N", "C", "H", "W"),
    )
    assert states(local, case) == {"drawn": "agrees", "contiguous": "agrees"}
