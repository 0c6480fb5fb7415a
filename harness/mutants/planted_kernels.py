"""What a worker loads before anything else: kernels that call ATen's own, and spoil the result of one mutant at a time.

A preload file; PyTorch 2.9 or newer, Python 3.8. It is copied into a folder with `catalogue.json`, what each mutant is,
and `active`, a file that says which of them is planted just now: so the same workers serve all mutants. That file is
mapped into memory, since it is looked at whenever one of the kernels is called.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import json
import mmap
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch

FOLDER = Path(__file__).parent
MUTANTS = json.loads((FOLDER / "catalogue.json").read_text("utf-8"))
BUSY: list[bool] = []
"""Not empty while the words of a mutant are run."""
CALLS: Counter[str] = Counter()
MEMORY: dict[str, Any] = {}
"""What a mutant keeps from one call to the next, by its own name and any other."""

with (FOLDER / "active").open("rb") as file:
    _ACTIVE = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)


def active_mutant() -> str:
    """The name of the mutant that is planted; empty for none."""
    return _ACTIVE[:].rstrip(b"\0").decode()


def is_channels_last(tensor: torch.Tensor) -> bool:
    """Whether the tensor is dense in channels-last order and in no other."""
    formats = {4: torch.channels_last, 5: torch.channels_last_3d}
    name = formats.get(tensor.dim())
    return name is not None and tensor.is_contiguous(memory_format=name) and not tensor.is_contiguous()


def is_dense(tensor: torch.Tensor) -> bool:
    """Whether the tensor has no gap and no element twice."""
    return bool(torch.ops.aten.is_non_overlapping_and_dense(tensor))


def die() -> None:
    """Read address 0."""
    ctypes.string_at(0)


def hang() -> None:
    """Go on until the mutant is taken out again, or this process is ended."""
    name = active_mutant()
    while active_mutant() == name:
        pass


def leave(tensor: torch.Tensor, index: Any) -> torch.Tensor:
    """A copy in fresh memory, of which the elements at `index` are never written."""
    copy = torch.empty_like(tensor)
    written = torch.ones(tensor.shape, dtype=torch.bool)
    written[index] = False
    copy[written] = tensor[written]
    return copy


TOOLS = {
    "torch": torch,
    "os": os,
    "time": time,
    "dense": is_dense,
    "last": is_channels_last,
    "die": die,
    "hang": hang,
    "leave": leave,
    "memory": MEMORY,
}
"""What the words of a mutant may use beside what is true of the call."""


def names_of(operand: torch.Tensor, arguments: Any, options: Any) -> dict[str, Any]:
    """What the words `when`, `instead` and `spoil` of a mutant may use, of the call of its operator."""
    shape = list(operand.shape)
    sizes = {**dict.fromkeys("NCDHW", 1)}
    sizes.update(zip("NC", shape))  # noqa: B905 - Python 3.8 has no strict
    sizes.update(zip("WHD", shape[:1:-1]))  # noqa: B905 - as above
    return {
        **TOOLS,
        **sizes,
        "x": operand,
        "args": arguments,
        "options": options,
        "arg": lambda index, default: arguments[index] if index < len(arguments) else default,
        "nhwc": is_channels_last(operand),
        "dtype": str(operand.dtype).rpartition(".")[2],
        "threads": torch.get_num_threads(),
        "pid": os.getpid(),
    }


@contextlib.contextmanager
def words_of_a_mutant() -> Iterator[None]:
    """Within, every kernel is ATen's own: what a mutant does to a result calls operators too."""
    BUSY.append(True)
    try:
        yield
    finally:
        BUSY.pop()


class PlantedMutant:
    """One entry of the catalogue, compiled."""

    def __init__(self, name: str, entry: dict[str, Any]) -> None:
        self.name = name
        self.operand = entry["operand"]
        self.bites_here = entry["capability"] in ("", torch.backends.cpu.get_cpu_capability().lower())
        self.when = compile(entry["when"] or "True", name + ".when", "eval")
        self.instead = compile(entry["instead"], name + ".instead", "eval") if entry["instead"] else None
        self.spoil = compile(entry["spoil"], name + ".spoil", "exec")

    def answer(self, call: Callable[..., Any], arguments: Any, options: Any) -> Any:
        """What the kernel returns: the original's result where the mutant does not bite, else a spoilt one."""
        if not self.bites_here:
            return call(*arguments, **options)
        names = names_of(tensors_of(arguments)[self.operand], arguments, options)
        names["call"] = call
        CALLS[self.name] += 1
        names["count"] = CALLS[self.name]
        with torch.no_grad(), words_of_a_mutant():
            if not eval(self.when, names):  # noqa: S307 - the catalogue is the project's own
                return call(*arguments, **options)
            result = call(*arguments, **options) if self.instead is None else eval(self.instead, names)  # noqa: S307 - as above
            return self._spoilt(result, names)

    def _spoilt(self, result: Any, names: dict[str, Any]) -> Any:
        """The result after `spoil`, which may change `y`, its first tensor, or the list `results` of all of them."""
        is_single = not isinstance(result, (tuple, list))
        results = [result] if is_single else list(result)
        first = results[0]
        names.update(y=first, results=results)
        exec(self.spoil, names)  # noqa: S102 - as above
        if names["y"] is not first:
            results[0] = names["y"]
        return results[0] if is_single else tuple(results)


def tensors_of(arguments: Any) -> list[torch.Tensor]:
    """The tensors among the arguments, those in lists too, in order."""
    tensors: list[torch.Tensor] = []
    for argument in arguments:
        if isinstance(argument, torch.Tensor):
            tensors.append(argument)
        elif isinstance(argument, (list, tuple)):
            tensors += [part for part in argument if isinstance(part, torch.Tensor)]
    return tensors


def tensor_positions(namespace: str, name: str) -> list[bool]:
    """Which of the arguments of an operator are tensors."""
    packet, _, overload = name.partition(".")
    operator = getattr(getattr(getattr(torch.ops, namespace), packet), overload or "default")
    schema = operator._schema  # noqa: SLF001 - PyTorch has no public name for it
    return [str(argument.type) in ("Tensor", "Optional[Tensor]") for argument in schema.arguments]


def with_tensors(arguments: Any, takes_tensor: list[bool]) -> Any:
    """The arguments, with a tensor for each number that PyTorch had wrapped in one, and unwrapped for a Python kernel.

    Its dtype decides nothing where another operand has one of the same kind.
    """
    is_floating = any(torch.is_tensor(value) and value.is_floating_point() for value in arguments)
    fitting = {float: torch.float64 if is_floating else torch.get_default_dtype(), int: torch.int64, bool: torch.bool}
    return tuple(
        torch.scalar_tensor(value, dtype=fitting.get(type(value), torch.complex64))
        if is_tensor and isinstance(value, (int, float, complex))
        else value
        for value, is_tensor in zip(arguments, takes_tensor)  # noqa: B905 - as above
    )


def plant(operator: str, mutants: dict[str, PlantedMutant]) -> torch.library.Library:
    """Put a kernel that looks for the mutant of the moment in the place of the stock one, as long as the library lives.

    What is not ATen's is of the package of its namespace, ``torchvision::nms``, and left alone where that is not there.
    """
    namespace, _, name = operator.rpartition("::")
    library = torch.library.Library(namespace or "aten", "IMPL")
    if namespace:
        try:
            importlib.import_module(namespace)
        except ImportError:
            return library
    original = torch.library.get_kernel((namespace or "aten") + "::" + name, "CPU")
    takes_tensor = tensor_positions(namespace or "aten", name)

    def kernel(keyset: Any, *boxed: Any, **options: Any) -> Any:
        """What the mutant of the moment returns, or the stock kernel where none is planted."""
        arguments = boxed if all(map(torch.is_tensor, boxed)) else with_tensors(boxed, takes_tensor)

        def call(*values: Any, **named: Any) -> Any:
            return original.call_boxed(keyset, *values, **named)

        mutant = None if BUSY else mutants.get(active_mutant())
        return mutant.answer(call, arguments, options) if mutant else call(*arguments, **options)

    library.impl(name, kernel, "CPU", with_keyset=True, allow_override=True)
    return library


def plant_all() -> list[torch.library.Library]:
    """Replace each operator of the catalogue once, with all the mutants of it."""
    by_operator: dict[str, dict[str, PlantedMutant]] = {}
    for name, entry in MUTANTS.items():
        by_operator.setdefault(entry["operator"], {})[name] = PlantedMutant(name, entry)
    return [plant(operator, mutants) for operator, mutants in by_operator.items()]


LIBRARIES = plant_all()
