"""Forward hooks on every module: the formats of what it gets and gives, and the oneDNN reorders in between."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from types import TracebackType
from typing import Callable, Dict, List, Type

import torch

from ...portable.model_protocol import ModuleCallData
from .. import kernel_trace, tensors
from .forward_hooks import register_beginning_hook
from .image_format import format_name, images


class KernelCounts:
    """Counts the kernels of a whole run, and sees no module: for what runs without Python's modules."""

    def __init__(self, log: kernel_trace.Trace) -> None:
        self.calls: List[ModuleCallData] = []
        self._log = log
        self._counts: Counter[str] = Counter()

    def __enter__(self) -> None:
        self._log.text()

    def __exit__(
        self,
        kind: Type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.drain()

    def drain(self) -> int:
        """Count what oneDNN printed since the last call; the number of reorders in it."""
        fresh = self._log.drain()
        self._counts.update(fresh)
        return sum(count for name, count in fresh.items() if name.startswith("reorder:"))

    def kernels(self) -> Dict[str, int]:
        """The implementations of the whole run, with counts."""
        return dict(self._counts)


@dataclass
class _OpenCall:
    """A module call that has begun and not ended."""

    input_formats: List[str]
    input_dtypes: List[str]
    reorders: int = 0


class ModuleHooks(KernelCounts):
    """Hooks on all modules while its context lasts. The first forward pass is recorded, later ones only counted."""

    def __init__(self, model: torch.nn.Module, log: kernel_trace.Trace) -> None:
        super().__init__(log)
        self._model = model
        self._handles: List[torch.utils.hooks.RemovableHandle] = []
        self._open: List[_OpenCall] = []
        self._is_done = False

    def __enter__(self) -> None:
        super().__enter__()
        for path, module in self._model.named_modules():
            self._handles.append(register_beginning_hook(module, self._begin))
            self._handles.append(module.register_forward_hook(self._end_hook(path)))

    def __exit__(
        self,
        kind: Type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for handle in self._handles:
            handle.remove()
        super().__exit__(kind, error, trace)

    def _begin(self, _module: torch.nn.Module, args: object, kwargs: object = None) -> None:
        """Note what the module gets."""
        self._count_reorders()
        # formats are read before the call: an in-place module changes what it was given
        inputs = images([args, kwargs])
        dtypes = [tensors.name_of(image.dtype) for image in inputs]
        self._open.append(_OpenCall(list(map(format_name, inputs)), dtypes))

    def _end_hook(self, path: str) -> Callable[[torch.nn.Module, object, object], None]:
        def end(module: torch.nn.Module, _args: object, _output: object) -> None:
            """Record what it got, and the reorders in its own forward."""
            self._count_reorders()
            call = self._open.pop()
            if self._is_done:
                return
            self.calls.append(
                {
                    "path": path,
                    "class_name": type(module).__name__,
                    "input_formats": call.input_formats,
                    "input_dtypes": call.input_dtypes,
                    "reorders": call.reorders,
                }
            )
            if not self._open:
                self._is_done = True

        return end

    def _count_reorders(self) -> None:
        """The reorders so far are those of the module that is at work."""
        reorders = self.drain()
        if self._open:
            self._open[-1].reorders += reorders
