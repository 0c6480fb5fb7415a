"""The reference: float64, contiguous, and what the a-priori bounds need, against NumPy."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from harness.core.case import TorchName
from harness.core.observation import Array
from harness.execution import Result
from harness.execution.requests import reference_request
from harness.generation import resolve_example
from harness.portable import fills
from tests.execution import stand

Run = Callable[..., Result]


def convolved(image: Array, weight: Array, bias: Array) -> Array:
    """A 3x3 convolution with padding 1, in NumPy."""
    n, _c, h, w = image.shape
    padded = np.pad(image, ((0, 0), (0, 0), (1, 1), (1, 1)))
    output = np.zeros((n, weight.shape[0], h, w))
    for y in range(3):
        for x in range(3):
            output += np.einsum("nchw,kc->nkhw", padded[:, :, y : y + h, x : x + w], weight[:, :, y, x])
    return output + bias[None, :, None, None]


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_convolution_values_bound_and_terms(run_here: Run, dtype: str) -> None:
    """Values are the operator's, the bound is the operator on magnitudes, terms the operator on ones."""
    example = stand.example(
        stand.CONV2D, dtype, sizes={"K": 2}, fill="reals", seed=1, layouts={"input": "channels_last"}
    )
    reference = run_here(stand.CONV2D, example).reference
    inputs = [reference.inputs[name] for name in ("input", "weight", "bias")]
    np.testing.assert_array_equal(inputs[0], fills.values("reals", dtype, (2, 3, 4, 5), 1, 0))
    magnitudes, ones = [np.abs(each) for each in inputs], [np.ones_like(each) for each in inputs]
    np.testing.assert_allclose(reference.values["output[0]"], convolved(*inputs), atol=1e-13)
    np.testing.assert_allclose(reference.bound["output[0]"], convolved(*magnitudes), rtol=1e-13)
    np.testing.assert_array_equal(reference.terms["output[0]"], convolved(*ones))
    np.testing.assert_array_equal(reference.terms["grad:bias"], np.full(2, 2 * 4 * 5))
    grad_output = np.abs(reference.grad_outputs["output[0]"])
    np.testing.assert_allclose(reference.bound["grad:bias"], grad_output.sum((0, 2, 3)), rtol=1e-13)


def test_a_selection_keeps_its_inputs(run_here: Run) -> None:
    """The gradient's magnitudes are taken where the data made its choice; the exact output needs no bound."""
    example = stand.example(stand.MAX_POOL2D, fill="reals")
    reference = run_here(stand.MAX_POOL2D, example).reference
    assert set(reference.bound) == set(reference.terms) == {"grad:x"}
    np.testing.assert_array_equal(reference.bound["grad:x"], np.abs(reference.values["grad:x"]))
    assert set(np.unique(reference.terms["grad:x"])) == {0.0, 1.0}
    assert reference.values["output[1]"].dtype == np.int64


def test_declared_terms_are_constant(run_here: Run) -> None:
    """Where coefficients sum to one the declared number stands for every element."""
    pool = stand.case(
        "torch.nn.functional.avg_pool2d",
        rules=("multilinear", "multilinear"),
        arguments={"kernel_size": 2},
        terms="C + 1",
    )
    reference = run_here(pool).reference
    assert {name: set(np.unique(array)) for name, array in reference.terms.items()} == {
        "output[0]": {4.0},
        "grad:x": {4.0},
    }


def test_elementwise_has_inputs_and_no_bound(run_here: Run) -> None:
    """An elementwise rule needs the numbers that went in, and nothing else."""
    gelu = stand.case("torch.nn.functional.gelu", rules=("elementwise", "elementwise"))
    reference = run_here(gelu).reference
    assert not reference.bound
    assert not reference.terms
    assert reference.inputs["x"].shape == reference.grad_outputs["output[0]"].shape


def test_a_selected_output_is_its_own_magnitude(run_here: Run) -> None:
    """Under the selection rule an output is bounded by itself, one term each."""
    neg = stand.case("torch.neg", rules=("selection", "exact"))
    reference = run_here(neg).reference
    np.testing.assert_array_equal(reference.bound["output[0]"], np.abs(reference.values["output[0]"]))
    assert set(np.unique(reference.terms["output[0]"])) == {1.0}


def test_a_number_has_a_magnitude(run_here: Run) -> None:
    """The grad_output of what is reduced to one number has no dimension, and a bound nevertheless."""
    total = stand.case("torch.sum", rules=("multilinear", "multilinear"))
    reference = run_here(total).reference
    assert not reference.error
    assert reference.terms["output[0]"] == 2 * 3 * 4 * 5
    np.testing.assert_array_equal(
        reference.bound["grad:x"], np.full((2, 3, 4, 5), np.abs(reference.grad_outputs["output[0]"]))
    )


def test_an_expanded_grad_output_is_laid_out_anew() -> None:
    """A copy that kept the order of its strides would be stored with the images innermost."""
    relu = stand.case("torch.nn.functional.relu", rules=("exact", "selection"))
    example = stand.example(relu, sizes={"N": 3}, layouts={"grad_output": "contiguous:expand_n"})
    call = stand.module("call").parse_call(reference_request(resolve_example(relu, example)))
    values = stand.module("fill_values").input_values(call)
    graph = stand.module("reference.graph").Graph(call, values, np.array)
    assert graph.grad_output(0).flags.c_contiguous


def test_the_reference_of_a_worker_is_the_same(run: Run, run_here: Run) -> None:
    """A process of its own gives what this process gives."""
    example = stand.example(stand.CONV2D, "bfloat16", sizes={"K": 2})
    there, here = run(stand.CONV2D, example).reference, run_here(stand.CONV2D, example).reference
    for name, values in here.values.items():
        np.testing.assert_array_equal(there.values[name], values)


def test_the_reference_of_a_refused_dtype_is_in_one_that_is_supported(run_here: Run) -> None:
    """It says that the call is legal, and its answer is that of the case's first dtype."""
    case = stand.case("torch.relu", dtypes=("float64",), unsupported=("bool",))
    result = run_here(case, stand.example(case, "bool"))
    assert result.reference.status == "ok"
    assert result.reference.inputs["x"].dtype == np.float64
    assert {observation.status for observation in result.observations} == {"raised"}


def test_a_dtype_that_is_asked_for_is_wide_too(run_here: Run) -> None:
    """A result in float32 is judged by one in float64: what rounds as the kernel does would be no judge of it."""
    mean = stand.case("torch.mean", rules=("multilinear", "multilinear"), arguments={"dtype": TorchName("float32")})
    example = stand.example(mean, "bfloat16", fill="reals")
    result = run_here(mean, example)
    values = result.reference.inputs["x"]
    np.testing.assert_allclose(result.reference.values["output[0]"], values.mean(), rtol=1e-14)
    assert result.observations[0].tensors["output[0]"].dtype == "float32"
