"""What keeps a case from being called."""

from __future__ import annotations

import pytest

from harness.core import Case
from harness.execution import Executor
from tests.execution import stand

TWO = (stand.tensor("x", "N", "C", "H", "W"), stand.tensor("y", "C"))
THREE = (*TWO, stand.tensor("z", "C"))

RIGHT = [
    stand.CONV2D,
    stand.MAX_POOL2D,
    stand.case("torch.ops.aten.relu.default"),
    stand.case("torch.ops.aten.relu"),
    stand.case("torch.sum", arguments={"dim": 1, "keepdim": True, "axis": 1}),
    stand.case("torch.nn.functional.relu", inplace="inplace"),
    stand.case("torch.nn.functional.relu", inplace="torch.relu_"),
    stand.case("misbehaving.crash", arguments={"only": 1}),
    stand.case("torch.nn.functional.interpolate", arguments={"scale_factor": 2}),
]
WRONG = [
    (
        stand.case("torch.nn.functional.conv2"),
        "torch.nn.functional has no 'conv2'; did you mean torch.nn.functional.conv2d?",
    ),
    (
        stand.case("torch.nn.functionals.relu"),
        "torch.nn has no 'functionals' (for torch.nn.functionals.relu); did you mean torch.nn.functional?",
    ),
    (stand.case("tortch.relu"), "no module named 'tortch' (for tortch.relu)"),
    (stand.case("torch.float32"), "torch.float32 is not callable: it is dtype"),
    (
        stand.case("torch.nn.functional.conv2d", *TWO, arguments={"strides": 2}),
        "torch.nn.functional.conv2d takes no argument 'strides'; did you mean stride?",
    ),
    (
        stand.case("torch.nn.functional.conv2d", *TWO, arguments={"weight": 2}),
        "torch.nn.functional.conv2d gets 'weight' twice: by position and by keyword",
    ),
    (
        stand.case("torch.nn.functional.max_pool2d", arguments={"kernel": 2}),
        "torch.nn.functional.max_pool2d takes no argument 'kernel'; did you mean kernel_size?",
    ),
    (
        stand.case("torch.nn.functional.relu", *THREE),
        "torch.nn.functional.relu takes 2 arguments; the case passes 3 by position",
    ),
    (
        stand.case("torch.relu", inplace="torch.relu__"),
        "torch has no 'relu__'; did you mean torch.relu_?",
    ),
    (
        stand.case("torch.nn.functional.gelu", inplace="inplace"),
        "torch.nn.functional.gelu takes no argument 'inplace'",
    ),
    (stand.case("torch.ops.aten.no_such_op.default"), "torch.ops.aten has no 'no_such_op'"),
]


@pytest.mark.parametrize("case", RIGHT, ids=lambda case: case.call)
def test_a_case_that_can_be_called_has_no_problem(local: Executor, case: Case) -> None:
    """Functions, builtins, boolean dispatch, torch.ops and preloaded callables are all understood."""
    assert local.check(case) == []


@pytest.mark.parametrize(("case", "message"), WRONG, ids=lambda value: getattr(value, "call", ""))
def test_a_case_that_cannot_be_called_says_why(local: Executor, case: Case, message: str) -> None:
    """The part at fault is named, with the closest name that exists."""
    (problem,) = local.check(case)
    assert problem.startswith(message)


def test_a_worker_checks_with_and_without_the_preload(executor: Executor) -> None:
    """A callable of a preload file is found; what is in neither place is not."""
    assert executor.check(stand.case("misbehaving.slow")) == []
    assert executor.check(stand.CONV2D) == []
    assert executor.check(stand.case("misbehaving.slov")) == [
        "misbehaving has no 'slov'; did you mean misbehaving.slow?"
    ]
