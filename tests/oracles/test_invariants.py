"""Errors, lost workers, shapes, dtypes, written inputs and repetition."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from harness.core import Expression, Numerics, Reference

RAMP = np.arange(24.0).reshape(2, 3, 2, 2)
BOTH = ("drawn", "contiguous")
RAISED = {"status": "raised", "tensors": {}, "error": "RuntimeError", "message": "no kernel\nfor this"}
BACKWARD = {"status": "raised", "phase": "backward", "error": "RuntimeError", "message": "no backward"}
PAIR = {"output[0]": RAMP, "grad:input": RAMP, "grad:weight": RAMP}


def test_a_worker_that_died_is_a_crash(stage: Any) -> None:
    """The signal's name is error, and the cells and layouts in which it happened; the rest is still judged."""
    scene = stage(RAMP)
    scene.change(("avx2",), status="died", signal=11, tensors={})
    scene.poke("output[0]", 0, 99.0, cells=("avx512_core",))
    crash, values = scene.judge().findings
    assert (crash.oracle, crash.kind, crash.tensor, crash.cells) == ("crash", "crash", "", {"avx2": 1.0})
    assert crash.message == "the worker died of SIGSEGV"
    assert crash.layouts == ("drawn",)
    assert values.oracle == "values"


@pytest.mark.parametrize(("number", "text"), [(0, "the worker died"), (999, "the worker died of signal 999")])
def test_a_death_without_a_known_signal_is_told_as_far_as_known(stage: Any, number: int, text: str) -> None:
    """No signal, or one without a name here."""
    scene = stage(RAMP)
    scene.change(status="died", signal=number, tensors={})
    assert scene.judge().findings[0].message == text


def test_a_place_that_did_not_return_says_nothing_about_the_rest(stage: Any) -> None:
    """Wrong in every place that returned is universal, though one layout of one cell died or raised."""
    for lost in ({"status": "died", "signal": 11, "tensors": {}}, RAISED):
        scene = stage(RAMP)
        scene.poke("output[0]", 0, 99.0, layouts=BOTH)
        scene.change(("avx2",), **lost)
        kinds = {finding.oracle: finding.kind for finding in scene.judge().findings}
        assert kinds.pop("values") == "universal"
        assert kinds in ({"crash": "crash"}, {"error": "layout"})


def test_a_worker_past_its_time_is_a_hang(stage: Any) -> None:
    """A hang is a finding of its own kind."""
    scene = stage(RAMP)
    scene.change(layouts=BOTH, status="hung", tensors={})
    (finding,) = scene.judge().findings
    assert (finding.oracle, finding.kind, finding.layouts) == ("hang", "hang", BOTH)
    assert finding.message == "the call outlasted the time limit"


def test_raising_in_one_layout_only_is_a_layout_finding(stage: Any) -> None:
    """Class and first line of the message are error."""
    scene = stage(RAMP)
    scene.change(**RAISED)
    (finding,) = scene.judge().findings
    assert (finding.oracle, finding.kind, finding.tensor) == ("error", "layout", "")
    assert finding.message == "the call raises RuntimeError where others do not: no kernel"


def test_raising_in_one_cell_only_is_an_isa_finding(stage: Any) -> None:
    """Both layouts of one level raise and the other level does not."""
    scene = stage(RAMP)
    scene.change(("avx2",), BOTH, **RAISED)
    (finding,) = scene.judge().findings
    assert (finding.oracle, finding.kind, set(finding.cells)) == ("error", "isa", {"avx2"})


def test_raising_another_class_is_a_finding(stage: Any) -> None:
    """All raise, but not the same: the contiguous runs say what is usual where the reference does not raise."""
    scene = stage(RAMP)
    scene.change(layouts=BOTH, **RAISED)
    scene.change(error="ValueError", message="")
    (finding,) = scene.judge().findings
    assert finding.message == "the call raises ValueError where others raise RuntimeError: "
    assert (finding.kind, finding.layouts) == ("layout", ("drawn",))


def test_returning_where_the_reference_raises_is_a_finding_if_others_raise_too(stage: Any) -> None:
    """The reference decides what is usual."""
    scene = stage(RAMP)
    scene.reference = replace(scene.reference, status="raised", error="RuntimeError", values={})
    scene.change(layouts=("contiguous",), **RAISED)
    judgement = scene.judge()
    (finding,) = judgement.findings
    assert finding.message == "the call returns where others raise RuntimeError"
    assert judgement.untrusted == {}


def test_all_raising_alike_is_untrusted(stage: Any) -> None:
    """An invalid example is no finding and no pass."""
    scene = stage(RAMP)
    scene.reference = replace(scene.reference, status="raised", error="RuntimeError", values={})
    scene.change(layouts=BOTH, **RAISED)
    judgement = scene.judge()
    assert judgement.findings == ()
    assert judgement.untrusted == {"raised RuntimeError": ()}


def test_all_refusing_what_the_reference_computes_is_a_finding(stage: Any) -> None:
    """A kernel that refuses everywhere what the reference computes is a fault, in both formats alike."""
    scene = stage(RAMP)
    scene.change(layouts=BOTH, **RAISED)
    (finding,) = scene.judge().findings
    assert (finding.oracle, finding.kind) == ("error", "universal")
    assert finding.message == ("the call raises RuntimeError where the float64 reference computes an answer: no kernel")


def test_what_a_call_computed_before_its_backward_raised_is_judged(stage: Any) -> None:
    """The outputs are compared as always; a gradient that never came is no missing tensor."""
    scene = stage({"output[0]": RAMP, "grad:input": RAMP})
    scene.poke("output[0]", 0, 99.0, cells=("avx2",))
    for observation in list(scene.observations):
        returned = {"output[0]": observation.tensors["output[0]"]}
        scene.change((observation.cell,), (observation.layout,), tensors=returned, **BACKWARD)
    findings = {(finding.oracle, finding.tensor): finding for finding in scene.judge().findings}
    assert {*findings} == {("error", ""), ("values", "output[0]")}
    assert findings["error", ""].message.startswith("its backward raises RuntimeError where the float64 reference")
    assert (findings["values", "output[0]"].kind, set(findings["values", "output[0]"].cells)) == ("layout", {"avx2"})


def test_outputs_are_judged_though_the_backward_of_the_reference_raises_too(stage: Any) -> None:
    """Nobody has a gradient, which cannot be trusted; a wrong output is a finding all the same, a right one none."""
    scene = stage(RAMP)
    scene.reference = replace(scene.reference, status="raised", error="RuntimeError")
    scene.change(layouts=BOTH, **BACKWARD)
    judgement = scene.judge()
    assert judgement.findings == ()
    assert "raised RuntimeError" in judgement.untrusted
    scene.poke("output[0]", 0, 99.0)
    (finding,) = scene.judge().findings
    assert (finding.key, finding.kind) == (("values", "output[0]"), "layout")
    assert "raised RuntimeError" in scene.judge().untrusted


@pytest.mark.parametrize("tensor", ["grad:input", "grad:weight"])
def test_a_gradient_that_came_by_itself_is_judged(stage: Any, tensor: str) -> None:
    """Backward raises for one gradient; the one that came is compared, and only that."""
    scene = stage(PAIR)
    scene.poke(tensor, 0, 99.0)
    for observation in list(scene.observations):
        returned = {name: record for name, record in observation.tensors.items() if name in ("output[0]", tensor)}
        scene.change((observation.cell,), (observation.layout,), tensors=returned, **BACKWARD)
    assert {finding.key for finding in scene.judge().findings} == {("error", ""), ("values", tensor)}


def test_an_output_that_is_missing_where_only_the_backward_raised_is_a_finding(stage: Any) -> None:
    """A call that got to its backward has returned outputs."""
    scene = stage(PAIR)
    first = scene.observations[0].tensors
    scene.change(("avx2",), BOTH, tensors={"grad:input": first["grad:input"]}, **BACKWARD)
    findings = {finding.key: finding for finding in scene.judge().findings}
    assert {*findings} == {("error", ""), ("shape", "output[0]")}
    assert findings["shape", "output[0]"].message == "output[0] is missing"


def test_what_a_call_wrote_before_it_raised_is_judged(stage: Any) -> None:
    """Memory that the call may not write, and bits that do not repeat, are findings though its backward raises."""
    scene = stage(PAIR)
    returned = {"output[0]": scene.observations[0].tensors["output[0]"]}
    scene.change(layouts=BOTH, tensors=returned, written=("grad_output[0]",), unrepeated=("output[0]",), **BACKWARD)
    assert {finding.key for finding in scene.judge().findings} == {
        *(("error", ""), ("written", "grad_output[0]")),
        ("repeat", "output[0]"),
    }


def test_raising_in_the_backward_is_not_raising_in_the_forward(stage: Any) -> None:
    """The same class of error in another phase is a difference, and the message names both phases."""
    scene = stage(RAMP)
    scene.change(layouts=("contiguous",), **BACKWARD)
    scene.change(**RAISED)
    (finding,) = scene.judge().findings
    assert (finding.oracle, finding.kind, finding.layouts) == ("error", "layout", ("drawn",))
    assert finding.message == "the call raises RuntimeError where others raise RuntimeError in its backward: no kernel"


def test_what_a_jvp_that_raises_leaves_is_judged(stage: Any) -> None:
    """The outputs without dual numbers are compared; the tangents are not due."""
    scene = stage({"output[0]": RAMP, "jvp:output[0]": RAMP})
    scene.poke("output[0]", 0, 99.0)
    for observation in list(scene.observations):
        returned = {"output[0]": observation.tensors["output[0]"]}
        jvp = {**BACKWARD, "phase": "jvp"}
        scene.change((observation.cell,), (observation.layout,), tensors=returned, **jvp)
    findings = {finding.key: finding for finding in scene.judge().findings}
    assert {*findings} == {("error", ""), ("values", "output[0]")}
    assert findings["error", ""].message.startswith("its jvp raises RuntimeError")


@pytest.mark.parametrize(
    ("status", "reason"),
    [("raised", "the reference raised TypeError: why"), ("died", "the reference died"), ("hung", "the reference hung")],
)
def test_without_a_reference_nothing_is_trusted(stage: Any, status: str, reason: str) -> None:
    """Cells that return without a reference are not judged by their values, but a crash among them still counts."""
    scene = stage(RAMP)
    error = {"error": "TypeError", "message": "why\nmore"} if status == "raised" else {}
    scene.reference = replace(scene.reference, status=status, values={}, **error)
    assert scene.judge().untrusted == {reason: ()}
    scene.change(layouts=BOTH, status="died", tensors={})
    judgement = scene.judge()
    assert judgement.untrusted == {reason: ()}
    assert [finding.oracle for finding in judgement.findings] == ["crash"]


def test_a_shape_that_differs_is_told_and_its_values_are_not_compared(stage: Any) -> None:
    """Shape before values."""
    scene = stage(RAMP)
    scene.alter("output[0]", lambda record: replace(record, shape=(24,), values=record.values.ravel()))
    (finding,) = scene.judge().findings
    assert finding.oracle == "shape"
    assert finding.message == "output[0] has shape (24,) where (2, 3, 2, 2) is due"


def test_the_shape_that_the_case_gives_is_due_whatever_the_reference_has(stage: Any) -> None:
    """A stock kernel that is wrong about a shape is so in float64, and everywhere else."""
    scene = stage(RAMP)
    scene.case = replace(scene.case, result=tuple(map(Expression.parse, (2, 4, 2, 2))))
    (finding,) = scene.judge().findings
    assert (finding.oracle, finding.kind, finding.tensor) == ("shape", "universal", "output[0]")
    assert finding.message == "output[0] has shape (2, 3, 2, 2) where (2, 4, 2, 2) is due"


def test_a_gradient_is_not_compared_where_backward_was_given_another_shape(stage: Any) -> None:
    """The output is the finding: its grad_output has its shape, and all that follows from it is something else."""
    scene = stage({"output[0]": RAMP, "grad:input": RAMP})
    scene.poke("grad:input", 0, 99.0, layouts=BOTH)
    assert [finding.tensor for finding in scene.judge().findings] == ["grad:input"]
    scene.alter("output[0]", lambda record: replace(record, shape=(2, 0, 2, 2), values=RAMP[:, :0]), layouts=BOTH)
    assert [(finding.oracle, finding.tensor) for finding in scene.judge().findings] == [("shape", "output[0]")]


def test_a_tensor_that_is_missing_is_a_shape_finding(stage: Any) -> None:
    """A gradient that the reference has and a cell has not."""
    scene = stage({"output[0]": RAMP, "grad:input": RAMP})
    returned = {"output[0]": scene.observations[0].tensors["output[0]"]}
    scene.change(("avx2",), BOTH, tensors=returned)
    (finding,) = scene.judge().findings
    assert (finding.oracle, finding.tensor, finding.kind) == ("shape", "grad:input", "isa")
    assert finding.message == "grad:input is missing"


def test_a_dtype_that_differs_is_told(stage: Any) -> None:
    """Outputs have the example's dtype, gradients their input's, indices the reference's."""
    scene = stage({"output[0]": RAMP, "grad:input": RAMP, "output[1]": np.array([1, 2])})
    for tensor in scene.reference.values:
        scene.alter(tensor, lambda record: replace(record, dtype="float16"), layouts=BOTH)
    assert [finding.message for finding in scene.judge().findings] == [
        "output[0] is float16 where float32 is due",
        "grad:input is float16 where float32 like its input is due",
        "output[1] is float16 where int64 is due",
    ]
    assert {(finding.oracle, finding.kind) for finding in scene.judge().findings} == {("dtype", "universal")}


def test_an_input_written_to_is_a_finding(stage: Any) -> None:
    """Except the one that an in-place call works on."""
    scene = stage(RAMP)
    scene.change(("avx2",), written=("input", "grad_output[0]"))
    first, second = scene.judge().findings
    assert (first.oracle, first.tensor, first.kind) == ("written", "input", "layout")
    assert first.message == "the call changed its input input"
    assert second.tensor == "grad_output[0]"
    scene.example = scene.example.but(inplace=True)
    assert [finding.tensor for finding in scene.judge().findings] == ["grad_output[0]"]


def test_bits_that_differ_from_run_to_run_are_unstable(stage: Any) -> None:
    """Whatever the pattern over cells."""
    scene = stage(RAMP)
    scene.change(layouts=BOTH, unrepeated=("output[0]",))
    (finding,) = scene.judge().findings
    assert (finding.oracle, finding.kind, finding.tensor) == ("repeat", "unstable", "output[0]")
    assert finding.message == "output[0] differs in its bits when the same call runs again"


def refusing_scene(stage: Any) -> Any:
    """A scene in a dtype that its case does not support, in which every call raises."""
    scene = stage(RAMP)
    scene.case = replace(scene.case, dtypes=("float64",), unsupported=("float32",))
    scene.change(layouts=BOTH, **RAISED)
    return scene


def test_a_declared_refusal_that_is_the_same_everywhere_passes(stage: Any) -> None:
    """It is a check like any other, and trusted."""
    judgement = refusing_scene(stage).judge()
    assert (judgement.findings, judgement.untrusted) == ((), {})


def test_an_answer_in_an_unsupported_dtype_is_a_finding(stage: Any) -> None:
    """In one place, or in all of them; values are not looked at."""
    scene = refusing_scene(stage)
    scene.change(("avx2",), status="ok", error="", message="")
    (finding,) = scene.judge().findings
    assert (finding.oracle, finding.kind, set(finding.cells)) == ("error", "layout", {"avx2"})
    assert (
        finding.message == "the call returns in a dtype that is declared unsupported, where others raise RuntimeError"
    )
    scene = stage(RAMP)
    scene.case = refusing_scene(stage).case
    scene.poke("output[0]", 0, 99.0)
    (finding,) = scene.judge().findings
    assert (finding.oracle, finding.kind) == ("error", "universal")
    assert finding.message == "the call returns in a dtype that is declared unsupported"


def test_a_refusal_of_another_class_is_a_finding(stage: Any) -> None:
    """The class that most contiguous runs raise is the usual one."""
    scene = refusing_scene(stage)
    scene.change(("avx2",), error="ValueError", message="no")
    (finding,) = scene.judge().findings
    assert finding.message == "the call raises ValueError where others raise RuntimeError: no"


def test_nothing_is_said_of_a_refusal_where_the_call_itself_is_wrong(stage: Any) -> None:
    """The reference runs in a dtype that is supported, and must have an answer."""
    scene = refusing_scene(stage)
    scene.reference = Reference("raised", error="TypeError", message="no such argument")
    judgement = scene.judge()
    assert judgement.findings == ()
    assert judgement.untrusted == {"the reference raised TypeError: no such argument": ()}


def test_an_empty_answer_is_neither_a_refusal_nor_an_answer(stage: Any) -> None:
    """Unless others refuse: operators may return before they look at the dtype, but then in both formats."""
    scene = stage(np.zeros((2, 0, 3, 3)))
    scene.case = refusing_scene(stage).case
    judgement = scene.judge()
    assert (judgement.findings, judgement.untrusted) == ((), {"empty": ()})
    scene.change(layouts=("contiguous",), **RAISED)
    (finding,) = scene.judge().findings
    assert finding.layouts == ("drawn",)


def test_an_index_outside_its_range_is_found_though_the_reference_holds_it(stage: Any) -> None:
    """Negative or too large, by the sizes of the example; what is inside is left to the values."""
    numerics = Numerics("exact", "exact", each={"output[0]": Numerics("exact", "exact", below=Expression.parse("C*2"))})
    sound = stage(np.arange(6), numerics)
    sound.example = replace(sound.example, sizes={"C": 3})
    assert not sound.judge().findings
    for wrong in (-1, 6):
        scene = stage(np.array([0, wrong, 5, wrong]), numerics)
        scene.example = replace(scene.example, sizes={"C": 3})
        (finding,) = scene.judge().findings
        assert (finding.oracle, finding.tensor, finding.kind) == ("range", "output[0]", "universal")
        assert finding.message == (f"output[0] holds the index {wrong}, outside 0..5; 2 of 4 indices are outside")


def test_memory_beside_what_was_given_to_out_is_not_the_call_s(stage: Any) -> None:
    """The tensor itself is."""
    scene = stage(RAMP)
    scene.change(written=("out[0]",))
    (finding,) = scene.judge().findings
    assert (finding.oracle, finding.message) == ("written", "the call changed memory beside the elements of out[0]")
