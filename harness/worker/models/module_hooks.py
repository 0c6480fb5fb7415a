"""Forward hooks on every module: the formats of what it gets and gives, and the oneDNN reorders in between."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from types import TracebackType
from typing import Callable, Dict, List, Type

import torch

from ...portable.model_protocol import ModuleCallData
from .. import kernel_trace, tensors
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
    permuted_input: bool
    is_parent: bool = False


class ModuleHooks(KernelCounts):
    """Hooks on all modules while its context lasts. The first forward pass is recorded, later ones only counted."""

    def __init__(self, model: torch.nn.Module, log: kernel_trace.Trace) -> None:
        super().__init__(log)
        self._model = model
        self._handles: List[torch.utils.hooks.RemovableHandle] = []
        self._open: List[_OpenCall] = []
        self._last_images: List[torch.Tensor] = []
        self._is_done = False

    def __enter__(self) -> None:
        super().__enter__()
        for path, module in self._model.named_modules():
            self._handles.append(module.register_forward_pre_hook(self._begin))
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

    def _begin(self, module: torch.nn.Module, args: object) -> None:
        """Note what the module gets; the reorders so far belong to whoever called it."""
        del module
        self.drain()
        if self._open:
            self._open[-1].is_parent = True
        # formats are read before the call: an in-place module changes what it was given
        inputs = images(args)
        dtypes = [tensors.name_of(image.dtype) for image in inputs]
        permuted = any(_is_permutation(image, other) for image in inputs for other in self._last_images)
        self._open.append(_OpenCall(list(map(format_name, inputs)), dtypes, permuted))

    def _end_hook(self, path: str) -> Callable[[torch.nn.Module, object, object], None]:
        def end(module: torch.nn.Module, args: object, output: object) -> None:
            """Record what it gives back, and the reorders since the last module began or ended."""
            reorders = self.drain()
            call = self._open.pop()
            if self._is_done:
                return
            outputs = self._last_images = images(output)
            self.calls.append(
                {
                    "path": path,
                    "class_name": type(module).__name__,
                    "input_formats": call.input_formats,
                    "output_formats": list(map(format_name, outputs)),
                    "input_dtypes": call.input_dtypes,
                    "is_view": bool(outputs) and all(_is_view_or_windows(image, images(args)) for image in outputs),
                    "is_parent": call.is_parent,
                    "reorders": reorders,
                    "permuted_input": call.permuted_input,
                }
            )
            if not self._open:
                self._is_done, self._last_images = True, []

        return end


def _shares_memory(tensor: torch.Tensor, others: List[torch.Tensor]) -> bool:
    return any(_storage_address(tensor) == _storage_address(other) for other in others)


def _is_view_or_windows(output: torch.Tensor, inputs: List[torch.Tensor]) -> bool:
    """Whether a result is a view of what was given, or windows of it, (N, windows, pixels, C): no image any more."""
    return _shares_memory(output, inputs) or any(
        output.numel() == image.numel() and output.shape != image.shape and output.shape[-1] == image.shape[1]
        for image in inputs
    )


def _is_permutation(tensor: torch.Tensor, other: torch.Tensor) -> bool:
    """Whether a tensor is another one with its dimensions in another order."""
    here, there = (list(zip(view.shape, view.stride())) for view in (tensor, other))
    return here != there and sorted(here) == sorted(there) and _shares_memory(tensor, [other])


def _storage_address(tensor: torch.Tensor) -> int:
    """Where a tensor's storage begins; PyTorch before 2.0 has no untyped storage of it."""
    storage = getattr(tensor, "untyped_storage", tensor.storage)()
    return int(storage.data_ptr())
