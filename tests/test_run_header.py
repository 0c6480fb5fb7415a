"""What a run tested and where, as printed and as recorded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.core import Cell, Level
from harness.execution import Build
from harness.run_header import build_lines, header_lines, record_head
from harness.settings import settings
from tests.trial.toy import CELLS, ToyExecutor


@pytest.fixture
def executor() -> Any:
    """One level that ran and does not hold its cap, its alias, and two that this CPU cannot run."""
    toy: Any = ToyExecutor(lambda *_: "")
    toy.build = Build("2.9.0", "3.9", "some CPU", "3.11.7", "2.1", "Linux-x86_64", ("avx2",))
    toy.cells = (Cell("avx2", CELLS[0].level, proof={"onednn": "AVX2", "aten": "AVX2"}),)
    toy.levels = (
        *(Level(name, "x86_64", None, "default") for name in ("avx2", "avx2_vnni", "avx512_core")),
        Level("sve256", "aarch64", None, "default"),
    )
    toy.aliases = {"avx2_vnni": "avx2"}
    toy.unavailable = {"avx512_core": "needs avx512f", "sve256": "needs aarch64"}
    toy.ineffective = {"avx2": "ATen was capped at AVX2 and runs DEFAULT"}
    return toy


def test_the_lines_that_open_a_report(executor: Any, tmp_path: Path) -> None:
    """Levels that ran have their proof; aliases, missing and ineffective ones say what they are."""
    chosen = settings(tmp_path, {"profile": "quick"})
    lines = [
        "under test: PyTorch 2.9.0, oneDNN 3.9, NumPy 2.1, Python 3.11.7",
        "cpu: some CPU",
        "level avx2: onednn AVX2; aten AVX2",
        "level avx2_vnni: the same as avx2",
        "level avx512_core: not available: needs avx512f",
        "level avx2: NOT EFFECTIVE: ATen was capped at AVX2 and runs DEFAULT",
    ]
    assert build_lines(executor) == lines
    assert header_lines(executor, chosen) == [*lines, "profile: quick, seed 0, 1 and 2 threads"]


def test_another_machine_has_its_cpu_and_its_build(executor: Any, tmp_path: Path) -> None:
    """The header and the record say which levels ran there, and the record keeps the rest of the build."""
    build = Build("2.9.0+cpu", "3.9.1", "a large CPU", "3.12.1", "2.2", "Linux-x86_64", ("avx512f",))
    executor.hosts = {"me@there": build}
    proof = {"onednn": "AVX512", "aten": "AVX512"}
    there = Cell("avx512_core", Level("avx512_core", "x86_64", None, "avx512"), host="me@there", proof=proof)
    executor.cells, executor.unavailable = (*executor.cells, there), {}
    lines = build_lines(executor)
    assert lines[2] == "host me@there: a large CPU; PyTorch 2.9.0+cpu, oneDNN 3.9.1, NumPy 2.2, Python 3.12.1"
    assert lines[4] == "level avx512_core on me@there: onednn AVX512; aten AVX512"
    head = record_head(executor, settings(tmp_path, {"profile": "quick"}))
    assert {name: level.host for name, level in head.levels.items() if level.state == "run"} == {
        "avx2": "",
        "avx512_core": "me@there",
    }
    assert head.hosts["me@there"].model_dump() == {
        "torch": "2.9.0+cpu", "onednn": "3.9.1", "cpu": "a large CPU", "python": "3.12.1", "numpy": "2.2",
        "platform": "Linux-x86_64",
    }  # fmt: skip


def test_what_the_record_keeps_of_them(executor: Any, tmp_path: Path) -> None:
    """The record has build and run by field, and each level of this architecture with its state."""
    head = record_head(executor, settings(tmp_path, {"profile": "quick"}))
    assert head.build.model_dump() == {
        "torch": "2.9.0", "onednn": "3.9", "cpu": "some CPU", "python": "3.11.7", "numpy": "2.1",
        "platform": "Linux-x86_64",
    }  # fmt: skip
    assert (head.run.profile, head.run.seed) == ("quick", 0)
    assert {name: level.state for name, level in head.levels.items()} == {
        "avx2": "run",
        "avx2_vnni": "alias of",
        "avx512_core": "not available",
    }
