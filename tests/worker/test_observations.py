"""What an observation holds. Run in this process, where the worker's own functions do it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from harness.execution import Executor, Result
from harness.portable import fills
from tests.execution import stand

Run = Callable[..., Result]
IDENTITY = stand.case("torch.clone")
ADD = stand.case("torch.add", stand.tensor("a", "N", "C", "H", "W"), stand.tensor("b", "N", "C", "H", "W"))
LAYOUTS = ["channels_last", "channels_last:slice_c", "contiguous:offset", "contiguous:step_w", "contiguous:permuted"]


@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16", "float16"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_values_arrive_in_every_dtype_and_layout(run_here: Run, dtype: str, layout: str) -> None:
    """The operator sees exactly the numbers of the fill, wherever they lie."""
    example = stand.example(IDENTITY, dtype, layouts={"x": layout}, fill="reals", seed=3)
    drawn, plain = run_here(IDENTITY, example).observations
    expected = fills.values("reals", dtype, (2, 3, 4, 5), 3, 0)
    for observation in (drawn, plain):
        record = observation.tensors["output[0]"]
        assert record.dtype == dtype
        np.testing.assert_array_equal(record.values.astype(np.float64), expected)


def test_drawn_and_contiguous_inputs_have_their_strides(run_here: Run) -> None:
    """`inputs` says how each tensor lay in memory in each of the two observations."""
    example = stand.example(IDENTITY, layouts={"x": "channels_last:slice_w"})
    drawn, plain = run_here(IDENTITY, example).observations
    assert (drawn.layout, drawn.inputs["x"]) == ("drawn", (72, 1, 18, 3))
    assert (plain.layout, plain.inputs["x"]) == ("contiguous", (60, 20, 5, 1))


def test_gradients_are_those_of_the_fill_of_grad_output(run_here: Run) -> None:
    """The gradient of a sum is grad_output itself, whose numbers come from a stream of their own."""
    example = stand.example(ADD, layouts={"grad_output": "channels_last"}, seed=5, fill="reals")
    result = run_here(ADD, example)
    expected = fills.values("reals", "float32", (2, 3, 4, 5), 5, 1000)
    for observation in result.observations:
        for name in ("grad:a", "grad:b"):
            np.testing.assert_array_equal(observation.tensors[name].values, expected.astype(np.float32))
    np.testing.assert_array_equal(result.reference.grad_outputs["output[0]"], expected)


def test_an_expanded_tensor_is_the_same_everywhere(run_here: Run) -> None:
    """Where elements share memory, all cells, both layouts and the reference use the first one's number."""
    example = stand.example(IDENTITY, layouts={"x": "contiguous:expand_n"})
    result = run_here(IDENTITY, example)
    drawn, plain = result.observations
    assert drawn.inputs["x"][0] == 0
    first = drawn.tensors["output[0]"].values
    np.testing.assert_array_equal(first[0], first[1])
    np.testing.assert_array_equal(first, plain.tensors["output[0]"].values)
    np.testing.assert_array_equal(first, result.reference.values["output[0]"])


def test_absent_tensors_are_passed_as_none(run_here: Run) -> None:
    """An optional tensor that was left out has neither input nor gradient."""
    example = stand.example(stand.CONV2D, sizes={"K": 4}, absent=("bias",))
    drawn, _plain = run_here(stand.CONV2D, example).observations
    assert set(drawn.tensors) == {"output[0]", "grad:input", "grad:weight"}
    assert set(drawn.inputs) == {"input", "weight", "grad_output[0]"}


def test_tensors_of_other_dtypes_have_no_gradient(run_here: Run) -> None:
    """An index tensor keeps its own dtype and takes no gradient."""
    take = stand.case(
        "torch.take",
        stand.tensor("x", "N", "C", "H", "W"),
        stand.tensor("index", "C", dtype="int64"),
        rules=("exact", "selection"),
    )
    result = run_here(take)
    assert set(result.observations[0].tensors) == {"output[0]", "grad:x"}
    assert result.reference.terms["grad:x"].sum() == 3


def test_outputs_are_flattened_in_order(run_here: Run) -> None:
    """Tensors come out of nested containers by number; what is no tensor is left out."""
    several = stand.case("misbehaving.several")
    result = run_here(several)
    records = result.observations[0].tensors
    assert [records[f"output[{i}]"].dtype for i in range(3)] == ["float32", "int64", "bool"]
    assert result.reference.values["output[1]"].dtype == np.int64
    assert "output[3]" not in records


def test_an_empty_tensor_is_no_special_case(run_here: Run) -> None:
    """A batch of zero images goes in and out."""
    example = stand.example(ADD, sizes={"N": 0}, layouts={"a": "channels_last:slice_c"})
    result = run_here(ADD, example)
    assert [observation.status for observation in result.observations] == ["ok", "ok"]
    assert result.observations[0].tensors["grad:a"].shape == (0, 3, 4, 5)
    assert result.reference.values["output[0]"].shape == (0, 3, 4, 5)


def test_a_write_to_an_input_is_seen(run_here: Run) -> None:
    """An operator that changes its input is reported with the name of the tensor."""
    scribble = stand.case("misbehaving.scribble")
    assert [each.written for each in run_here(scribble).observations] == [("x",), ("x",)]


def test_a_write_between_the_elements_is_seen(run_here: Run) -> None:
    """The whole buffer is compared, the gaps of a strided tensor included."""
    scribble = stand.case("misbehaving.scribble_between")
    example = stand.example(scribble, layouts={"x": "contiguous:slice_c"})
    assert run_here(scribble, example).observations[0].written == ("x",)


def test_a_write_to_grad_output_is_seen(run_here: Run) -> None:
    """Backward must leave grad_output alone as well."""
    scribble = stand.case("misbehaving.scribble_back")
    assert run_here(scribble).observations[0].written == ("grad_output[0]",)


def test_a_second_call_must_give_the_same_bits(run_here: Run) -> None:
    """Tensors that differ from call to call are named."""
    result = run_here(stand.case("misbehaving.unsteady"))
    assert result.observations[0].unrepeated == ("output[0]",)


@pytest.mark.parametrize("inplace", ["inplace", "torch.relu_"])
def test_the_in_place_form_hands_back_its_input(run_here: Run, inplace: str) -> None:
    """By keyword or by callable: the output has the input's strides and the plain call's numbers."""
    relu = stand.case("torch.nn.functional.relu", rules=("exact", "selection"), inplace=inplace)
    example = stand.example(relu, layouts={"x": "channels_last:slice_c"}, inplace=True)
    result = run_here(relu, example)
    drawn = result.observations[0]
    assert (drawn.status, drawn.written, drawn.unrepeated) == ("ok", (), ())
    assert drawn.tensors["output[0]"].strides == drawn.inputs["x"]
    for name in ("output[0]", "grad:x"):
        np.testing.assert_array_equal(drawn.tensors[name].values, result.reference.values[name])


def test_an_in_place_form_may_return_nothing(run_here: Run) -> None:
    """The output is the overwritten tensor, whatever the callable returns."""
    double = stand.case("misbehaving.double", inplace="misbehaving.double_")
    result = run_here(double, stand.example(double, inplace=True))
    np.testing.assert_array_equal(
        result.observations[0].tensors["output[0]"].values, result.reference.values["output[0]"]
    )


def test_an_exception_is_an_observation(run_here: Run) -> None:
    """Class and first line of the message, in both layouts and in the reference; nothing was computed."""
    result = run_here(stand.case("misbehaving.refuse"))
    for each in (*result.observations, result.reference):
        assert (each.status, each.error, each.message) == ("raised", "ValueError", "not today")
    assert [(each.phase, dict(each.tensors)) for each in result.observations] == [("forward", {})] * 2


def test_an_exception_in_backward_keeps_the_outputs(run_here: Run) -> None:
    """What forward gave is there to be judged, in both layouts, and is run again to see whether its bits repeat."""
    for observation in run_here(stand.case("misbehaving.refuse_backward")).observations:
        assert (observation.status, observation.phase, observation.error) == (
            *("raised", "backward"),
            "NotImplementedError",
        )
        assert set(observation.tensors) == {"output[0]"}
        assert observation.unrepeated == ()


def test_a_reference_whose_backward_raises_has_the_outputs(run_here: Run) -> None:
    """They have their values and bounds, as those of a call without gradients; one that raises at once has nothing."""
    case = stand.case("misbehaving.refuse_backward", rules=("multilinear", "multilinear"))
    reference = run_here(case).reference
    assert (reference.status, reference.error) == ("raised", "NotImplementedError")
    assert set(reference.values) == set(reference.bound) == {"output[0]"}
    np.testing.assert_array_equal(reference.values["output[0]"], reference.inputs["x"])
    assert run_here(stand.case("misbehaving.refuse")).reference.values == {}


def test_an_exception_for_one_gradient_keeps_the_others(run_here: Run) -> None:
    """Each gradient is asked for by itself where all of them at once raise."""
    case = stand.case(
        "misbehaving.refuse_one_gradient",
        stand.tensor("x", "N", "C", "H", "W"),
        stand.tensor("y", "N", "C", "H", "W"),
    )
    drawn, plain = run_here(case, stand.example(case, fill="reals")).observations
    assert (drawn.phase, plain.phase) == ("backward", "backward")
    for observation in (drawn, plain):
        assert set(observation.tensors) == {"output[0]", "grad:x"}
        assert observation.tensors["grad:x"].values.any()


def test_operators_are_traced_on_demand(run_here: Run) -> None:
    """The drawn observation of a traced example names the operators of forward and backward, another none."""
    drawn, plain = run_here(IDENTITY, traced=[stand.example(IDENTITY)]).observations
    assert drawn.operators[0] == "aten::clone"
    assert plain.operators == ()
    assert run_here(IDENTITY).observations[0].operators == ()


def test_the_copies_that_surround_a_call_are_not_its_operators(run_here: Run) -> None:
    """What an in-place call overwrites is laid out and filled before it; the trace has the call alone."""
    case = stand.case("torch.abs", stand.tensor("x", "N", "C", "H", "W", grad=False), inplace="torch.Tensor.abs_")
    example = stand.example(case, inplace=True, layouts={"x": "channels_last"})
    (drawn, _plain) = run_here(case, example, traced=[example]).observations
    assert "aten::abs_" in drawn.operators
    assert not {"aten::copy_", "aten::empty", "aten::as_strided", "aten::detach"} & set(drawn.operators)


def test_isolated_in_this_process_repeats(local: Executor) -> None:
    """The repeats are compared with each other there too."""
    unsteady = stand.case("misbehaving.unsteady")
    result = local.run_isolated(unsteady, stand.example(unsteady), repeats=3)
    assert result.observations[1].unrepeated == ("output[0]",)


def test_one_cell_without_caps(local: Executor) -> None:
    """In this process there is one cell of that name; ATen's capability is its proof."""
    (cell,) = local.cells
    assert cell.name == "in_process"
    assert cell.proof["aten"]
    assert local.build.torch


def test_what_writes_into_a_given_tensor_shows_as_such(run_here: Run) -> None:
    """In place by the underscore of its name, `out=` by its overload, a cast by the copy it makes."""
    case = stand.case("misbehaving.forms")
    (drawn, _plain) = run_here(case, traced=[stand.example(case)]).observations
    assert {"aten::neg_", "aten::add", "aten::add.out", "aten::_to_copy"} <= set(drawn.operators)
    assert not any(name.endswith("layout") for name in drawn.operators)


def test_a_gradient_without_memory_is_zero(run_here: Run) -> None:
    """Autograd's zero tensor, which has no bytes to send, is recorded as the zeros it stands for."""
    result = run_here(stand.case("torch.sgn"))
    assert [observation.status for observation in result.observations] == ["ok", "ok"]
    assert not result.observations[0].tensors["grad:x"].values.any()
