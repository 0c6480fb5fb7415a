"""Whether a known issue of an operator explains what is wrong with a module that calls it."""

from __future__ import annotations

from typing import Any, cast

import pytest

from harness.core import CellState, Expression, Finding, KnownIssue
from harness.execution import Executor
from harness.models import operator_replay
from harness.models.function_call import ArgumentValue, CallTensor, FunctionCall
from harness.models.operator_replay import OperatorReplayer, explaining_issues
from harness.trial.known_issues import FindingPartition
from tests.execution import stand


def finding(tensor: str, oracle: Any = "values") -> Finding:
    """A finding about a tensor."""
    return Finding(oracle, tensor, "layout", {"avx2": 2.0})


@pytest.mark.parametrize(
    ("accepted", "wrong", "names"),
    [
        (["grad:weight"], ["grad:weight"], ("known",)),
        (["grad:weight"], ["grad:bias"], ()),
        (["grad:input"], ["grad_input[0][0]"], ("known",)),
        (["output[0]"], ["output[0]", "grad:weight"], ()),
        ([], ["output[0]"], ()),
    ],
)
def test_a_module_is_known_wrong_where_each_wrong_tensor_is(
    accepted: list[str], wrong: list[str], names: tuple[str, ...]
) -> None:
    """A known issue of the operator's explains the same tensor of the module, and no other."""
    assert explaining_issues([("known", finding(tensor)) for tensor in accepted], map(finding, wrong)) == names


def test_a_lost_format_is_explained_by_a_lost_format_only() -> None:
    """Wrong values are no reason for strides, nor the other way round."""
    lost = finding("module:act", "strides")
    assert explaining_issues([("known", finding("output[0]", "strides"))], [lost]) == ("known",)
    assert explaining_issues([("known", finding("output[0]"))], [lost]) == ()
    assert explaining_issues([("known", finding("output[0]", "strides"))], [finding("output[0]")]) == ()


class Nowhere:
    """An executor that runs nothing."""

    def run_isolated(self, *arguments: object, **options: object) -> None:
        """No result."""


class Nothing:
    """What a run comes to in which nothing is wrong."""

    @property
    def partition(self) -> FindingPartition:
        """Nothing left, and nothing accepted."""
        return FindingPartition((), ())

    @property
    def failures(self) -> tuple[Finding, ...]:
        """None."""
        return self.partition.failures


@pytest.mark.parametrize(
    ("oracle", "when", "cell", "known"),
    [
        ("crash", "C < 8", "avx2", ("overrun",)),
        ("hang", "C < 8", "avx2", ("overrun",)),
        ("values", "C < 8", "avx2", ()),
        ("crash", "C > 8", "avx2", ()),
        ("crash", "C < 8", "sse41", ()),
    ],
)
def test_a_module_that_ended_its_worker_is_known_by_a_call_that_does_so_now_and_then(
    monkeypatch: pytest.MonkeyPatch, oracle: Any, when: str, cell: str, known: tuple[str, ...]
) -> None:
    """Though the example passes; but not what is wrong in values, in another call or in another cell."""
    monkeypatch.setattr(operator_replay, "judge_run", lambda *_arguments: Nothing())
    monkeypatch.setattr(operator_replay, "reason_not_callable", lambda *_arguments: "")
    case = stand.CONV2D
    weight = CallTensor("float32", (4, 3, 3, 3), (27, 9, 3, 1))
    images = CallTensor("float32", (2, 3, 8, 8), (192, 1, 24, 3))
    arguments: dict[str, ArgumentValue] = {"input": images, "weight": weight, "bias": None, "padding": 1}
    call = FunctionCall("torch.conv2d", ("input", "weight", "bias", "padding"), arguments, (), (images,))
    issue = KnownIssue(
        id="overrun",
        cases=(case.id,),
        dtypes=("float32",),
        tensors=("*",),
        oracle="crash",
        cells=("avx2",),
        when=Expression.parse(when),
        reason="it writes past the end",
        link="no thread found",
        reproducer=stand.example(case),
    )
    replayer = OperatorReplayer(cast("Executor", Nowhere()), lambda: [case], lambda *_arguments: [issue])
    replay = replayer.replay([call], [finding("", oracle)], cell)
    assert replay is not None
    assert (replay.verdict, replay.known_issues) == (CellState.PASSED, known)
