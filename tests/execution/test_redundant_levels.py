"""Cells that differ in oneDNN's cap alone: one is enough, as long as oneDNN runs nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from harness.core import Cell, Example, Observation, TensorRecord
from harness.execution import Executor
from harness.execution.host import probe_host
from harness.execution.redundant_levels import EQUAL_EXAMPLES, RedundantLevels
from tests.execution import stand

CELLS = [
    Cell(level.name, level, proof={"aten": aten})
    for level, aten in ((stand.SSE41, "DEFAULT"), (stand.AVX, "DEFAULT"), (stand.AVX2, "AVX2"))
]
SOMETIMES = stand.case("misbehaving.convolved_where_wide")


def observation(cell: str, value: float = 1.0, **options: Any) -> Observation:
    """An observation of one element."""
    record = TensorRecord("float32", (1,), (1,), np.array([value], np.float32))
    return Observation(cell, "drawn", "ok", {"output[0]": record}, **options)


def everywhere() -> list[Observation]:
    """The same observation of all cells."""
    return [observation(cell.name) for cell in CELLS]


@pytest.fixture
def levels() -> RedundantLevels:
    """Three cells, of which two are of the same ATen capability, one example before the lower one is redundant."""
    levels = RedundantLevels(CELLS)
    for _ in range(EQUAL_EXAMPLES - 1):
        levels.note(everywhere())
    return levels


def test_the_lower_level_is_redundant_after_so_many_equal_answers(levels: RedundantLevels) -> None:
    """It is so no earlier, and the cell of another capability never is."""
    assert levels.redundant_cells == frozenset()
    levels.note(everywhere())
    assert levels.redundant_cells == {"sse41"}
    levels.note([observation("avx"), observation("avx2")])
    assert levels.redundant_cells == {"sse41"}


@pytest.mark.parametrize(
    "different",
    [
        observation("sse41", 2.0),
        replace(observation("sse41"), status="raised"),
        replace(observation("sse41"), status="died", tensors={}),
        observation("sse41", kernels={"matmul:jit:sse41": 1}),
        replace(
            observation("sse41"),
            tensors={"output[0]": replace(observation("avx").tensors["output[0]"], strides=(2,))},
        ),
    ],
)
def test_any_difference_starts_the_count_again(levels: RedundantLevels, different: Observation) -> None:
    """Another value, status or stride does, and a kernel of oneDNN in any of the cells."""
    levels.note([different, *everywhere()[1:]])
    levels.note(everywhere())
    assert levels.redundant_cells == frozenset()


def test_a_cell_of_another_machine_answers_for_none_here() -> None:
    """What ATen calls may choose by the model of the CPU, as MKL does."""
    cells = [CELLS[0], replace(CELLS[1], host="there"), CELLS[2]]
    levels = RedundantLevels(cells)
    for _ in range(EQUAL_EXAMPLES):
        levels.note(everywhere())
    assert levels.redundant_cells == frozenset()


def test_an_answer_that_is_lost_agrees_with_none(levels: RedundantLevels) -> None:
    """The machine of the cell that would answer may be lost."""
    levels.note([observation("sse41"), observation("avx2")])
    levels.note(everywhere())
    assert levels.redundant_cells == frozenset()


def test_the_sign_of_a_zero_is_a_difference(levels: RedundantLevels) -> None:
    """Bits are compared, not numbers."""
    levels.note([observation("sse41", -0.0), observation("avx", 0.0), observation("avx2", 0.0)])
    assert levels.redundant_cells == frozenset()


def test_a_kernel_of_onednn_ends_the_redundancy(levels: RedundantLevels) -> None:
    """The next examples run in every cell again."""
    levels.note(everywhere())
    levels.note([observation("avx", kernels={"matmul:jit:avx": 1}), observation("avx2")])
    assert levels.redundant_cells == frozenset()


@pytest.fixture(scope="module")
def executor() -> Iterator[Executor]:
    """Two cells of the same ATen capability."""
    if not {"sse4_1", "avx"} <= set(probe_host(None).flags):
        pytest.skip("needs an x86-64 CPU with AVX")
    with Executor([stand.SSE41, stand.AVX], preload=[stand.PRELOAD]) as opened:
        yield opened


def examples(widths: list[int]) -> list[Example]:
    """Examples of these widths."""
    return [stand.example(SOMETIMES, sizes={"W": width}, seed=index) for index, width in enumerate(widths)]


def test_an_example_that_reaches_onednn_runs_in_every_cell(executor: Executor) -> None:
    """The cell that had been skipped before runs it too; it is skipped where no kernel of oneDNN runs."""
    widths = [4] * (EQUAL_EXAMPLES + 10) + [16] + [4] * 3
    skipped = [result.skipped for result in executor.run(SOMETIMES, examples(widths))]
    assert skipped[:EQUAL_EXAMPLES] == [()] * EQUAL_EXAMPLES
    assert skipped[EQUAL_EXAMPLES + 9] == ("sse41",)
    assert skipped[EQUAL_EXAMPLES + 10] == ()


def test_a_cell_that_runs_late_is_observed_as_the_others(executor: Executor) -> None:
    """Its observations are those of that example."""
    widths = [4] * (EQUAL_EXAMPLES + 10) + [16]
    last = list(executor.run(SOMETIMES, examples(widths)))[-1]
    places = [(each.cell, each.layout) for each in last.observations]
    assert places == [(cell, layout) for cell in ("sse41", "avx") for layout in ("drawn", "contiguous")]
    assert all(any(name.startswith("convolution") for name in each.kernels) for each in last.observations)
    assert {each.tensors["output[0]"].shape for each in last.observations} == {(2, 3, 4, 16)}
