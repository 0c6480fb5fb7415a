"""Ways to call an operator: tensors in lists and by keyword, buffers, other dtypes, and the dtype that is due."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from harness.core import Case, Expression, Module, Size, TensorArgument, TensorSpec, TorchName
from harness.execution import Executor, Result
from tests.execution import stand

Run = Callable[..., Result]
FOUR = ("N", "C", "H", "W")
A, B = stand.tensor("a", *FOUR), stand.tensor("b", *FOUR)


def test_tensors_are_passed_in_lists(run_here: Run) -> None:
    """`cat` takes one argument that holds both tensors."""
    cat = stand.case("torch.cat", A, B, positional=((TensorArgument("a"), TensorArgument("b")),), arguments={"dim": 1})
    result = run_here(cat, stand.example(cat, layouts={"a": "channels_last"}))
    inputs = result.reference.inputs
    for observation in result.observations:
        expected = np.concatenate([inputs["a"], inputs["b"]], 1)
        np.testing.assert_array_equal(observation.tensors["output[0]"].values, expected)
        assert set(observation.tensors) == {"output[0]", "grad:a", "grad:b"}


def test_positional_arguments_keep_their_order(run_here: Run) -> None:
    """Neither subtraction nor division would give the same the other way round."""
    swapped = stand.case("torch.sub", A, B, positional=(TensorArgument("b"), TensorArgument("a")))
    result = run_here(swapped)
    inputs = result.reference.inputs
    np.testing.assert_array_equal(result.reference.values["output[0]"], inputs["b"] - inputs["a"])


def test_a_tensor_goes_by_keyword_and_absent_ones_as_none(run_here: Run) -> None:
    """`bias` is named among the arguments."""
    specs = stand.CONV2D.tensors
    conv = stand.case("torch.conv2d", *specs, arguments={"padding": 1, "bias": TensorArgument("bias")})
    assert "grad:bias" in run_here(conv, stand.example(conv, sizes={"K": 2})).observations[0].tensors
    bare = run_here(conv, stand.example(conv, sizes={"K": 2}, absent=("bias",)))
    assert bare.observations[0].status == "ok"


def test_names_of_torch_are_looked_up_by_the_worker(run_here: Run, local: Executor) -> None:
    """A memory format arrives as one; a name that torch lacks is a problem of the case."""
    clone = stand.case("torch.clone", arguments={"memory_format": TorchName("channels_last")})
    plain = run_here(clone).observations[1]
    assert plain.tensors["output[0]"].strides == (60, 1, 15, 3)
    wrong = stand.case("torch.clone", arguments={"memory_format": TorchName("channel_last")})
    assert local.check(wrong) == ["torch has no 'channel_last'; did you mean torch.channels_last?"]


def test_an_in_place_call_overwrites_the_first_tensor_wherever_it_is_passed(run_here: Run) -> None:
    """Here it is the second argument of none, and the only one by keyword."""
    relu = stand.case("torch.relu", arguments={"input": TensorArgument("x")}, inplace="torch.relu_")
    result = run_here(relu, stand.example(relu, inplace=True, layouts={"x": "channels_last"}))
    drawn = result.observations[0]
    np.testing.assert_array_equal(drawn.tensors["output[0]"].values, np.maximum(result.reference.inputs["x"], 0))
    assert not drawn.written


RUNNING = (
    stand.tensor("x", *FOUR),
    stand.tensor("mean", "C", dtype="float32", buffer=True, grad=False),
    stand.tensor(
        "var", "C", dtype="float32", buffer=True, grad=False, between=(Expression.parse(1), Expression.parse(4))
    ),
)
NORM = stand.case("torch.nn.functional.batch_norm", *RUNNING, arguments={"training": True})


@pytest.mark.parametrize("layout", ["contiguous", "contiguous:step_c"])
def test_a_buffer_is_what_one_call_makes_of_it(run_here: Run, layout: str) -> None:
    """Not what two made of it, though the call is repeated; and it is no input that was written to."""
    result = run_here(NORM, stand.example(NORM, layouts={"mean": layout}, seed=3))
    x, before = result.reference.inputs["x"], result.reference.inputs["mean"]
    expected = 0.9 * before + 0.1 * x.mean((0, 2, 3))
    np.testing.assert_allclose(result.reference.values["buffer:mean"], expected, rtol=1e-12)
    for observation in result.observations:
        np.testing.assert_allclose(observation.tensors["buffer:mean"].values, expected, rtol=1e-5, atol=1e-6)
        assert (observation.written, observation.unrepeated) == ((), ())
        assert "grad:mean" not in observation.tensors


def test_memory_beside_a_buffer_is_watched(run_here: Run) -> None:
    """A kernel may write the elements of a buffer and nothing between them."""
    spills = stand.case("misbehaving.spills", stand.tensor("x", "C", buffer=True, grad=False))
    result = run_here(spills, stand.example(spills, layouts={"x": "contiguous:step_c"}))
    assert result.observations[0].written == ("x",)


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int16", "int32", "int64", "bool", "complex64"])
def test_other_dtypes_there_and_back(run_here: Run, dtype: str) -> None:
    """Every number arrives, in the dtype's own type; the reference agrees."""
    clone = stand.case("torch.clone", dtypes=(dtype,))
    result = run_here(clone, stand.example(clone, dtype, fill="reals", layouts={"x": "channels_last"}))
    for observation in result.observations:
        record = observation.tensors["output[0]"]
        assert (record.dtype, record.values.dtype) == (dtype, np.dtype(dtype))
        np.testing.assert_array_equal(record.values, result.reference.values["output[0]"])
    assert len(np.unique(result.reference.inputs["x"])) > (1 if dtype == "bool" else 20)
    assert ("grad:x" in result.observations[0].tensors) == (dtype == "complex64")


def _due(run_here: Run, case: Case, dtype: str) -> str:
    return run_here(case, stand.example(case, dtype)).reference.dtypes["output[0]"]


@pytest.mark.parametrize(
    ("call", "dtype", "due"),
    [
        ("torch.relu", "bfloat16", "bfloat16"),
        ("torch.isnan", "float32", "bool"),
        ("torch.sqrt", "int32", "float32"),
        ("torch.sum", "uint8", "int64"),
        ("torch.abs", "complex64", "float32"),
        ("torch.Tensor.float", "bfloat16", "float32"),
        ("torch.Tensor.double", "float32", "float64"),
        ("torch.Tensor.half", "float64", "float16"),
        ("torch.Tensor.int", "float32", "int32"),
    ],
)
def test_the_due_dtype_is_the_operator_s_own(run_here: Run, call: str, dtype: str, due: str) -> None:
    """Kept, promoted, or cast, as PyTorch's rules have it."""
    assert _due(run_here, stand.case(call), dtype) == due


def test_mixed_dtypes_are_due_as_the_operator_mixes_them(run_here: Run) -> None:
    """A sum is promoted; a norm keeps its input's dtype beside float32 statistics."""
    other = stand.tensor("y", "C", "1", "1", dtype="float32")
    assert _due(run_here, stand.case("torch.add", A, other), "bfloat16") == "float32"
    assert _due(run_here, NORM, "bfloat16") == "bfloat16"


def test_a_kernel_with_a_dtype_of_its_own_is_not_its_own_judge(run_here: Run) -> None:
    """What keeps float64 must keep every dtype, whatever the kernel under test returns."""
    assert _due(run_here, stand.case("misbehaving.widens"), "bfloat16") == "bfloat16"


def test_what_is_made_of_integers_is_float64_in_the_reference_only(run_here: Run) -> None:
    """The cells, in the same process here, still make float32 of them."""
    divide = stand.case("torch.div", A, stand.tensor("b", *FOUR, between=(Expression.parse(3), Expression.parse(7))))
    result = run_here(divide, stand.example(divide, "int32"))
    inputs = result.reference.inputs
    np.testing.assert_array_equal(result.reference.values["output[0]"], inputs["a"] / inputs["b"])
    assert {observation.tensors["output[0]"].dtype for observation in result.observations} == {"float32"}


def module(name: str, *tensors: TensorSpec, init: Any, state: Any, train: bool = True, **options: Any) -> Case:
    """A case of that class of torch.nn."""
    made = Module(init, train, {each: each for each in state})
    sizes = tuple(Size(each, "batch") for each in FOUR)
    return replace(stand.case(f"torch.nn.{name}", *tensors, module=made, **options), sizes=sizes)


STATE = ("weight", "bias", "running_mean", "running_var")
BATCH_NORM = (
    stand.tensor("x", *FOUR),
    stand.tensor("weight", "C"),
    stand.tensor("bias", "C", optional=True),
    stand.tensor("running_mean", "C", buffer=True, grad=False),
    stand.tensor("running_var", "C", buffer=True, grad=False, between=(Expression.parse(1), Expression.parse(4))),
)


def batch_norm(train: bool) -> Case:
    """BatchNorm2d in one of its modes."""
    return module("BatchNorm2d", *BATCH_NORM, init={"num_features": Expression.parse("C")}, state=STATE, train=train)


@pytest.mark.parametrize("absent", [(), ("bias",)])
def test_a_module_computes_with_the_tensors_that_stand_for_its_state(run_here: Run, absent: tuple[str, ...]) -> None:
    """In evaluation: the given statistics, weight and bias; one that is absent the module does not have."""
    case = batch_norm(train=False)
    result = run_here(case, stand.example(case, seed=2, absent=absent, layouts={"x": "channels_last"}))
    state = {name: values.reshape(-1, 1, 1) for name, values in result.reference.inputs.items() if name != "x"}
    x = result.reference.inputs["x"]
    expected = (x - state["running_mean"]) / np.sqrt(state["running_var"] + 1e-5) * state["weight"]
    expected += state.get("bias", 0)
    assert result.reference.status == "ok"
    np.testing.assert_allclose(result.reference.values["output[0]"], expected, rtol=1e-12, atol=1e-14)
    for observation in result.observations:
        np.testing.assert_allclose(observation.tensors["output[0]"].values, expected, rtol=1e-5, atol=1e-5)
        assert ("grad:bias" in observation.tensors, "grad:weight" in observation.tensors) == (not absent, True)


def test_the_buffers_of_a_module_in_training_are_what_one_call_makes_of_them(run_here: Run) -> None:
    """The running mean moves by a tenth, from the numbers that it was given, in every cell and in the reference."""
    case = batch_norm(train=True)
    result = run_here(case, stand.example(case, seed=3))
    inputs = result.reference.inputs
    expected = 0.9 * inputs["running_mean"] + 0.1 * inputs["x"].mean((0, 2, 3))
    np.testing.assert_allclose(result.reference.values["buffer:running_mean"], expected, rtol=1e-12)
    for observation in result.observations:
        np.testing.assert_allclose(observation.tensors["buffer:running_mean"].values, expected, rtol=1e-5, atol=1e-6)
        assert (observation.status, observation.unrepeated, observation.written) == ("ok", (), ())


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"name": "BatchNorm2"}, ["torch.nn has no 'BatchNorm2'; did you mean torch.nn.BatchNorm"]),
        (
            {"init": {"features": 3}},
            ["torch.nn.BatchNorm2d takes no argument 'features'; did you mean num_features?"],
        ),
        (
            {"init": {"num_features": -1}},
            ["torch.nn.BatchNorm2d cannot be made: RuntimeError: "],
        ),
        (
            {"state": STATE[1:]},
            [
                "torch.nn.BatchNorm2d takes 1 arguments; the case passes 2 by position",
                "torch.nn.BatchNorm2d has 'weight', for which no tensor of the case stands; add it to state:",
            ],
        ),
        (
            {"state": (*STATE, "x")},
            [
                (
                    "torch.nn.BatchNorm2d has no parameter or buffer 'x'; "
                    "it has weight, bias, running_mean, running_var, num_batches_tracked"
                )
            ],
        ),
        ({"arguments": {"scale": 2}}, ["torch.nn.BatchNorm2d takes no argument 'scale'"]),
    ],
)
def test_what_keeps_a_module_from_being_called_is_said(
    local: Executor, changes: dict[str, Any], expected: list[str]
) -> None:
    """Its class, what makes it, what it is called with, and parameters that would keep their random numbers."""
    options: dict[str, Any] = {"name": "BatchNorm2d", "init": {"num_features": 3}, "state": STATE, **changes}
    problems = local.check(module(options.pop("name"), *BATCH_NORM, **options))
    assert [
        problem.partition(":\n")[0][: len(text)] for problem, text in zip(problems, expected, strict=True)
    ] == expected


ELSEWHERE = ("no_grad", "inference_mode", "out", "vmap", "jvp")
SHUFFLE = stand.case("torch.pixel_shuffle", arguments={"upscale_factor": 1}, paths=ELSEWHERE)
CONV = replace(stand.CONV2D, paths=(*ELSEWHERE, "autocast"))


@pytest.mark.parametrize("path", ["no_grad", "inference_mode", "vmap", "jvp"])
@pytest.mark.parametrize("case", [SHUFFLE, CONV], ids=["shuffle", "conv"])
def test_another_path_gives_what_the_plain_call_gives(run_here: Run, case: Case, path: str) -> None:
    """The outputs of the reference, in every format, and no gradients."""
    example = stand.example(case, sizes={"K": 2}, path=path, layouts={"input": "channels_last"}, seed=5)
    result = run_here(case, example)
    assert (result.reference.status, result.reference.error) == ("ok", "")
    assert not [name for name in result.reference.values if name.startswith("grad")]
    for observation in result.observations:
        assert (observation.status, observation.message, observation.written) == ("ok", "", ())
        assert set(observation.tensors) == set(result.reference.values)
        for name, due in result.reference.values.items():
            np.testing.assert_array_equal(observation.tensors[name].values, due)


@pytest.mark.parametrize("path", ["no_grad", "inference_mode"])
def test_a_view_without_a_graph_asks_for_no_gradient(run_here: Run, path: str) -> None:
    """Though it says that it requires one, as the leaf does that it is a view of."""
    case = stand.case("torch.permute", arguments={"dims": (0, 2, 3, 1)}, paths=(path,))
    result = run_here(case, stand.example(case, path=path, layouts={"input": "channels_last"}))
    assert {observation.status for observation in result.observations} == {"ok"}
    assert {name for observation in result.observations for name in observation.tensors} == {"output[0]"}


@pytest.mark.parametrize("case", [SHUFFLE, CONV], ids=["shuffle", "conv"])
def test_fake_tensor_mode_says_how_each_output_is_laid_out(run_here: Run, case: Case) -> None:
    """Beside what the call itself gives; on the plain path nobody asks it."""
    case = replace(case, paths=("meta",))
    example = stand.example(case, sizes={"K": 2}, path="meta", layouts={"x": "channels_last", "input": "channels_last"})
    for observation in run_here(case, example).observations:
        assert (observation.status, observation.message) == ("ok", "")
        layouts = {name: (fake.dtype, fake.shape, fake.strides) for name, fake in observation.counterparts.items()}
        own = {name: (each.dtype, each.shape, each.strides) for name, each in observation.tensors.items()}
        assert layouts == own
    assert not run_here(case, example.but(path="plain")).observations[0].counterparts


def test_a_compiled_call_gives_what_the_call_gives_and_is_laid_out_as_it_says(run_here: Run) -> None:
    """In both formats, of which each is compiled; the numbers are those of the compiled code."""
    case = stand.case("torch.nn.functional.relu", paths=("compile",))
    result = run_here(case, stand.example(case, path="compile", layouts={"x": "channels_last"}))
    for observation in result.observations:
        assert (observation.status, observation.message) == ("ok", "")
        np.testing.assert_array_equal(observation.tensors["output[0]"].values, result.reference.values["output[0]"])
        assert observation.counterparts["output[0]"].strides == observation.tensors["output[0]"].strides


def test_code_is_left_at_avx512_and_read_at_the_own_level_from_the_same_folder(
    run_here: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once for each way that the tensors lie, beside the level's own cache; the environment is then as it was."""
    seen = []

    def program(x: Any) -> Any:
        """Stands for what is compiled."""
        seen.append((os.environ["ATEN_CPU_CAPABILITY"], os.environ["TORCHINDUCTOR_CACHE_DIR"]))
        return x.relu()

    compiled = stand.module("operators.compiled")
    monkeypatch.setenv("ATEN_CPU_CAPABILITY", "avx2")
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", "/cache")
    monkeypatch.setattr(compiled.torch, "compile", lambda *_, **__: program)
    case = stand.case("torch.nn.functional.relu", paths=("cached",))
    result = run_here(case, stand.example(case, path="cached", layouts={"x": "channels_last"}))
    assert {observation.status for observation in result.observations} == {"ok"}
    own, other = ("avx2", "/cache-shared"), ("avx512", "/cache-shared")
    assert seen[:2] == [other, own]
    assert (seen.count(other), set(seen)) == (2, {own, other})
    assert (os.environ["ATEN_CPU_CAPABILITY"], os.environ["TORCHINDUCTOR_CACHE_DIR"]) == ("avx2", "/cache")


def test_what_fake_tensor_mode_cannot_run_keeps_what_the_call_gave(run_here: Run) -> None:
    """The number of elements that are not zero depends on the numbers, which a fake has not."""
    case = stand.case("torch.nonzero", paths=("meta",))
    for observation in run_here(case, stand.example(case, path="meta")).observations:
        assert (observation.status, observation.phase) == ("raised", "meta")
        assert (observation.error, set(observation.tensors)) == ("DynamicOutputShapeException", {"output[0]"})


def test_a_jvp_that_raises_keeps_the_outputs(run_here: Run) -> None:
    """An operator without a forward-mode derivative still returns: its outputs are there, and the phase says jvp."""
    case = stand.case("misbehaving.refuse_backward", paths=("jvp",))
    for observation in run_here(case, stand.example(case, path="jvp")).observations:
        assert (observation.status, observation.phase) == ("raised", "jvp")
        assert set(observation.tensors) == {"output[0]"}


def test_a_jvp_of_what_raises_by_itself_is_raised_in_the_forward(run_here: Run) -> None:
    """Where the call without dual numbers raises as well, it is not the jvp that does."""
    case = stand.case("misbehaving.refuse", paths=("jvp",))
    drawn, _plain = run_here(case, stand.example(case, path="jvp")).observations
    assert (drawn.phase, drawn.error, dict(drawn.tensors)) == ("forward", "ValueError", {})


def test_a_jvp_is_the_operator_on_tangents(run_here: Run) -> None:
    """For a linear operator; for a product the sum over its factors, of which the bound has both."""
    result = run_here(SHUFFLE, stand.example(SHUFFLE, path="jvp"))
    assert set(result.reference.values) == {"output[0]", "jvp:output[0]"}
    moved = result.reference.values["jvp:output[0]"]
    assert not np.array_equal(moved, result.reference.values["output[0]"])
    product = stand.case("torch.mul", A, B, rules=("multilinear", "multilinear"), paths=("jvp",))
    reference = run_here(product, stand.example(product, path="jvp", fill="reals")).reference
    assert (reference.bound["jvp:output[0]"] >= np.abs(reference.values["jvp:output[0]"])).all()
    assert (reference.terms["jvp:output[0]"] == 2).all()


@pytest.mark.parametrize("layout", ["channels_last", "contiguous:slice_c"])
def test_what_is_given_to_out_is_written_where_it_is(run_here: Run, layout: str) -> None:
    """Its strides stay, and nothing beside its elements changes."""
    case = stand.case("torch.exp", A, paths=("out",))
    result = run_here(case, stand.example(case, path="out", layouts={"grad_output": layout}))
    drawn, plain = result.observations
    assert drawn.inputs["out[0]"] == drawn.tensors["output[0]"].strides != plain.inputs["out[0]"]
    np.testing.assert_allclose(drawn.tensors["output[0]"].values, result.reference.values["output[0]"], rtol=1e-6)
    assert not drawn.written


def test_autocast_gives_bfloat16_of_what_bfloat16_has(run_here: Run) -> None:
    """Inputs are float32 and lose nothing; the output is due in the dtype that autocast gives it."""
    result = run_here(CONV, stand.example(CONV, sizes={"K": 2}, path="autocast", fill="reals"))
    assert result.reference.dtypes["output[0]"] == "bfloat16"
    inputs = result.reference.inputs["input"].astype(np.float32)
    assert not (inputs.view(np.uint32) & 0xFFFF).any()
    assert {observation.tensors["output[0]"].dtype for observation in result.observations} == {"bfloat16"}


def test_a_callable_without_out_is_said_to_have_none(local: Executor) -> None:
    """Before anything runs. An in-place form need not have it: it is not what is called."""
    case = stand.case("torch.nn.functional.relu6", paths=("out",))
    assert local.check(case) == ["torch.nn.functional.relu6 takes no argument 'out'; it takes inplace"]
    assert local.check(stand.case("torch.add", A, B, inplace="torch.Tensor.add_", paths=("out",))) == []


def test_what_a_compiled_path_needs_is_said_where_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A compiler for both, and AVX-512 for the one that reads what is compiled at it; other paths need nothing."""
    compiled = stand.module("operators.compiled")
    monkeypatch.setattr(compiled.torch.cpu, "_is_avx512_supported", lambda: False)
    assert compiled.path_problem("cached") == "this CPU has no AVX-512, with which the code in the cache is made"
    monkeypatch.setattr(compiled.shutil, "which", lambda _name: None)
    problems = [compiled.path_problem(path).partition(",")[0] for path in ("compile", "cached", "vmap")]
    assert problems == ["inductor needs a C++ compiler"] * 2 + [""]
