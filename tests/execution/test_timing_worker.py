"""The worker that measures: a process of its own, whose memory and threads are those of a user's program."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from harness.errors import UserError
from harness.execution import Executor, requests
from harness.execution.workers import environment
from harness.generation import resolve_example
from tests.execution import stand

EXAMPLE = stand.example(stand.MAX_POOL2D, layouts={"x": "channels_last"})


def measure(executor: Executor, cell: str) -> Any:
    """The reply of the worker that measures at the level of a cell."""
    call = requests.double_backward_request(resolve_example(stand.MAX_POOL2D, EXAMPLE))
    request = {**call, "op": "time", "seconds": 0.02, "intraop_threads": 1, "backward": False}
    return executor.ask_cell(cell, request, about="max_pool2d", limit=60.0, measures=True)


def test_nothing_of_its_environment_slows_it_down(tmp_path: Path) -> None:
    """It has the caps of its level, and neither filled memory, nor oneDNN's lines, nor a number of threads."""
    variables = environment.timing_variables("AVX2", "avx2", tmp_path)
    assert (variables["ONEDNN_MAX_CPU_ISA"], variables["ATEN_CPU_CAPABILITY"]) == ("AVX2", "avx2")
    steering = {*environment.COMMON, "ONEDNN_VERBOSE"} - {"PYTHONDONTWRITEBYTECODE"}
    assert not steering & set(variables)


def test_one_worker_measures_at_a_time(executor: Executor) -> None:
    """It is no fork of another process, and gone when another level is measured; cells go on."""
    for cell in ("sse41", "avx2"):
        assert measure(executor, cell)["status"] == "ok"
        measuring = {name: pid for name, pid in executor.worker_pids.items() if name.startswith("timing")}
        assert [*measuring] == [f"timing-{cell}"]
        parent = Path(f"/proc/{measuring[f'timing-{cell}']}/stat").read_text("utf-8").rpartition(")")[2].split()[1]
        assert int(parent) == os.getpid()
    assert {"cell-sse41", "cell-avx2"} <= set(executor.worker_pids)


def test_in_this_process_nothing_is_measured(local: Executor) -> None:
    """What runs beside a test is not measured in quiet."""
    with pytest.raises(UserError, match="in a process of their own; leave out --in-process"):
        measure(local, "in_process")
