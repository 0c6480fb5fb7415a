"""What can be switched off for a while in a worker: oneDNN, and the filling of memory before it is handed out."""

from __future__ import annotations

import contextlib
import ctypes
from typing import Iterator

import torch

from ...portable import poison

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
def without_onednn() -> Iterator[None]:
    """Switch oneDNN off; as before when it ends."""
    enabled = torch._C._get_mkldnn_enabled()
    torch._C._set_mkldnn_enabled(False)  # noqa: FBT003 - it takes no keyword
    try:
        yield
    finally:
        torch._C._set_mkldnn_enabled(enabled)


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
