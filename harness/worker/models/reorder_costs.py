"""What oneDNN's reorders cost in a step, as its verbose lines say, and in which module: forward and backward."""

from __future__ import annotations

from typing import Callable, Dict, Iterator, List

import torch

from .. import kernel_trace, pytree
from .forward_hooks import register_beginning_hook
from .operator_costs import PASSES, CostKey, Costs, ModuleName, median_costs

REORDER = "reorder"
"""oneDNN's name of the primitive that changes a layout."""


class ReorderLog:
    """Reads oneDNN's lines at each change of the module at work; `costs` are the seconds of the reorders in them."""

    def __init__(self, model: torch.nn.Module, log: kernel_trace.Trace) -> None:
        self.costs: Costs = {}
        self._model = model
        self._log = log
        self._open: List[ModuleName] = []
        self._nodes: Dict[object, ModuleName] = {}
        self._handles: List[torch.utils.hooks.RemovableHandle] = []

    def __enter__(self) -> None:
        self._log.text()
        for path, module in self._model.named_modules():
            name = ModuleName(path, type(module).__name__)
            self._handles.append(register_beginning_hook(module, self._beginning_hook(name)))
            self._handles.append(module.register_forward_hook(self._end))

    def __exit__(self, *_exception: object) -> None:
        self._drain(ModuleName("", ""))
        self._nodes.clear()
        for handle in self._handles:
            handle.remove()

    def _drain(self, name: ModuleName) -> None:
        """Give the reorders since the last change to a module."""
        for primitive, seconds in self._log.durations(self._log.text()):
            if primitive == REORDER:
                key = CostKey(name, REORDER, "reorder")
                self.costs[key] = self.costs.get(key, 0.0) + seconds

    def _beginning_hook(self, name: ModuleName) -> Callable[..., None]:
        def begin(_module: torch.nn.Module, *_arguments: object) -> None:
            """The module is at work; what was before belongs to whoever called it."""
            self._drain(self._open[-1] if self._open else ModuleName("", ""))
            self._open.append(name)

        return begin

    def _end(self, _module: torch.nn.Module, _args: object, output: object) -> None:
        """Its caller is at work again; the nodes of autograd that it has made are its own."""
        name = self._open.pop()
        self._drain(name)
        for tensor in pytree.flatten(output):
            for node in self._new_nodes(tensor.grad_fn):
                self._nodes[node] = name
                node.register_hook(self._node_hook(name))

    def _new_nodes(self, last: torch.autograd.graph.Node | None) -> Iterator[torch.autograd.graph.Node]:
        """The nodes before the last one, and it itself, that are nobody's yet."""
        waiting = [last]
        while waiting:
            node = waiting.pop()
            if node is not None and node not in self._nodes:
                yield node
                waiting += [before for before, _index in node.next_functions]

    def _node_hook(self, name: ModuleName) -> Callable[..., None]:
        def note(*_gradients: object) -> None:
            """What ran until here, in the backward, was the node's."""
            self._drain(name)

        return note


def reorder_costs(step: Callable[[], object], model: torch.nn.Module, log: kernel_trace.Trace) -> Costs:
    """What the reorders of one step cost by module: the median over several steps. Nothing where no log is read."""
    passes: List[Costs] = []
    if not log.active:
        return {}
    for _ in range(PASSES):
        reorders = ReorderLog(model, log)
        with torch.backends.mkldnn.verbose(torch.backends.mkldnn.VERBOSE_ON), reorders:
            step()
        passes.append(reorders.costs)
    return median_costs(passes)


def split_off_reorders(costs: Costs, reorders: Costs) -> Costs:
    """The costs of operators with the reorders in them apart, which the profiler does not tell from their kernels.

    They are taken from the costliest kernels of the same module; the two were measured in different steps, and where
    the reorders took longer than all kernels of the module no kernel is left of these.
    """
    split = dict(costs)
    for key, seconds in reorders.items():
        left = split[key] = seconds
        kernels = [each for each in costs if each.module == key.module and each.kind == "kernel"]
        for kernel in sorted(kernels, key=lambda each: -costs[each]):
            taken = min(left, split[kernel])
            split[kernel], left = split[kernel] - taken, left - taken
    return split
