"""What can be switched for a while in a worker: oneDNN, the filling of memory before it is handed out, settings."""

from __future__ import annotations

import contextlib
import ctypes
import warnings
from typing import Callable, ContextManager, Dict, Iterator, TypeVar

import torch

from ...portable import poison, settings

T = TypeVar("T")

M_PERTURB = -6
"""The parameter of mallopt(3) that MALLOC_PERTURB_ sets, in glibc's malloc.h."""


@contextlib.contextmanager
def without(*, onednn: bool = False, poison: bool = False) -> Iterator[None]:
    """Switch these off; as before when it ends."""
    with contextlib.ExitStack() as stack:
        if onednn:
            stack.enter_context(without_onednn())
        if poison:
            stack.enter_context(without_poison())
        yield


@contextlib.contextmanager
def _with_value(put: Callable[[T], None], value: T, usual: T) -> Iterator[None]:
    """Put a value, and the usual one back when it ends."""
    put(value)
    try:
        yield
    finally:
        put(usual)


def without_onednn() -> ContextManager[None]:
    """Switch oneDNN off; as before when it ends."""
    return _with_value(torch._C._set_mkldnn_enabled, False, torch._C._get_mkldnn_enabled())  # noqa: FBT003 - a value


@contextlib.contextmanager
def without_poison() -> Iterator[None]:
    """Hand memory out as it is; filled again when it ends. Where malloc is not glibc's it is never filled."""
    set_option = getattr(ctypes.CDLL(None), "mallopt", None)
    if set_option is None:
        yield
        return
    set_option(M_PERTURB, 0)
    try:
        yield
    finally:
        set_option(M_PERTURB, poison.PERTURB)


@contextlib.contextmanager
def _deterministic() -> Iterator[None]:
    """Ask for deterministic kernels, with a warning where there is none; as before when it ends."""
    before = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.use_deterministic_algorithms(True, warn_only=True)  # noqa: FBT003 - it has no keyword for it
        try:
            yield
        finally:
            torch.use_deterministic_algorithms(before[0], warn_only=before[1])


def _default_float64() -> ContextManager[None]:
    """Let new tensors be float64; as before when it ends."""
    return _with_value(torch.set_default_dtype, torch.float64, torch.get_default_dtype())


def _four_threads() -> ContextManager[None]:
    """Run kernels in four threads; as before when it ends."""
    return _with_value(torch.set_num_threads, 4, torch.get_num_threads())


_SETTINGS: Dict[str, Callable[[], ContextManager[None]]] = {
    settings.USUAL: contextlib.nullcontext,
    "onednn_off": without_onednn,
    "deterministic": _deterministic,
    "default_float64": _default_float64,
    "four_threads": _four_threads,
}


def under_setting(name: str) -> ContextManager[None]:
    """Run what follows under a setting; as before when it ends, however it does."""
    return _SETTINGS[name]()
