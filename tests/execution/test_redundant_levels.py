"""Cells that differ in oneDNN's cap alone: one answers for all, as long as oneDNN runs nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from harness.core import Cell, Example, Observation, TensorRecord
from harness.execution import Executor
from harness.execution.host import probe
from harness.execution.redundant_levels import ALIKE, RedundantLevels
from tests.execution import stand

CELLS = [
    Cell(level.name, level, proof={"aten": aten})
    for level, aten in ((stand.SSE41, "DEFAULT"), (stand.AVX, "DEFAULT"), (stand.AVX2, "AVX2"))
]
SOMETIMES = stand.case("misbehaving.convolved_where_wide")


def seen(cell: str, value: float = 1.0, **options: Any) -> Observation:
    """An observation of one element."""
    record = TensorRecord("float32", (1,), (1,), np.array([value], np.float32))
    return Observation(cell, "drawn", "ok", {"output[0]": record}, **options)


def everywhere() -> list[Observation]:
    """The same observation of all cells."""
    return [seen(cell.name) for cell in CELLS]


@pytest.fixture
def twins() -> RedundantLevels:
    """Three cells, of which two are of the same ATen capability, one example before the lower one is spared."""
    found = RedundantLevels(CELLS)
    for _ in range(ALIKE - 1):
        found.note(everywhere())
    return found


def test_the_lower_twin_is_spared_after_so_many_like_answers(twins: RedundantLevels) -> None:
    """Not before, and the cell of another capability never."""
    assert twins.skipped == frozenset()
    twins.note(everywhere())
    assert twins.skipped == {"sse41"}
    twins.note([seen("avx"), seen("avx2")])
    assert twins.skipped == {"sse41"}


@pytest.mark.parametrize(
    "other",
    [
        seen("sse41", 2.0),
        replace(seen("sse41"), status="raised"),
        replace(seen("sse41"), status="died", tensors={}),
        seen("sse41", kernels={"matmul:jit:sse41": 1}),
        replace(seen("sse41"), tensors={"output[0]": replace(seen("avx").tensors["output[0]"], strides=(2,))}),
    ],
)
def test_any_difference_starts_the_count_again(twins: RedundantLevels, other: Observation) -> None:
    """Another value, status or stride, and a kernel of oneDNN in any of them."""
    twins.note([other, *everywhere()[1:]])
    twins.note(everywhere())
    assert twins.skipped == frozenset()


def test_the_sign_of_a_zero_is_a_difference(twins: RedundantLevels) -> None:
    """Bits are compared, not numbers."""
    twins.note([seen("sse41", -0.0), seen("avx", 0.0), seen("avx2", 0.0)])
    assert twins.skipped == frozenset()


def test_a_kernel_of_onednn_ends_the_sparing(twins: RedundantLevels) -> None:
    """The next examples run in every twin again."""
    twins.note(everywhere())
    twins.note([seen("avx", kernels={"matmul:jit:avx": 1}), seen("avx2")])
    assert twins.skipped == frozenset()


@pytest.fixture(scope="module")
def executor() -> Iterator[Executor]:
    """Two twins."""
    if not {"sse4_1", "avx"} <= set(probe(None).flags):
        pytest.skip("needs an x86-64 CPU with AVX")
    with Executor([stand.SSE41, stand.AVX], preload=[stand.PRELOAD]) as opened:
        yield opened


def examples(widths: list[int]) -> list[Example]:
    """Examples of these widths."""
    return [stand.example(SOMETIMES, sizes={"W": width}, seed=index) for index, width in enumerate(widths)]


def test_an_example_that_reaches_onednn_runs_in_every_twin(executor: Executor) -> None:
    """Also where the twin had been spared before; those without a kernel of oneDNN are answered for."""
    widths = [4] * (ALIKE + 10) + [16] + [4] * 3
    skipped = [result.skipped for result in executor.run(SOMETIMES, examples(widths))]
    assert skipped[:ALIKE] == [()] * ALIKE
    assert skipped[ALIKE + 9] == ("sse41",)
    assert skipped[ALIKE + 10] == ()


def test_the_late_twin_is_observed_as_the_others(executor: Executor) -> None:
    """Its observations are those of that example."""
    widths = [4] * (ALIKE + 10) + [16]
    last = list(executor.run(SOMETIMES, examples(widths)))[-1]
    places = [(one.cell, one.layout) for one in last.observations]
    assert places == [(cell, layout) for cell in ("sse41", "avx") for layout in ("drawn", "contiguous")]
    assert all(any(name.startswith("convolution") for name in one.kernels) for one in last.observations)
    assert {one.tensors["output[0]"].shape for one in last.observations} == {(2, 3, 4, 16)}
