"""The double backward as a way to run a call: what it gives, in any dtype, and how far that may be off."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from harness.core import Case
from harness.execution import Result
from harness.oracles import judge
from tests.execution import stand

Run = Callable[..., Result]
PATHS = ("double_backward",)
CONV = replace(stand.CONV2D, paths=PATHS)
POOL = replace(stand.MAX_POOL2D, paths=PATHS)
PRODUCT = stand.case("torch.mul", stand.tensor("a", "N", "C"), stand.tensor("b", "N", "C"), paths=PATHS)
SECONDS = {
    "conv2d": {"second:input", "second:weight", "second:grad_output[0]"},
    "max_pool2d": {"second:grad_output[0]"},
    "mul": {"second:a", "second:b", "second:grad_output[0]"},
}


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("case", [CONV, POOL, PRODUCT], ids=lambda case: case.name)
def test_a_double_backward_gives_what_each_tensor_does_to_the_gradients(run_here: Run, case: Case, dtype: str) -> None:
    """That is all that they depend on, in the numbers of the reference, which are small and whole."""
    layouts = {case.tensors[0].name: "channels_last"} if case is not PRODUCT else {}
    result = run_here(case, stand.example(case, dtype, sizes={"K": 2}, path="double_backward", layouts=layouts))
    due = result.reference.values
    assert SECONDS[case.name] <= set(due)
    for observation in result.observations:
        assert (observation.status, observation.message, observation.written) == ("ok", "", ())
        for name in SECONDS[case.name]:
            np.testing.assert_array_equal(observation.tensors[name].values, due[name])
    assert not judge(case, result.example, result.reference, result.observations).findings


def test_a_product_derived_twice_is_its_formula(run_here: Run) -> None:
    """With g the grad_output and u, v the directions: g v for the one, g u for the other, u b + v a for g."""
    values = run_here(PRODUCT, stand.example(PRODUCT, path="double_backward")).reference
    a, b, g = values.inputs["a"], values.inputs["b"], values.grad_outputs["output[0]"]
    v, u = values.values["second:a"] / np.where(g, g, 1), values.values["second:b"] / np.where(g, g, 1)
    due = np.where(g, u * b + v * a, values.values["second:grad_output[0]"])
    assert g.any()
    np.testing.assert_array_equal(values.values["second:grad_output[0]"], due)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_a_second_derivative_that_is_twice_what_is_due_is_found(run_here: Run, dtype: str) -> None:
    """And nothing else is: the gradient itself is right."""
    case = stand.case(
        "misbehaving.wrong_twice", rules=("multilinear", "multilinear"), reference="torch.square", paths=PATHS
    )
    result = run_here(case, stand.example(case, dtype, path="double_backward", fill="reals"))
    findings = judge(case, result.example, result.reference, result.observations).findings
    assert {(finding.oracle, finding.tensor) for finding in findings} == {("values", "second:x")}
