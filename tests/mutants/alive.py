"""Run in the interpreter under test: which mutants change the call that their entry says shows them.

``python alive.py FOLDER``, FOLDER being what `open_planting` made; prints a JSON object: name → what its call came to.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional

FOLDER = Path(sys.argv[1])
LONGEST_NAME = 128
PATIENCE = 3.0
"""Seconds after which a call hangs."""


def nchw(*shape: int) -> torch.Tensor:
    """Numbers from 1 on, contiguous."""
    return torch.arange(1.0, 1.0 + torch.Size(shape).numel()).reshape(shape)


def nhwc(*shape: int) -> torch.Tensor:
    """The same in channels-last."""
    return nchw(*shape).to(memory_format=torch.channels_last if len(shape) == 4 else torch.channels_last_3d)


def gradients(function: Callable[..., Any], *tensors: torch.Tensor, grad_output: torch.Tensor | None = None) -> Any:
    """The output, and the gradient of each floating tensor; `grad_output` is of ones in the output's layout without."""
    leaves = [tensor.requires_grad_() if tensor.is_floating_point() else tensor for tensor in tensors]
    output = function(*leaves)
    first = output[0] if isinstance(output, tuple) else output
    inputs = [leaf for leaf in leaves if leaf.requires_grad]
    ones = torch.ones_like(first) if grad_output is None else grad_output
    return [output, *torch.autograd.grad(first, inputs, ones, allow_unused=True)]


def two_threads(work: Callable[[], Any]) -> Any:
    """What it gives with two threads."""
    torch.set_num_threads(2)
    try:
        return work()
    finally:
        torch.set_num_threads(1)


def with_input(function: Callable[..., Any], *tensors: torch.Tensor) -> Any:
    """The output and what became of the input."""
    return [function(*tensors), *tensors]


def autocast(work: Callable[[], Any]) -> Any:
    """What it gives under autocast."""
    with torch.autocast("cpu", dtype=torch.bfloat16):
        return work()


def nan(*shape: int) -> torch.Tensor:
    """All of it NaN."""
    return torch.full(shape, float("nan"))


NAMES = {
    "torch": torch, "F": functional, "nchw": nchw, "nhwc": nhwc, "gradients": gradients, "two_threads": two_threads,
    "with_input": with_input, "autocast": autocast, "nan": nan,
}  # fmt: skip


def plant(name: str) -> None:
    """Make it the mutant of the moment."""
    with (FOLDER / "active").open("r+b") as file:
        file.write(name.encode().ljust(LONGEST_NAME, b"\0"))


def comparable(value: Any) -> Any:
    """All of a result that can differ: dtypes, shapes, strides over what is larger than 1, and bytes."""
    if isinstance(value, torch.Tensor):
        strides = [stride for stride, size in zip(value.stride(), value.shape, strict=True) if size > 1]
        flat = value.detach().contiguous().reshape(-1)
        plain = torch.view_as_real(flat).reshape(-1) if flat.is_complex() else flat
        if plain.is_floating_point():  # one NaN is as good as another
            plain = torch.where(plain.isnan(), torch.full_like(plain, float("nan")), plain)
        return str(value.dtype), tuple(value.shape), strides, plain.view(torch.uint8).tolist()
    return [comparable(part) for part in value] if isinstance(value, (list, tuple)) else value


def outcome(name: str, expression: str) -> Any:
    """What the call gives with that mutant, or the error that it raises; it is read without one."""
    torch.manual_seed(0)
    plant(name)
    try:
        value = eval(expression, dict(NAMES))  # noqa: S307 - the catalogue is this project's own
    except Exception as error:  # noqa: BLE001 - whatever the operator raises is what it does
        return type(error).__name__, str(error).splitlines()[0]
    finally:
        plant("")
    return comparable(value)


def end_of_fork(expression: str) -> str:
    """How a fork that does the call ends."""
    child = os.fork()
    if child == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        eval(expression, dict(NAMES))  # noqa: S307 - as above
        os._exit(0)
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return f"ended by {signal.Signals(status).name}" if os.WIFSIGNALED(status) else ""
        time.sleep(0.01)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return "never ended"


def difference(name: str, entry: dict[str, Any]) -> str:
    """What the mutant changes of its call; empty for nothing."""
    if entry["fault_class"] in ("crash", "hang"):
        plant(name)
        return end_of_fork(entry["shows"])
    stock, planted = outcome("", entry["shows"]), outcome(name, entry["shows"])
    if planted == stock or (is_error(planted) and entry["fault_class"] != "refusal"):
        return ""
    return f"differs: {str(planted)[:120]}"


def is_error(answer: Any) -> bool:
    """Whether a call raised."""
    return isinstance(answer, tuple) and isinstance(answer[0], str) and answer[0].endswith("Error")


def main() -> None:
    """Try every mutant, the ones that end the process first: forks are made before threads are."""
    torch.set_num_threads(1)
    sys.path.insert(0, str(FOLDER))
    __import__("planted_kernels")
    entries = json.loads((FOLDER / "catalogue.json").read_text("utf-8"))
    order = sorted(entries, key=lambda name: entries[name]["fault_class"] not in ("crash", "hang"))
    capability = torch.backends.cpu.get_cpu_capability().lower()
    differences = {name: difference(name, entries[name]) for name in order}
    print(json.dumps({"capability": capability, "differences": differences}))  # noqa: T201 - its answer


main()
