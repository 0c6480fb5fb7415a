"""The worker's own modules, shipped into this process: parsing, forking, versions of old."""

from __future__ import annotations

import subprocess
import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from harness.execution.workers import bundle
from tests.execution import stand

HEADER = """onednn_verbose,v1,info,oneDNN v3.13.3 (commit b38f97e)
onednn_verbose,v1,info,cpu,isa:Intel AVX2
onednn_verbose,v1,primitive,info,template:operation,engine,primitive,implementation,prop_kind
onednn_verbose,v1,graph,info,template:operation,engine,partition_id,partition_kind,op_names
"""
EXEC = "onednn_verbose,v1,primitive,exec,cpu,convolution,jit:avx2,forward_training,src:f32\n"
OLD = "onednn_verbose,exec,cpu,reorder,jit:uni,undef,src_f32\n"
FORK = """
from harness.execution.workers import bundle
bundle.load_in_this_process()
from nhwc_equivalence.worker import fork_per_request as fork
import os, time
assert fork.run_in_fork(lambda: {"big": b"x" * 3_000_000}, 30.0)["big"] == b"x" * 3_000_000
assert fork.run_in_fork(lambda: os._exit(3), 30.0) == {"status": "died", "signal": 0, "message": "exited with status 3"}
assert fork.run_in_fork(os.abort, 30.0) == {"status": "died", "signal": 6, "message": "killed by SIGABRT"}
hung = fork.run_in_fork(lambda: time.sleep(60), 0.2)
assert hung == {"status": "hung", "signal": 0, "message": "no answer within 0.2 s"}
assert fork.run_in_fork(lambda: object(), 30.0)["status"] == "died"
"""

PREPARED = """
from harness.execution.workers import bundle
bundle.load_in_this_process()
from nhwc_equivalence.worker import fork_per_request as fork
import gc, sys, torch
import torch.autograd.forward_ad as forward_ad
fork.prepare()
assert gc.get_freeze_count() > 100_000
def tangent():
    before = set(sys.modules)
    with forward_ad.dual_level():
        forward_ad.make_dual(torch.ones(1), torch.ones(1))
    return {"imported": sorted(set(sys.modules) - before)}
assert fork.run_in_fork(tangent, 30.0) == {"imported": []}
"""


@pytest.fixture(scope="module")
def worker() -> ModuleType:
    """The worker's ``serve`` module, through which the others are reached."""
    return bundle.load_in_this_process()


def test_verbose_lines_are_counted(worker: Any) -> None:
    """Kind and implementation of each primitive that ran; headers and foreign lines say nothing."""
    log = worker.kernel_trace.Trace(active=False)
    assert log.count(HEADER + EXEC + EXEC + "hello, world\nexec,me\n") == {"convolution:jit:avx2": 2}
    assert log.count(OLD) == {"reorder:jit:uni": 1}


def test_a_primitive_is_told_with_its_direction_and_formats(worker: Any) -> None:
    """Once each, whatever its shapes are; what has no direction has formats alone, in the words of old as well."""
    log = worker.kernel_trace.Trace(active=False)
    start = "onednn_verbose,v1,primitive,exec,cpu,"
    formats = "src:f32::blocked:acdb::f0 wei:f32:a:blocked:Acdb32a::f0 bia:undef::undef::: dst:f32::blocked:acdb::f0"
    convolution = f"{start}convolution,jit:avx2,backward_data,{formats},attr-scratchpad:user,,mb1,0.1\n"
    reorder = f"{start}reorder,jit:uni,undef,src:f32::blocked:abcd::f0 dst:f32::blocked:aBcd16b::f0,,,2x3x4x5,0.1\n"
    old = "onednn_verbose,exec,cpu,reorder,jit:uni,undef,src_f32::blocked:abcd:f0 dst_f32::blocked:acdb:f0,,,1x1,0.1\n"
    assert log.primitives(convolution + convolution + reorder + old) == [
        "convolution:jit:avx2 backward_data acdb Acdb32a acdb",
        "reorder:jit:uni abcd aBcd16b",
        "reorder:jit:uni abcd acdb",
    ]


def test_the_header_s_template_says_where_the_fields_are(worker: Any) -> None:
    """A oneDNN that prints another field first is still understood."""
    log = worker.kernel_trace.Trace(active=False)
    log.count("onednn_verbose,v2,info,template:operation,primitive,engine,implementation\n")
    assert log.count("onednn_verbose,v2,exec,matmul,cpu,gemm:jit\n") == {"matmul:gemm:jit": 1}


def test_the_effective_isa_is_read_from_the_header(worker: Any) -> None:
    """The text after ``isa:``, or nothing where oneDNN printed none."""
    assert worker.kernel_trace.isa(HEADER) == "Intel AVX2"
    assert worker.kernel_trace.isa(EXEC) == ""


@pytest.mark.parametrize(
    ("shown", "expected"),
    [("  - CPU capability usage: AVX2\n", "AVX2"), ("  - CPU capability usage: NO AVX\n", "DEFAULT"), ("", "")],
)
def test_an_old_pytorch_tells_its_capability_in_its_config(
    worker: Any, monkeypatch: pytest.MonkeyPatch, shown: str, expected: str
) -> None:
    """Where there is no get_cpu_capability() the build's description has it."""
    torch = SimpleNamespace(backends=SimpleNamespace(), __config__=SimpleNamespace(show=lambda: shown))
    monkeypatch.setattr(worker.describe, "torch", torch)
    assert worker.describe.capability() == expected


@pytest.mark.parametrize(("name", "expected"), [("NO AVX", "DEFAULT"), ("default", "DEFAULT"), ("AVX2", "AVX2")])
def test_the_capability_has_one_name_in_all_releases(
    worker: Any, monkeypatch: pytest.MonkeyPatch, name: str, expected: str
) -> None:
    """That of no AVX was called NO AVX up to PyTorch 2.6; a level that asks for it takes effect there too."""
    cpu = SimpleNamespace(get_cpu_capability=lambda: name)
    monkeypatch.setattr(worker.describe, "torch", SimpleNamespace(backends=SimpleNamespace(cpu=cpu)))
    assert worker.describe.capability() == expected


def test_a_torchvision_of_another_build_is_one_sentence(worker: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mismatch is named, not the operator that happened to be missing first."""
    call_problems = stand.module("operators.signatures").call_problems

    def refuse(_name: str) -> None:
        raise RuntimeError("operator torchvision::nms does not exist")

    monkeypatch.setattr(worker.lookup.importlib, "import_module", refuse)
    monkeypatch.setattr(worker.lookup.importlib.util, "find_spec", lambda _name: object())
    worker.lookup.resolve.cache_clear()
    for call in ("torchvision.ops.box_area", "torchvision.ops.nms"):
        (problem,) = call_problems(call, 1, [])
        assert problem.startswith("the installed torchvision does not match PyTorch ")
        assert "operator torchvision::nms does not exist" in problem
    (problem,) = call_problems("elsewhere.op", 1, [])
    assert problem == "elsewhere cannot be imported: RuntimeError: operator torchvision::nms does not exist"


def test_forks_answer_die_and_hang() -> None:
    """A child's answer of any size arrives; an end without one says how it ended."""
    done = subprocess.run([sys.executable, "-c", FORK], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_prepared_fork_imports_nothing_for_a_tangent_and_looks_through_nothing() -> None:
    """What is lazy in torch is there before the fork, and what is there is kept from the collection of garbage."""
    done = subprocess.run([sys.executable, "-c", PREPARED], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
