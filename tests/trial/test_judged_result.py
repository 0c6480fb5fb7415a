"""The judgement of one result: what a known issue of one tensor leaves of the others."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from harness.core import (
    Case,
    CellState,
    Example,
    Expression,
    KnownIssue,
    Numerics,
    Observation,
    Reference,
    TensorRecord,
    TensorSpec,
)
from harness.core.observation import OBSERVED_LAYOUTS
from harness.execution import Result
from harness.portable.memory_format import dense_strides
from harness.trial import judge_result

SHAPE = (2, 3, 4, 5)
TENSORS = ("output[0]", "grad:input", "grad:weight")
CASE = Case(
    id="s.yaml::c",
    name="c",
    suite="s.yaml",
    line=1,
    call="toy.c",
    sizes=(),
    tensors=(TensorSpec("input", ()), TensorSpec("weight", ())),
    numerics=Numerics("multilinear", "multilinear"),
)
EXAMPLE = Example(CASE.id, "float32", {}, {"input": "channels_last", "weight": "contiguous"}, fill="reals")
ISSUE = KnownIssue(
    id="sums-in-half",
    cases=(CASE.id,),
    dtypes=("float32",),
    tensors=("grad:weight",),
    oracle="values",
    cells=("avx2",),
    when=Expression.parse("True"),
    reason="because",
    link="no thread found",
    reproducer=EXAMPLE,
    accumulates_in="bfloat16",
)
COARSE = 1.0 + 2.0**-9
"""An error that sums in bfloat16 may have, and sums in float32 may not."""


def result_with(factors: Mapping[str, float], cell: str = "avx2") -> Result:
    """The reference and a cell in which tensors are off by these factors in both layouts."""
    values = np.linspace(1.0, 2.0, int(np.prod(SHAPE))).reshape(SHAPE).astype(np.float32).astype(np.float64)
    named = dict.fromkeys(TENSORS, values)
    strides = dense_strides("contiguous", SHAPE)
    tensors = {
        name: TensorRecord("float32", SHAPE, strides, (values * factors.get(name, 1.0)).astype(np.float32))
        for name in TENSORS
    }
    observations = [
        Observation(cell, layout, "ok", tensors, inputs={"input": (60, 1, 15, 3), "weight": strides})
        for layout in OBSERVED_LAYOUTS
    ]
    reference = Reference(
        "ok",
        values=named,
        bound=named,
        terms=dict.fromkeys(TENSORS, np.full(SHAPE, 4.0)),
        inputs={"input": values, "weight": values},
    )
    return Result(EXAMPLE, reference, tuple(observations))


def keys(known_issue: KnownIssue, result: Result) -> tuple[set[str], set[str]]:
    """The tensors that fail, and those that are accepted."""
    judged = judge_result(CASE, result, [known_issue])
    return {finding.tensor for finding in judged.failures}, {finding.tensor for _, finding in judged.partition.accepted}


@pytest.mark.parametrize("other", ["output[0]", "grad:input"])
def test_a_coarser_accumulator_of_one_tensor_widens_no_other(other: str) -> None:
    """Both are off by as much, which the bound of the one admits and that of the other does not."""
    assert keys(ISSUE, result_with({"grad:weight": COARSE})) == (set(), {"grad:weight"})
    assert keys(ISSUE, result_with({"grad:weight": COARSE, other: COARSE})) == ({other}, {"grad:weight"})
    assert keys(ISSUE, result_with({other: COARSE})) == ({other}, set())


def test_a_coarser_accumulator_is_admitted_in_its_cells_only() -> None:
    """The same error at another level is a failure."""
    assert keys(ISSUE, result_with({"grad:weight": COARSE}, "avx512_core")) == ({"grad:weight"}, set())


def test_a_tensor_that_is_wrong_beyond_a_coarser_accumulator_fails() -> None:
    """The bound is wider, and still a bound."""
    assert keys(ISSUE, result_with({"grad:weight": 1.5})) == ({"grad:weight"}, set())


@pytest.mark.parametrize("other", ["output[0]", "grad:input"])
def test_a_known_issue_of_one_tensor_hides_no_other(other: str) -> None:
    """What is wrong beside what is accepted fails, and its cell has failed."""
    entry = KnownIssue(**{**vars(ISSUE), "accumulates_in": None})
    result = result_with({"grad:weight": 1.5, other: 1.5})
    assert keys(entry, result) == ({other}, {"grad:weight"})
    assert judge_result(CASE, result, [entry]).states() == {"avx2": CellState.FAILED}
