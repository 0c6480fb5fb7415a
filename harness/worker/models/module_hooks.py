"""Forward hooks that see every module: the formats of what it gets and gives, and the oneDNN reorders in between."""

from __future__ import annotations

from collections import Counter
from types import TracebackType
from typing import Any, Dict, List, Tuple

import torch

from .. import kernel_trace, pytree, tensors

Record = Tuple[str, str, List[str], List[str], bool, bool, int, List[str], bool]
"""Path, class, formats of the images given and returned, whether it is a view or has its features last, whether it
called modules, reorders, dtypes of the images given, whether one of them is a turned image of the module before."""


class NoHooks:
    """Sees no module, and counts the kernels of the whole run: for what runs without Python's modules."""

    def __init__(self, log: kernel_trace.Trace) -> None:
        self.records: List[Record] = []
        self._log = log
        self._counts: Counter[str] = Counter()

    def __enter__(self) -> Any:
        self._log.text()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
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


class ModuleHooks(NoHooks):
    """Hooks on all modules while its context lasts. The first forward pass is recorded, later ones only counted."""

    def __init__(self, model: Any, log: kernel_trace.Trace) -> None:
        super().__init__(log)
        self._model = model
        self._handles: List[Any] = []
        self._open: List[List[Any]] = []
        self._last: List[Any] = []
        self._done = False

    def __enter__(self) -> Any:
        super().__enter__()
        for path, module in self._model.named_modules():
            self._handles.append(module.register_forward_pre_hook(self._enterer()))
            self._handles.append(module.register_forward_hook(self._leaver(path)))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for handle in self._handles:
            handle.remove()
        super().__exit__(kind, error, trace)

    def _enterer(self) -> Any:
        def enter(module: Any, given: Any) -> None:
            """Note what the module gets; the reorders so far belong to whoever called it."""
            del module
            self.drain()
            if self._open:
                self._open[-1][1] = True
            # formats are read before the call: an in-place module changes what it was given
            images = _images(given)
            dtypes = [tensors.name_of(one.dtype) for one in images]
            turned = any(_turned(one, other) for one in images for other in self._last)
            self._open.append([[pytree.formatted(one) for one in images], False, dtypes, turned])

        return enter

    def _leaver(self, path: str) -> Any:
        def leave(module: Any, given: Any, output: Any) -> None:
            """Record what it gives back, and the reorders since the last module began or ended."""
            reorders = self.drain()
            formats, parent, dtypes, turned = self._open.pop()
            if self._done:
                return
            returned = self._last = _images(output)
            alias = bool(returned) and all(_viewed(one, _images(given)) for one in returned)
            given_back = [pytree.formatted(one) for one in returned]
            kind = type(module).__name__
            self.records.append((path, kind, formats, given_back, alias, parent, reorders, dtypes, turned))
            if not self._open:
                self._done, self._last = True, []

        return leave


def _images(part: Any) -> List[Any]:
    """The four- and five-dimensional tensors of a call's arguments or result; what is no container holds none."""
    if isinstance(part, torch.Tensor):
        return [part] if part.dim() in (4, 5) else []
    if isinstance(part, dict):
        part = tuple(part.values())
    return [tensor for item in part for tensor in _images(item)] if isinstance(part, (tuple, list)) else []


def _shares(one: Any, others: List[Any]) -> bool:
    return any(_memory(one) == _memory(other) for other in others)


def _viewed(one: Any, given: List[Any]) -> bool:
    """Whether a result is a view of what was given, or windows of it, (N, windows, pixels, C): no image any more."""
    return _shares(one, given) or any(
        one.numel() == other.numel() and one.shape != other.shape and one.shape[-1] == other.shape[1] for other in given
    )


def _turned(one: Any, other: Any) -> bool:
    """Whether a tensor is another one with its dimensions in another order."""
    here, there = (list(zip(tensor.shape, tensor.stride())) for tensor in (one, other))
    return here != there and sorted(here) == sorted(there) and _shares(one, [other])


def _memory(tensor: Any) -> int:
    """Where a tensor's storage begins; PyTorch before 2.0 has no untyped storage of it."""
    storage = getattr(tensor, "untyped_storage", tensor.storage)()
    return int(storage.data_ptr())
