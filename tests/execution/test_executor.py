"""The executor with real workers: proof, poison, traces, order, incidents, isolation."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest

from harness.errors import UserError
from harness.execution import Executor, Result
from tests.execution import stand

Run = Callable[..., Result]
PID = stand.case("misbehaving.pid")


def numbers(result: Result) -> list[float]:
    """The elements of the first output of the first observation."""
    return list(result.observations[0].tensors["output[0]"].values.ravel())


def test_the_harness_never_imports_torch() -> None:
    """The surface of the room comes without the library under test."""
    code = "import sys, harness.execution; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_cells_are_proven(executor: Executor) -> None:
    """Each cell has read back what oneDNN and ATen really run."""
    assert [cell.name for cell in executor.cells] == ["sse41", "avx2"]
    assert [cell.proof["aten"] for cell in executor.cells] == ["DEFAULT", "AVX2"]
    assert "SSE4.1" in executor.cells[0].proof["onednn"]
    assert executor.cells[1].proof["onednn"].endswith("AVX2")
    assert (executor.unavailable, executor.aliases, executor.ineffective) == ({}, {}, {})


def test_the_build_describes_itself(executor: Executor) -> None:
    """Versions, CPU and flags come from the interpreter under test."""
    build = executor.build
    assert build.python == ".".join(map(str, sys.version_info[:3]))
    assert build.torch
    assert build.onednn
    assert build.numpy
    assert build.platform
    assert build.cpu
    assert "avx2" in build.flags


def test_the_environment_is_scrubbed(run: Run) -> None:
    """A worker inherits no cap and no tuning, and has its own memory poison and thread count."""
    assert numbers(run(stand.case("misbehaving.surroundings"))) == [0, 64, 2]


@pytest.mark.parametrize("sizes", [{"N": 1, "C": 1, "H": 2, "W": 5}, {"N": 4, "C": 64, "H": 16, "W": 32}])
def test_unwritten_memory_is_poisoned(run: Run, sizes: dict[str, int]) -> None:
    """What nobody wrote is neither zero nor yesterday's right answer, in small blocks and in large ones."""
    unwritten = stand.case("misbehaving.unwritten")
    drawn = run(unwritten, stand.example(unwritten, sizes=sizes)).observations[0]
    poison = np.frombuffer(b"\xbf" * 4 + b"\x40" * 4, np.float32)
    values = drawn.tensors["output[0]"].values.ravel()
    assert np.isin(values[4:], poison).all()  # malloc keeps its own notes in the first 16 bytes of a freed block


def test_kernels_name_the_implementations(executor: Executor, run: Run) -> None:
    """A convolution shows which implementation ran."""
    example = stand.example(stand.CONV2D, sizes={"K": 8, "C": 8}, layouts={"input": "channels_last"})
    result = run(stand.CONV2D, example, cells=None)
    for observation in result.observations:
        convolutions = [kernel for kernel in observation.kernels if kernel.startswith("convolution:")]
        assert any(observation.cell in kernel for kernel in convolutions) or observation.cell == "sse41"
    assert executor.ineffective == {}


def test_threads_are_the_example_s(run: Run) -> None:
    """The number of intra-op threads is set for each example."""
    assert [numbers(run(PID, stand.example(PID, threads=count)))[1] for count in (1, 2)] == [1, 2]


def test_results_come_in_order(executor: Executor) -> None:
    """More examples than are under way at once come back one by one, in the order in which they were passed."""
    clone = stand.case("torch.clone")
    examples = [stand.example(clone, seed=seed, sizes={"W": seed % 5}) for seed in range(30)]
    results = list(executor.run(clone, examples))
    assert [result.example for result in results] == examples
    for result in results:
        assert {each.cell for each in result.observations} == {"sse41", "avx2"}
        np.testing.assert_array_equal(
            result.observations[0].tensors["output[0]"].values, result.reference.values["output[0]"]
        )


def test_an_abandoned_run_spoils_nothing(executor: Executor) -> None:
    """Whoever stops listening leaves replies behind; the next run gets its own."""
    slow = stand.case("misbehaving.slow")
    stream = executor.run(slow, [stand.example(slow, seed=seed) for seed in range(8)])
    next(stream)
    stream.close()
    clone = stand.case("torch.clone")
    (result,) = executor.run(clone, [stand.example(clone, seed=77)])
    np.testing.assert_array_equal(
        result.observations[0].tensors["output[0]"].values, result.reference.values["output[0]"]
    )


def test_a_crash_is_an_observation_and_loses_nothing(executor: Executor) -> None:
    """The culprit died of its signal in both layouts; those under way behind it still run, in a new process."""
    crash = stand.case("misbehaving.crash", arguments={"only": 7})
    widths = [5, 5, 7, 5, 5]
    examples = [stand.example(crash, sizes={"N": 1, "C": 1, "H": 1, "W": width}) for width in widths]
    results = list(executor.run(crash, examples, cells=["avx2"]))
    assert [result.observations[0].status for result in results] == ["ok", "ok", "died", "ok", "ok"]
    died = results[2].observations
    assert [(each.layout, each.status, each.signal) for each in died] == [
        ("drawn", "died", 11),
        ("contiguous", "died", 11),
    ]
    assert "SIGSEGV" in died[0].message
    assert "misbehaving.py" in died[0].message
    assert "cell-avx2 died (killed by SIGSEGV" in executor.incidents[-1]
    assert '"W": 7' in executor.incidents[-1]
    assert results[2].reference.status == "ok"


def test_an_exit_is_a_death_without_a_signal(run: Run) -> None:
    """The message has the exit status and the last words on stderr."""
    drawn = run(stand.case("misbehaving.leave")).observations[0]
    assert (drawn.status, drawn.signal) == ("died", 0)
    assert drawn.message == "exited with status 7; no way to go on"


@pytest.fixture
def hasty(executor: Executor) -> object:
    """The executor with a short limit."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(executor, "limit", 0.5)
        yield executor


@pytest.mark.parametrize("call", ["misbehaving.hang", "misbehaving.stop"])
def test_what_does_not_answer_has_hung(hasty: Executor, call: str) -> None:
    """A call that outlasts the limit, or a stopped process, is killed and replaced."""
    case = stand.case(call)
    (result,) = hasty.run(case, [stand.example(case)], cells=["avx2"])
    assert [each.status for each in result.observations] == ["hung", "hung"]
    assert result.observations[0].message == "no answer within 0.5 s"
    assert "hung" in hasty.incidents[-1]


def test_isolated_runs_in_a_process_of_its_own(executor: Executor) -> None:
    """Each request is forked afresh, with two threads as well."""
    first, second = (executor.run_isolated(PID, stand.example(PID), cells=["avx2"]) for _ in range(2))
    assert numbers(first)[0] != numbers(second)[0]
    example = stand.example(stand.CONV2D, sizes={"N": 4, "C": 16, "H": 32, "W": 32, "K": 16}, threads=2)
    result = executor.run_isolated(stand.CONV2D, example, cells=["avx2"], repeats=2)
    drawn = result.observations[0]
    assert (drawn.status, drawn.unrepeated, result.reference.status) == ("ok", (), "ok")
    assert any(kernel.startswith("convolution:") for kernel in drawn.kernels)
    np.testing.assert_array_equal(drawn.tensors["output[0]"].values, result.reference.values["output[0]"])


def test_isolated_crash_and_hang_cost_no_worker(hasty: Executor) -> None:
    """The forked child dies alone: its observation says how, and no incident is noted."""
    before = list(hasty.incidents)
    crash, hang, leave = (stand.case(f"misbehaving.{name}") for name in ("crash", "hang", "leave"))
    died = hasty.run_isolated(crash, stand.example(crash), cells=["avx2"]).observations[0]
    assert (died.status, died.signal) == ("died", 11)
    hung = hasty.run_isolated(hang, stand.example(hang), cells=["avx2"]).observations[0]
    assert (hung.status, hung.message) == ("hung", "no answer within 0.5 s")
    left = hasty.run_isolated(leave, stand.example(leave), cells=["avx2"]).observations[0]
    assert (left.status, left.message) == ("died", "exited with status 7")
    assert hasty.incidents == before


def test_what_runs_in_isolation_is_waited_for_when_it_is_asked_for(hasty: Executor) -> None:
    """Examples of the workers are run meanwhile; a crash and another call that came before it keep their answers."""
    crash, relu = stand.case("misbehaving.crash"), stand.case("torch.nn.functional.relu")
    before = list(hasty.incidents)
    crashing = hasty.send_isolated(crash, stand.example(crash), cells=["avx2"])
    sound = hasty.send_isolated(relu, stand.example(relu), cells=["avx2"])
    (among,) = hasty.run(relu, [stand.example(relu)], cells=["avx2"])
    alone = hasty.run_isolated(relu, stand.example(relu), cells=["avx2"])
    np.testing.assert_array_equal(numbers(sound()), numbers(among))
    np.testing.assert_array_equal(numbers(alone), numbers(among))
    assert [each.status for each in crashing().observations] == ["died", "died"]
    assert hasty.incidents == before


def test_isolated_repeats_are_compared(executor: Executor) -> None:
    """What differs between repeats is unrepeated in both layouts."""
    unsteady = stand.case("misbehaving.unsteady")
    result = executor.run_isolated(unsteady, stand.example(unsteady), cells=["avx2"], repeats=2)
    assert [each.unrepeated for each in result.observations] == [("output[0]",), ("output[0]",)]


def test_isolated_can_run_earlier_examples_first(executor: Executor) -> None:
    """What an earlier example left behind in the process is there when the example runs."""
    unsteady = stand.case("misbehaving.unsteady")
    example = stand.example(unsteady, sizes={"N": 1, "C": 1, "H": 1, "W": 1})
    alone = executor.run_isolated(unsteady, example, cells=["avx2"])
    later = executor.run_isolated(unsteady, example, cells=["avx2"], after=[example])
    calls = 3  # one of each layout, and the repetition
    assert numbers(later)[0] == numbers(alone)[0] + calls


def test_a_part_runs_without_the_gradients_that_are_left_out(executor: Executor) -> None:
    """The gradient that dies is not asked for: the output and the other gradient come back, in both layouts."""
    crash = stand.case(
        "misbehaving.crash_in_one_gradient",
        stand.tensor("x", "N", "C", "H", "W"),
        stand.tensor("y", "N", "C", "H", "W"),
    )
    example, incidents = stand.example(crash, fill="reals"), list(executor.incidents)
    whole = executor.observe_isolated(crash, example, cells=["avx2"])
    assert [(each.status, each.signal) for each in whole] == [("died", 11), ("died", 11)]
    parts = executor.observe_isolated(crash, example, cells=["sse41", "avx2"], without=["y"])
    assert [(each.cell, each.layout) for each in parts] == [
        (cell, layout) for cell in ("sse41", "avx2") for layout in ("drawn", "contiguous")
    ]
    for observation in parts:
        assert (observation.status, observation.omitted) == ("ok", ("grad:y",))
        assert set(observation.tensors) == {"output[0]", "grad:x"}
        assert observation.tensors["grad:x"].values.any()
    forward = executor.observe_isolated(crash, example, cells=["avx2"], without=["x", "y"])
    assert [set(each.tensors) for each in forward] == [{"output[0]"}] * 2
    assert executor.incidents == incidents


def test_cells_are_chosen_by_name(run: Run) -> None:
    """An unknown cell is a mistake with a suggestion."""
    clone = stand.case("torch.clone")
    assert {each.cell for each in run(clone, cells=["sse41"]).observations} == {"sse41"}
    with pytest.raises(UserError, match="did you mean avx2"):
        run(clone, cells=["avx"])


def test_a_fault_of_the_worker_is_not_an_observation(run: Run) -> None:
    """A request that cannot be carried out at all is the harness's own mistake."""
    clone = stand.case("torch.clone")
    with pytest.raises(RuntimeError, match="there is no fill 'nonsense'"):
        run(clone, stand.example(clone, fill="nonsense"))


def test_nothing_runs_outside_the_context() -> None:
    """An executor that was not entered says so."""
    closed = Executor([stand.SSE41])
    with pytest.raises(RuntimeError, match="inside its with block"):
        closed.check(PID)


def test_operators_are_traced_in_the_first_and_the_last_cell(executor: Executor) -> None:
    """That is done for the examples named, and for no other."""
    case = stand.case("torch.relu")
    first, second = stand.example(case), stand.example(case, seed=1)
    results = list(executor.run(case, [first, second], traced=[second]))
    traced = [[bool(each.operators) for each in result.observations if each.layout == "drawn"] for result in results]
    assert traced == [[False, False], [True, True]]


def test_the_catalogue_lists_functions_of_the_build(executor: Executor) -> None:
    """What torch.nn.functional offers and nothing it imports; the same object under another name is known."""
    calls = [
        "torch.pixel_shuffle",
        "torch.nn.functional.relu",
        "torch.relu",
        "torch.nn.functional.rely",
        "nothing.here",
    ]
    catalogue = executor.lookup.catalogue(calls, ["torch.nn.functional", "torch", "torch.Tensor", "nothing.here"])
    offered = catalogue["functions"]
    functional = offered["torch.nn.functional"]
    assert {"conv2d", "max_pool2d", "relu", "relu_", "scaled_dot_product_attention"} <= set(functional)
    assert not {"Tensor", "Optional", "math", "has_torch_function", "handle_torch_function"} & set(functional)
    assert offered["nothing.here"] == {}
    assert catalogue["called"] == {
        "torch.pixel_shuffle": ["torch.pixel_shuffle", "torch.nn.functional.pixel_shuffle"],
        "torch.nn.functional.relu": ["torch.nn.functional.relu"],
        "torch.relu": ["torch.relu"],
    }


def test_a_binding_is_known_by_its_operator(executor: Executor) -> None:
    """torch.add and Tensor.add are aten::add; what is written in Python calls what it likes."""
    offered = executor.lookup.catalogue([], ["torch", "torch.Tensor", "torch.linalg", "torch.nn.functional"])[
        "functions"
    ]
    assert (offered["torch"]["add"], offered["torch.Tensor"]["add"]) == ("aten::add", "aten::add")
    assert offered["torch.linalg"]["inv"] == "aten::linalg_inv"
    assert (offered["torch.nn.functional"]["relu"], offered["torch"]["einsum"]) == ("", "")


def test_metadata_are_shapes_and_strides_without_values(executor: Executor) -> None:
    """Outputs and gradients have them as the example's own layouts make them, in every cell named."""
    last = stand.example(stand.CONV2D, sizes={"K": 2}, layouts={"input": "channels_last", "grad_output": "contiguous"})
    plain = stand.example(stand.CONV2D, sizes={"K": 2})
    metadata = executor.metadata(stand.CONV2D, [last, plain], cells=["sse41", "avx2"])
    assert list(metadata) == ["sse41", "avx2"]
    for channels_last, contiguous in metadata.values():
        assert [channels_last.status, contiguous.status] == ["ok", "ok"]
        assert list(channels_last.tensors) == ["output[0]", "grad:input", "grad:weight", "grad:bias"]
        output = channels_last.tensors["output[0]"]
        assert (output.shape, output.dtype, output.strides) == ((2, 2, 4, 5), "float32", (40, 1, 10, 2))
        assert contiguous.tensors["output[0]"].strides == (40, 20, 5, 1)
        assert channels_last.inputs["input"] == (60, 1, 15, 3)


def test_metadata_that_end_a_worker_are_told_from_the_others(executor: Executor) -> None:
    """Examples go together, and one by one where that fails: only the culprit has died."""
    crash = stand.case("misbehaving.crash", arguments={"only": 3})
    examples = [stand.example(crash, sizes={"N": 1, "C": 1, "H": 1, "W": width}) for width in (1, 2, 3, 4)]
    (metadata,) = executor.metadata(crash, examples, cells=["avx2"]).values()
    assert [each.status for each in metadata] == ["ok", "ok", "died", "ok"]
    assert "SIGSEGV" in metadata[2].message
