"""The share of the time that goes to the operators under test, in one process, where clocks can be put around them."""

from __future__ import annotations

import importlib
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from benchmarks.borrowed_torch import borrow_torch
from benchmarks.runs import Item, open_executor, run_cost, suite_items, table, warm_up
from harness.execution.workers import bundle


class Clocks:
    """Seconds by name, each of the outermost of the calls that are measured: what one calls is part of it."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self._is_running = False

    def wrap(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function with a clock around it."""

        def call(*positional: Any, **keywords: Any) -> Any:
            if self._is_running:
                return function(*positional, **keywords)
            self._is_running, started = True, time.perf_counter()
            try:
                return function(*positional, **keywords)
            finally:
                self._is_running = False
                self.seconds[name] += time.perf_counter() - started

        return call


def report(examples: int, python: str | None, items: Sequence[Item] | None = None) -> str:
    """The shares of forward and backward of one cell, of the reference, and of the rest of the harness."""
    items = items or suite_items("convolution", ["conv2d"], ["float32"])
    borrow_torch(python)
    clocks = Clocks()
    with open_executor(None, in_process=True) as executor:
        warm_up(executor, items)
        put_back = _put_clocks(clocks)
        try:
            cost = run_cost(executor, items, examples)
        finally:
            put_back()
    seconds = dict(clocks.seconds)
    seconds["harness"] = cost.wall - sum(seconds.values())
    return table(("part", "share"), [(name, f"{part / cost.wall:.0%}") for name, part in seconds.items()])


def _put_clocks(clocks: Clocks) -> Callable[[], None]:
    """Put clocks on the calls of the worker in this process; what takes them off again."""
    modules = [
        importlib.import_module(f"{bundle.PACKAGE}.worker.{name}") for name in ("operators.invoke", "reference.float64")
    ]
    autograd = importlib.import_module("torch").autograd
    places = [("forward", modules[0], "invoke"), ("reference", modules[1], "refer"), ("backward", autograd, "grad")]
    before = [getattr(owner, attribute) for _name, owner, attribute in places]
    for (name, owner, attribute), function in zip(places, before, strict=True):
        setattr(owner, attribute, clocks.wrap(name, function))

    def put_back() -> None:
        for (_name, owner, attribute), function in zip(places, before, strict=True):
            setattr(owner, attribute, function)

    return put_back
