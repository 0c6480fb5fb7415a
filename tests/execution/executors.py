"""Fixtures of the tests that run examples: an executor for all of them, because starting workers takes seconds."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from harness.core import Case, Example, Observation
from harness.execution import Executor, Result
from harness.execution.host import probe_host
from tests.execution import stand

Observe = Callable[[Case, Example], Observation]


@pytest.fixture(scope="session")
def executor() -> Iterator[Executor]:
    """SSE4.1 and AVX2 cells, the misbehaving operators preloaded; started from a polluted environment."""
    if not {"sse4_1", "avx2"} <= set(probe_host(None).flags):
        pytest.skip("needs an x86-64 CPU with AVX2")
    polluted = {"KMP_BLOCKTIME": "0", "MKLDNN_MAX_CPU_ISA": "SSE41", "OMP_NUM_THREADS": "7", "MALLOC_PERTURB_": "1"}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in polluted.items():
            patch.setitem(os.environ, name, value)
        opened = Executor([stand.SSE41, stand.AVX2], preload=[stand.PRELOAD], limit=4.0)
        with opened:
            yield opened


@pytest.fixture(scope="session")
def local() -> Iterator[Executor]:
    """Everything in this process."""
    with Executor([], preload=[stand.PRELOAD], in_process=True) as opened:
        yield opened


@pytest.fixture
def run(executor: Executor) -> Callable[..., Result]:
    """Run one example in the AVX2 cell."""

    def run_example(case: Case, example: Example | None = None, **options: Any) -> Result:
        options.setdefault("cells", ["avx2"])
        (result,) = executor.run(case, [example or stand.example(case)], **options)
        return result

    return run_example


@pytest.fixture
def run_here(local: Executor) -> Callable[..., Result]:
    """Run one example in this process."""

    def run_example(case: Case, example: Example | None = None, **options: Any) -> Result:
        (result,) = local.run(case, [example or stand.example(case)], **options)
        return result

    return run_example
