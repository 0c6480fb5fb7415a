"""What each operator of a step costs, by the profiler, and which module called it: forward and backward."""

from __future__ import annotations

from statistics import median
from typing import Callable, Dict, List, Mapping, NamedTuple, Sequence, Tuple

import torch
from torch.autograd.profiler_util import FunctionEvent
from torch.profiler import ProfilerActivity, profile, record_function

from ...portable.timing_protocol import CostKind
from .forward_hooks import register_beginning_hook

PASSES = 7
"""Steps that are profiled. Of each operator the median counts: what else runs on the machine interrupts now this one,
now that one."""

_BACKWARD_SCOPE = 1
"""`RecordScope.BACKWARD_FUNCTION` of ATen/record_function.h: a node of autograd at work."""

_BOOKKEEPING = ("autograd::engine::", "Optimizer.")
"""How PyTorch begins the names of its own ranges around the backward of a node, and around what an optimiser does."""

STEP = "nhwc_equivalence step"
"""The range of a whole step; those of its modules are numbered."""


class ModuleName(NamedTuple):
    """A module: its path, empty for the model itself, and its class."""

    path: str
    class_name: str


class CostKey(NamedTuple):
    """What the seconds of a step are summed by."""

    module: ModuleName
    operator: str
    kind: CostKind


Costs = Dict[CostKey, float]
"""Seconds in one step."""


class ModuleRanges:
    """A profiler's range around each call of each module; `modules` are those of the model by the names of ranges."""

    def __init__(self, model: torch.nn.Module) -> None:
        self.model = model
        self.modules: Dict[str, ModuleName] = {}
        self._open: List[record_function] = []
        self._handles: List[torch.utils.hooks.RemovableHandle] = []

    def __enter__(self) -> None:
        for index, (path, module) in enumerate(self.model.named_modules()):
            name = f"{STEP} {index}"
            self.modules[name] = ModuleName(path, type(module).__name__)
            self._handles.append(register_beginning_hook(module, self._beginning_hook(name)))
            self._handles.append(module.register_forward_hook(self._end))

    def __exit__(self, *_exception: object) -> None:
        for handle in self._handles:
            handle.remove()

    def _beginning_hook(self, name: str) -> Callable[..., None]:
        def begin(_module: torch.nn.Module, *_arguments: object) -> None:
            """The module is at work."""
            self._open.append(record_function(name))
            self._open[-1].__enter__()

        return begin

    def _end(self, _module: torch.nn.Module, _args: object, _output: object) -> None:
        """Its caller is at work again."""
        self._open.pop().__exit__(None, None, None)


def operator_costs(step: Callable[[], object], model: torch.nn.Module, *, casts: bool) -> Costs:
    """What each operator costs in one step of the model, by the module that called it.

    `casts`: the step changes dtypes by itself, so that `_to_copy` is work and no copy between formats.
    """
    ranges = ModuleRanges(model)
    with ranges:
        return median_costs([sum_costs(profile_step(step), ranges.modules, casts=casts) for _ in range(PASSES)])


def median_costs(passes: Sequence[Costs]) -> Costs:
    """The median of each cost over several steps; what most of them have not is left out."""
    keys = {key for costs in passes for key in costs}
    medians = {key: median([costs.get(key, 0.0) for costs in passes]) for key in keys}
    return {key: seconds for key, seconds in medians.items() if seconds}


def profile_step(step: Callable[[], object]) -> Sequence[FunctionEvent]:
    """The events of one step, and of what the profiler does around it."""
    with profile(activities=[ProfilerActivity.CPU]) as profiler, record_function(STEP):
        step()
    events: Sequence[FunctionEvent] = profiler.events()
    return events


def sum_costs(events: Sequence[FunctionEvent], modules: Mapping[str, ModuleName], *, casts: bool) -> Costs:
    """The seconds of all events in a step by module and operator; together they are those of the step.

    `modules` are the names of the ranges of modules.
    """
    owners = _Owners(events, modules)
    costs: Costs = {}
    for event in events:
        if owners.is_in_step(event):
            is_range = event.name == STEP or event.name in modules
            key = CostKey(owners.owner(event), "" if is_range else event.name, _kind(event, is_range, casts=casts))
            costs[key] = costs.get(key, 0.0) + event.self_cpu_time_total * 1e-6
    return costs


def _kind(event: FunctionEvent, is_range: bool, *, casts: bool) -> CostKind:
    if is_range or event.scope == _BACKWARD_SCOPE or event.name.startswith(_BOOKKEEPING):
        return "overhead"
    if event.name != "aten::copy_":
        return "kernel"
    parent = event.cpu_parent
    return "kernel" if casts and parent is not None and parent.name == "aten::_to_copy" else "copy"


class _Owners:
    """Which module each event belongs to: the innermost range around it, and in the backward that of its forward."""

    def __init__(self, events: Sequence[FunctionEvent], modules: Mapping[str, ModuleName]) -> None:
        self._modules = modules
        self._known: Dict[int, Tuple[ModuleName, bool]] = {}
        self._by_sequence: Dict[int, ModuleName] = {}
        for event in sorted(events, key=lambda event: event.time_range.start):
            # operators that make no node of autograd show the number of the next one: the last is the maker
            if event.sequence_nr >= 0 and not event.fwd_thread and event.scope != _BACKWARD_SCOPE:
                self._by_sequence[event.sequence_nr] = self.owner(event)

    def owner(self, event: FunctionEvent) -> ModuleName:
        """The module of an event; the model itself where none is known."""
        return self._look_up(event)[0]

    def is_in_step(self, event: FunctionEvent) -> bool:
        """Whether it is part of the step, and not of what is around it."""
        return self._look_up(event)[1]

    def _look_up(self, event: FunctionEvent) -> Tuple[ModuleName, bool]:
        """Its module, and whether it is part of the step."""
        if id(event) not in self._known:
            self._known[id(event)] = self._find(event)
        return self._known[id(event)]

    def _find(self, event: FunctionEvent) -> Tuple[ModuleName, bool]:
        above = ModuleName("", ""), event.name == STEP
        if event.cpu_parent is not None:
            above = self._look_up(event.cpu_parent)
        if event.name in self._modules:
            return self._modules[event.name], above[1]
        if event.scope == _BACKWARD_SCOPE or event.fwd_thread:
            return self._by_sequence.get(event.sequence_nr, above[0]), above[1]
        return above
