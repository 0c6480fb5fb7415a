"""The same tensor in several trials at once: what one run of an operator computes in place of one run for each trial.

Under Monte Carlo arithmetic an operator runs many times on small tensors, where each run costs what torch needs to
call so many kernels from Python. A `TrialBatch` has the shape that an operator expects, so that functions, modules and
autograd take it for one tensor, and holds a tensor with a leading dimension, a row for each trial. Every ATen operator
comes to `run_batched`, which knows how most are run on all rows at once (`batching_rules`), and runs others row by row.

`torch.vmap` does the same, but takes fused operators apart or merges them in ways of its own, before `RoundingNoise`
sees them; PyTorch 1.13 has none.
"""

from __future__ import annotations

from typing import Any, Callable, Mapping, Sequence, Tuple

import torch

from . import batching_rules

Args = Tuple[Any, ...]
Keywords = Mapping[str, Any]


class NotBatched(Exception):  # noqa: N818 - it names the state, and never leaves the worker
    """An operator that cannot be run for several trials at once: the trials have to be run one by one."""


class TrialBatch(torch.Tensor):  # type: ignore[misc] # torch is not there where types are checked
    """A tensor of which each trial has its own numbers: `rows`, with a leading dimension for the trials."""

    rows: torch.Tensor
    __torch_function__ = torch._C._disabled_torch_function_impl

    def __new__(cls, rows: torch.Tensor) -> TrialBatch:  # noqa: PYI034 - Self came with Python 3.11
        """A tensor in the shape of one row."""
        make_wrapper = torch.Tensor._make_wrapper_subclass
        wrapper: TrialBatch = make_wrapper(cls, rows.shape[1:], strides=rows.stride()[1:], dtype=rows.dtype)
        return wrapper

    def __init__(self, rows: torch.Tensor) -> None:
        self.rows = rows

    @classmethod
    def __torch_dispatch__(
        cls, func: Any, types: Sequence[type], args: Args = (), kwargs: Keywords | None = None
    ) -> object:
        """Run one operator for all trials."""
        return run_batched(func, args, kwargs or {})


def repeat_for(tensor: torch.Tensor, trials: int) -> TrialBatch:
    """The same numbers in so many trials, each in memory of its own; a leaf of autograd if `tensor` is one."""
    rows = tensor.detach().unsqueeze(0).repeat(trials, *[1] * tensor.dim())
    batch = TrialBatch(rows)
    batch.requires_grad_(tensor.requires_grad)
    return batch


def rows_of(tensor: torch.Tensor) -> torch.Tensor:
    """One row for each trial, or one for all where they have the same numbers."""
    return tensor.rows if isinstance(tensor, TrialBatch) else tensor.unsqueeze(0)


def row_of(tensor: torch.Tensor, trial: int) -> torch.Tensor:
    """The tensor as it is in one trial."""
    return tensor.rows[trial] if isinstance(tensor, TrialBatch) else tensor


def address(tensor: torch.Tensor) -> int:
    """Where its numbers lie in memory."""
    return int((tensor.rows if isinstance(tensor, TrialBatch) else tensor).data_ptr())


def run_batched(func: Any, args: Args, keywords: Keywords) -> Any:
    """What an ATen operator returns, with every tensor that depends on a trial as a `TrialBatch`.

    Raises NotBatched where it would have to write into what is the same in all trials, where it returns no tensors but
    other things in each trial, or where what it returns shares memory in a way that rows do not.
    """
    batches = [part for part in _flatten(args, keywords) if isinstance(part, TrialBatch)]
    if not batches:
        return func(*args, **keywords)
    name = func._schema.name.rpartition("::")[2]
    writes = name.endswith("_") and not name.endswith("__")
    if writes and not isinstance(args[0], TrialBatch):
        raise NotBatched(name)
    rule = batching_rules.rule(name[:-1] if writes else name)
    rows = rule(func, args, keywords) if rule else NotImplemented
    if rows is not NotImplemented:
        return args[0] if writes else wrap(rows)
    composed = func.decompose(*args, **keywords)
    if composed is not NotImplemented:
        return composed
    return _run_each(func, args, keywords, len(batches[0].rows), writes=writes)


def batched_call(func: Any) -> Callable[..., Any]:
    """An ATen operator as a function that `run_batched` runs, without the way through torch's dispatcher."""
    return lambda *args, **keywords: run_batched(func, args, keywords)


def wrap(rows: Any) -> Any:
    """Rows as batches, in a tuple or list as well."""
    return type(rows)(map(TrialBatch, rows)) if isinstance(rows, (tuple, list)) else TrialBatch(rows)


def _flatten(args: Args, keywords: Keywords) -> list[Any]:
    parts: list[Any] = []
    for part in (*args, *keywords.values()):
        parts.extend(part if isinstance(part, (tuple, list)) else [part])
    return parts


def _run_each(func: Any, args: Args, keywords: Keywords, trials: int, *, writes: bool) -> Any:
    """The same row by row."""
    if getattr(func, "is_view", False) or (func._schema.is_mutable and not writes):
        raise NotBatched(func._schema.name)
    results = [
        func(*(_pick(part, trial) for part in args), **{name: _pick(part, trial) for name, part in keywords.items()})
        for trial in range(trials)
    ]
    return args[0] if writes else _merge(results)


def _pick(part: Any, trial: int) -> Any:
    """An argument as it is in one trial."""
    if isinstance(part, (tuple, list)):
        return type(part)(_pick(each, trial) for each in part)
    return row_of(part, trial) if isinstance(part, torch.Tensor) else part


def _merge(results: Sequence[Any]) -> Any:
    """What an operator returned in each trial as what it returns in all."""
    first = results[0]
    if isinstance(first, torch.Tensor):
        return TrialBatch(torch.stack(tuple(results)))
    if isinstance(first, (tuple, list)):
        return type(first)(_merge(parts) for parts in zip(*results))
    if any(result != first for result in results):
        raise NotBatched(f"returns {first!r} in one trial alone")
    return first
