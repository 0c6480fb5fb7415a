"""ISA levels: named, unavailable, proven, the same."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.core import Cell, Level
from harness.errors import UserError
from harness.execution import levels
from harness.execution.host import Host
from tests.execution import stand

HOST = Host("python", stand.MACHINE, "a CPU", ("sse4_1", "avx2"))
LEVELS = (stand.SSE41, stand.AVX2, stand.AVX512)


def cell(level: Level, onednn: str, aten: str) -> Cell:
    """A proven cell."""
    return Cell(level.name, level, proof={"onednn": onednn, "aten": aten})


def test_a_level_the_cpu_lacks_is_unavailable() -> None:
    """It is named with the missing flag and never started."""
    runnable, unavailable = levels.select_levels(LEVELS, None, HOST)
    assert runnable == [stand.SSE41, stand.AVX2]
    assert unavailable == {"avx512_core": "needs avx512f; this CPU (a CPU) has no such flag"}


def test_a_level_of_another_architecture_is_unavailable() -> None:
    """Its reason names both machines."""
    other = replace(stand.SSE41, name="neon", architecture="another")
    _runnable, unavailable = levels.select_levels([stand.SSE41, other], None, HOST)
    assert unavailable == {"neon": f"needs another; this host is {stand.MACHINE}"}


def test_a_level_that_is_not_on_by_default_runs_by_name_alone() -> None:
    """Without names it is not among the levels; by name it is."""
    quiet = replace(stand.AVX2, name="quiet", default=False)
    assert levels.select_levels([stand.SSE41, quiet], None, HOST)[0] == [stand.SSE41]
    assert levels.select_levels([stand.SSE41, quiet], ["quiet"], HOST)[0] == [quiet]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["avx_2"], "there is no ISA level 'avx_2'; did you mean avx2?"),
        (["m1"], "there is no ISA level 'm1'; there are sse41, avx2, avx512_core"),
        (["avx512_core"], "ISA level avx512_core cannot run here: needs avx512f; this CPU (a CPU) has no such flag"),
    ],
)
def test_naming_a_level_that_is_not_there_is_a_mistake(names: list[str], message: str) -> None:
    """A level that is named must exist and run."""
    with pytest.raises(UserError) as caught:
        levels.select_levels(LEVELS, names, HOST)
    assert str(caught.value) == message


def test_no_level_at_all_is_a_mistake() -> None:
    """A gate without a cell would pass everything."""
    with pytest.raises(UserError, match="no ISA level can run here: avx512_core needs avx512f"):
        levels.select_levels([stand.AVX512], None, HOST)
    with pytest.raises(UserError, match="no ISA level can run here: none is declared"):
        levels.select_levels([], None, HOST)


def test_equal_proofs_run_once_at_the_lowest() -> None:
    """The higher of two equal levels becomes an alias, in whatever order they were declared."""
    cells = [
        cell(stand.AVX512, "Intel AVX2", "AVX2"),
        cell(stand.AVX2, "Intel AVX2", "AVX2"),
        cell(stand.SSE41, "SSE", "DEFAULT"),
    ]
    kept, aliases = levels.merge_equal_cells(cells, LEVELS)
    assert [each.name for each in kept] == ["avx2", "sse41"]
    assert aliases == {"avx512_core": "avx2"}


def test_a_difference_in_either_proof_keeps_both() -> None:
    """The ISA of oneDNN and ATen's capability are a level together."""
    cells = [cell(stand.SSE41, "Intel AVX2", "DEFAULT"), cell(stand.AVX2, "Intel AVX2", "AVX2")]
    assert levels.merge_equal_cells(cells, LEVELS) == (tuple(cells), {})


def test_an_aten_cap_that_did_not_take_effect_is_a_mismatch() -> None:
    """The text has the cap and what runs."""
    assert levels.cap_mismatch(cell(stand.AVX2, "", "AVX512")) == "ATen was capped at AVX2 and runs AVX512"
    assert levels.cap_mismatch(cell(stand.AVX2, "", "AVX2")) == ""


@pytest.mark.parametrize(
    ("kernel", "message"),
    [
        ("convolution:jit:sse41", ""),
        ("convolution:x64:gemm:jit", ""),
        ("convolution:jit:avx512_core", "oneDNN ran convolution:jit:avx512_core, which is above AVX2"),
        ("convolution:a:avx2+b:avx512_core", "oneDNN ran convolution:a:avx2+b:avx512_core, which is above AVX2"),
    ],
)
def test_a_kernel_above_the_cap_is_named(kernel: str, message: str) -> None:
    """Implementations of the level and of those under it are fine, and tokens that no level declares."""
    assert levels.kernel_above_cap(cell(stand.AVX2, "", "AVX2"), LEVELS, {kernel: 1}) == message
