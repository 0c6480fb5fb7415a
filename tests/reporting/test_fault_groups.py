"""The failures of a run as faults: what belongs together is one of them, the most serious comes first."""

from __future__ import annotations

from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from harness.core import CellState, Example, Finding, Pattern, PatternKind, Severity
from harness.core.finding import Oracle
from harness.reporting import OperatorItemRecord, fault_groups, fault_summary, operator_item_record
from harness.trial import CellRow, Diagnosis, Failure, Outcome, Variation, VariedAspect, failure_severity
from tests.reporting.records import model_item, record

SUITE = "suites/operators/activation.yaml"
LAST_COLUMN = Pattern("all in the last column (W = 13)", (PatternKind.BORDER,))
EVERYWHERE = Pattern("everywhere: each too large by 1", (PatternKind.EVERYWHERE, PatternKind.OFFSET))
RELU = ("aten::relu", "aten::clamp_min", "aten::empty_like", "aten::threshold_backward", "aten::empty_like")


def failure(
    tensor: str = "output[0]",
    oracle: Oracle = "values",
    pattern: Pattern = LAST_COLUMN,
    operators: tuple[str, ...] = RELU,
    kernels: tuple[str, ...] = (),
    **changes: Any,
) -> Failure:
    """A failure at one of two levels, where these kernels ran."""
    finding = Finding(oracle, tensor, "layout", {"avx2": 3.0}, ("drawn",), f"{tensor or 'the call'} is wrong")
    example = Example(f"{SUITE}::relu", "float32", {"W": 13}, {"input": "channels_last"})
    own = changes.pop("own", ())
    rows = (
        CellRow("sse41", CellState.PASSED, 0.0, ("pooling:jit:sse41",)),
        CellRow("avx2", CellState.FAILED, 3.0, kernels, own),
    )
    fields = {"pattern": pattern, "operators": operators, **changes}
    return Failure(finding, example, example, rows, "again in a fresh worker", **fields)


def item(name: str, *failures: Failure, dtype: str = "float32") -> OperatorItemRecord:
    """An item of that case with these failures."""
    return operator_item_record(Outcome(f"{SUITE}::{name}", dtype, failures=[*failures]))


def places(*items: OperatorItemRecord) -> list[list[str]]:
    """The places of each fault in words."""
    return [[place.words for place in group.places] for group in fault_groups(record(*items))]


def test_the_same_kernel_property_and_pattern_are_one_fault() -> None:
    """Over items and dtypes: a function, its in-place form and a module run the same kernel."""
    inner = ("aten::relu_", "aten::clamp_min", "aten::threshold_backward")
    faults = places(
        item("relu", failure()),
        item("relu", failure(), dtype="bfloat16"),
        item("ReLU_module", failure(operators=inner)),
    )
    assert [sorted(fault) for fault in faults] == [
        ["ReLU_module[float32] output[0]", "relu[bfloat16] output[0]", "relu[float32] output[0]"]
    ]


@pytest.mark.parametrize(
    "other",
    [
        failure(pattern=EVERYWHERE),
        failure(oracle="strides"),
        failure(operators=("aten::sigmoid", "aten::empty_like", "aten::sigmoid_backward")),
        failure(operators=()),
        failure(kernels=("eltwise:jit:avx2",)),
        failure(own=("mine::relu",)),
    ],
)
def test_another_kernel_property_or_pattern_is_another_fault(other: Failure) -> None:
    """Memory and views are no kernel that two operators have in common."""
    assert len(places(item("relu", failure()), item("other", other))) == 2


def test_a_gradient_follows_from_the_output_of_its_item() -> None:
    """Wrong in the same way, it is a place of the output's fault, and comes after it; in another way it is not."""
    together = places(item("relu", failure("grad:input"), failure()))
    assert together == [["relu[float32] output[0]", "relu[float32] grad:input"]]
    assert len(places(item("relu", failure("grad:input", pattern=EVERYWHERE), failure()))) == 2


def test_gradients_of_one_kernel_are_one_fault() -> None:
    """Of a gradient the backward's kernel counts, whatever ran before it."""
    first = failure("grad:input", operators=("aten::conv2d", "aten::thnn_conv2d", "aten::convolution_backward"))
    second = failure("grad:weight", operators=("aten::conv3d", "aten::convolution_backward", "aten::sum"))
    (group,) = fault_groups(record(item("conv2d", first), item("conv3d", second)))
    assert group.kernels == ("aten::convolution_backward",)
    assert group.severity is Severity.WRONG_GRADIENT


def test_kernels_of_onednn_are_the_same_at_every_level() -> None:
    """The instruction set is left out, and so is the reordering of memory, which everything does."""
    wide = failure(kernels=("convolution:jit:avx2", "reorder:jit:uni"))
    high = failure(kernels=("convolution:jit:avx512_core", "reorder:jit:uni"))
    (group,) = fault_groups(record(item("conv2d", wide), item("conv3d", high)))
    assert group.kernels == ("convolution:jit",)
    assert (
        len(places(item("conv2d", wide), item("linear", failure(kernels=("matmul:jit:avx2", "reorder:jit:uni"))))) == 2
    )


def test_a_library_s_own_operator_is_the_kernel() -> None:
    """Its name in torch.library, whatever it calls."""
    (group,) = fault_groups(record(item("scale", failure(own=("tutorial::scale",), kernels=("matmul:jit:avx2",)))))
    assert group.kernels == ("tutorial::scale",)


def test_what_cannot_be_traced_has_its_case_for_a_kernel() -> None:
    """Over dtypes it is one fault, over cases it is not."""
    crash = failure("", "crash", Pattern(), operators=())
    faults = places(item("relu", crash), item("relu", crash, dtype="float64"), item("tanh", crash))
    assert sorted(map(len, faults)) == [1, 2]


def test_operators_that_are_nothing_but_memory_are_their_own_kernel() -> None:
    """A copy calls nothing else."""
    (group,) = fault_groups(record(item("clone", failure(operators=("aten::clone", "aten::empty_like")))))
    assert group.kernels == ("aten::clone",)


@pytest.mark.parametrize(
    ("oracle", "tensor", "pattern", "severity"),
    [
        ("crash", "", (), Severity.CRASH),
        ("hang", "", (), Severity.CRASH),
        ("written", "input", (), Severity.MEMORY),
        ("range", "output[1]", (), Severity.MEMORY),
        ("values", "output[0]", (PatternKind.BORDER, PatternKind.UNWRITTEN), Severity.MEMORY),
        ("values", "output[0]", (PatternKind.BORDER,), Severity.WRONG_VALUES),
        ("values", "buffer:running_mean", (), Severity.WRONG_VALUES),
        ("repeat", "output[0]", (), Severity.WRONG_VALUES),
        ("values", "grad:input", (PatternKind.ZERO,), Severity.WRONG_GRADIENT),
        ("values", "grad:input", (PatternKind.ONE_ULP,), Severity.ACCURACY),
        ("values", "output[0]", (PatternKind.EVERYWHERE, PatternKind.NARROW), Severity.ACCURACY),
        ("strides", "grad:input", (), Severity.LAYOUT),
        ("error", "", (), Severity.REFUSAL),
    ],
)
def test_severity_follows_from_property_tensor_and_pattern(
    oracle: Oracle, tensor: str, pattern: tuple[PatternKind, ...], severity: Severity
) -> None:
    """In the words of the known issues."""
    assert failure_severity(oracle, tensor, pattern) is severity


def eventful() -> list[OperatorItemRecord]:
    """Items with a crash, a wrong output with its gradient in many items, a lost format and foreign text."""
    diagnosis = Diagnosis(
        goes_away=(Variation(VariedAspect.FORMAT, "input in contiguous"), Variation(VariedAspect.LEVEL, "sse41"))
    )
    wrong = [failure(diagnosis=diagnosis), failure("grad:input", diagnosis=diagnosis)]
    many = [item(f"relu_{index}", *wrong) for index in range(5)]
    lost = failure(oracle="strides", pattern=Pattern(), operators=("aten::flip",))
    raising = failure("", "error", Pattern(), operators=())
    raising.finding.__dict__["message"] = "the call raises \x1b[2J<b>\nsecond line"
    return [
        item("flip", lost),
        *many,
        item("odd", raising),
        item("tanh", failure("", "crash", Pattern(), operators=())),
    ]


def test_the_most_serious_fault_comes_first() -> None:
    """In the order of severities; within one, the fault with the most places."""
    severities = [group.severity for group in fault_groups(record(*eventful()))]
    assert severities == [Severity.CRASH, Severity.WRONG_VALUES, Severity.LAYOUT, Severity.REFUSAL]


def test_the_summary_of_faults(snapshot: SnapshotAssertion) -> None:
    """Each in a few lines: what, where, with what it goes away, and in which items."""
    assert fault_summary(record(*eventful())) == snapshot


def test_a_run_without_failures_has_no_faults() -> None:
    """Nothing is printed, of models neither."""
    assert fault_summary(record(item("relu"), model_item())) == ""
