"""Cases, examples and levels for the tests of execution."""

from __future__ import annotations

import importlib
import platform
from pathlib import Path
from types import ModuleType
from typing import Any

from harness.core import Case, Example, Expression, Level, Numerics, TensorSpec
from harness.execution.workers import bundle

MACHINE = platform.machine()
SSE41 = Level("sse41", MACHINE, "SSE41", "default", ("sse4_1",), (), ("sse41",))
AVX = Level("avx", MACHINE, "AVX", "default", ("avx",), ("sse41",), ("avx",))
AVX2 = Level("avx2", MACHINE, "AVX2", "avx2", ("avx2",), ("sse41",), ("avx2",))
AVX512 = Level("avx512_core", MACHINE, "AVX512_CORE", "avx512", ("avx512f",), ("avx2",), ("avx512_core",))
PRELOAD = Path(__file__).with_name("misbehaving.py")


def module(name: str) -> ModuleType:
    """A module of the worker, such as ``reference.monte_carlo``, in this process."""
    bundle.load_in_this_process()
    return importlib.import_module(f"{bundle.PACKAGE}.worker.{name}")


def tensor(name: str, *shape: str, **options: Any) -> TensorSpec:
    """A tensor spec from expression texts."""
    return TensorSpec(name, tuple(map(Expression.parse, shape)), channels_last=len(shape) == 4, **options)


def case(call: str, *tensors: TensorSpec, rules: Any = ("exact", "multilinear"), **options: Any) -> Case:
    """A case of that callable; without tensors it takes one, `x`, of shape N, C, H, W."""
    terms = options.pop("terms", None)
    numerics = Numerics(*rules, terms=None if terms is None else Expression.parse(terms))
    specs = tensors or (tensor("x", "N", "C", "H", "W"),)
    name = call.rpartition(".")[2]
    return Case(f"stand.yaml::{name}", name, "stand.yaml", 1, call, (), specs, numerics, **options)


def example(one: Case, dtype: str = "float32", **options: Any) -> Example:
    """An example of the case: N = 2, C = 3, H = 4, W = 5, all of it contiguous, unless `options` say otherwise."""
    sizes = {"N": 2, "C": 3, "H": 4, "W": 5, **options.pop("sizes", {})}
    names = [spec.name for spec in one.tensors if spec.name not in options.get("absent", ())]
    layouts = dict.fromkeys([*names, "grad_output"], "contiguous") | options.pop("layouts", {})
    return Example(one.id, dtype, sizes, layouts, **options)


CONV2D = case(
    "torch.nn.functional.conv2d",
    tensor("input", "N", "C", "H", "W"),
    tensor("weight", "K", "C", "3", "3"),
    tensor("bias", "K", optional=True),
    rules=("multilinear", "multilinear"),
    arguments={"padding": 1},
)
MAX_POOL2D = case(
    "torch.nn.functional.max_pool2d",
    rules=("exact", "selection"),
    arguments={"kernel_size": Expression.parse("2"), "return_indices": True},
)
