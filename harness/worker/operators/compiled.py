"""A call compiled by torch.compile: once for a callable, with dynamic shapes, so that one program serves many."""

from __future__ import annotations

import contextlib
import importlib
import os
import shutil
from typing import Callable, Iterator, List, Set, Tuple

import torch

from .. import pytree
from ..call import Call
from . import invoke, lookup

Program = Callable[..., object]

RECOMPILATIONS = 64
"""Programs of one callable: another for each order of strides, rank and argument that is no number. Beyond them Dynamo
would run the call itself without a word, and is told to raise."""

_SETTINGS = {
    "recompile_limit": RECOMPILATIONS,
    "cache_size_limit": RECOMPILATIONS,
    "fail_on_recompile_limit_hit": True,
}

PATHS = ("compile", "cached")
"""Ways to run a call that compile it; ``cached`` with the code in the cache that another level has left there."""

WRITER = "avx512"
"""The level of ATEN_CPU_CAPABILITY whose code is left in the cache. Inductor reads it whenever it compiles, and so this
process can write for the other level itself: one of its own would cost another import, and its settings are others."""

_programs: dict[str, Program] = {}
_written: Set[Tuple[object, ...]] = set()


def compiler_problem() -> str:
    """Why nothing can be compiled here; empty where it can."""
    if not hasattr(torch, "compile"):
        return "torch.compile came with PyTorch 2.0"
    try:
        config = importlib.import_module("torch._inductor.config")
    except ImportError:
        return "this PyTorch has no inductor"
    if any(shutil.which(name) for name in _compiler_names(config.cpp.cxx)):
        return ""
    return "inductor needs a C++ compiler, and none is on the path; install g++ or clang, or name it in CXX"


def _compiler_names(cxx: object) -> List[str]:
    """Inductor's setting is a name or a sequence of names to try, of which some may be None."""
    return [str(name) for name in (cxx if isinstance(cxx, (tuple, list)) else [cxx]) if name]


def path_problem(path: str) -> str:
    """What a way to run a call needs and is not here; empty where it is."""
    problem = compiler_problem() if path in PATHS else ""
    if not problem and path == "cached" and not torch.cpu._is_avx512_supported():
        return "this CPU has no AVX-512, with which the code in the cache is made"
    return problem


def call_compiled(call: Call, inputs: invoke.Inputs) -> List[torch.Tensor]:
    """What the compiled call returns. Raises what it or its compilation raises."""
    positional = tuple(invoke.resolve_argument(value, inputs) for value in call.positional)
    keywords = {name: invoke.resolve_argument(value, inputs) for name, value in call.arguments.items()}
    key = f"{call.path} {call.call}"
    if call.path == "compile":
        program = _programs.get(key) or _new_program(key, call.call)
        return pytree.flatten(program(*positional, **keywords))
    shared = f"{os.environ['TORCHINDUCTOR_CACHE_DIR']}-shared"  # which every worker has
    layouts = [(tuple(tensor.shape), tensor.stride()) for tensor in inputs.values() if tensor is not None]
    with _variable("TORCHINDUCTOR_CACHE_DIR", shared):
        if (key, *layouts) not in _written:
            with _variable("ATEN_CPU_CAPABILITY", WRITER):
                _new_program(key, call.call)(*positional, **keywords)
            _new_program(key, call.call)  # which knows nothing of what is written
            _written.add((key, *layouts))
        program = _programs.get(key) or _new_program(key, call.call)
        return pytree.flatten(program(*positional, **keywords))


@contextlib.contextmanager
def _variable(name: str, value: str) -> Iterator[None]:
    """A variable of the environment is for a while another."""
    own = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        os.environ.pop(name)
        if own is not None:
            os.environ[name] = own


def _new_program(key: str, name: str) -> Program:
    """The program of a callable; that of the one before is forgotten, with the guards that would be looked through."""
    function = lookup.resolve(name)

    def program(*positional: object, **keywords: object) -> object:
        """The call alone: what it is compiled with are its tensors and numbers."""
        return function(*positional, **keywords)

    dynamo = importlib.import_module("torch._dynamo")
    dynamo.reset()
    for setting, value in _SETTINGS.items():
        if hasattr(dynamo.config, setting):  # each release has some of them
            setattr(dynamo.config, setting, value)
    _programs.clear()
    _programs[key] = torch.compile(program, dynamic=True, fullgraph=True)
    return _programs[key]
