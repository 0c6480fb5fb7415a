"""How ATen operators are run for all trials at once: on tensors with a leading dimension more than they expect.

A rule gets the operator with its arguments, of which at least one is a `TrialBatch`, and returns rows; or
NotImplemented for a call that it does not cover, which is then run row by row.
"""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Mapping, Sequence, Tuple, Union

import torch

Args = Tuple[Any, ...]
Keywords = Mapping[str, Any]
Operator = Any
"""An overload of an ATen operator, of which torch has no type."""

Rule = Callable[[Operator, Args, Keywords], Any]

Dims = Union[int, Sequence[int], None]

ELEMENTWISE = frozenset(
    """
    abs add addcdiv addcmul alias atan2 bitwise_and bitwise_not bitwise_or bitwise_xor ceil clamp clamp_max clamp_min
    copy cos detach digamma div elu elu_backward eq erf erfc exp exp2 expm1 fill floor floor_divide fmod ge gelu
    gelu_backward gt hardshrink hardshrink_backward hardsigmoid hardsigmoid_backward hardswish hardswish_backward
    hardtanh hardtanh_backward isfinite isinf isnan le leaky_relu leaky_relu_backward lerp lgamma lift_fresh log log10
    log1p log2 logaddexp logical_and logical_not logical_or logical_xor logit lt masked_fill
    maximum minimum mish mish_backward mul ne neg pow _prelu_kernel reciprocal relu remainder round rsqrt rsub sgn
    sigmoid sigmoid_backward sign silu silu_backward sin softplus softplus_backward softshrink softshrink_backward
    sqrt square sub tan tanh tanh_backward threshold threshold_backward trunc where xlogy zero
    """.split()  # noqa: SIM905 - a hundred names in quotes are no easier to read
)
"""Operators that compute each element from the elements at its place, with broadcasting."""

LIKE = frozenset(["clone", "_to_copy", "empty_like", "full_like", "ones_like", "rand_like", "zeros_like"])
"""Operators that make a tensor in the shape of one."""


def rule(name: str) -> Rule | None:
    """The rule of the operator of this name, without the underscore of its in-place form."""
    return _RULES.get(name)


def _rows(part: Any) -> Any:
    return getattr(part, "rows", part)


def _align(part: Any, dims: int) -> Any:
    """Rows that broadcast against rows of so many dimensions; what has none broadcasts by itself."""
    rows = getattr(part, "rows", None)
    if rows is None:
        return part
    missing = dims + 1 - rows.dim()
    return rows if missing <= 0 else rows.reshape(rows.shape[:1] + (1,) * missing + rows.shape[1:])


def _elementwise(func: Operator, args: Args, keywords: Keywords) -> Any:
    tensors = [part for part in (*args, *keywords.values()) if isinstance(part, torch.Tensor)]
    dims = max(tensor.dim() for tensor in tensors)
    numbers = {tensor.dtype for tensor in tensors if tensor.dtype != torch.bool}
    if len(numbers) > 1 and dims and not all(tensor.dim() for tensor in tensors):
        return NotImplemented  # a tensor without dimensions has no part in type promotion, its rows have
    aligned = [_align(part, dims) for part in args]
    return func(*aligned, **{name: _align(part, dims) for name, part in keywords.items()})


def _like(func: Operator, args: Args, keywords: Keywords) -> Any:
    if keywords.get("memory_format") not in (None, torch.preserve_format, torch.contiguous_format):
        return NotImplemented
    return func(_rows(args[0]), *args[1:], **keywords)


def _new(func: Operator, args: Args, keywords: Keywords) -> Any:
    """`new_zeros` and the like: in the shape of the second argument, of which each trial gets its own."""
    rows = args[0].rows
    return func(rows, [len(rows), *args[1]], *args[2:], **keywords)


def _dim(dim: int, dims: int) -> int:
    """A dimension of a tensor of so many as that of its rows."""
    return dim % max(dims, 1) + 1


def _dims(dim: Dims, dims: int) -> List[int]:
    """The same for several; all where there are none."""
    listed = [dim] if isinstance(dim, int) else list(dim or range(dims))
    return [_dim(each, dims) for each in listed]


def _reduction(func: Operator, args: Args, keywords: Keywords) -> Any:
    """Reduce over a list of dimensions, or over all."""
    rows = args[0].rows
    if rows.dim() == 1:
        return NotImplemented  # a number is not reduced
    dims = _dims(args[1] if len(args) > 1 else keywords.get("dim"), rows.dim() - 1)
    more = {name: value for name, value in keywords.items() if name != "dim"}
    return _OVER_DIMS[func._schema.name.rpartition("::")[2]](rows, dims, *args[2:], **more)


_OVER_DIMS: Dict[str, Callable[..., torch.Tensor]] = {
    "sum": torch.ops.aten.sum.dim_IntList,
    "mean": torch.ops.aten.mean.dim,
    "amax": torch.ops.aten.amax.default,
    "amin": torch.ops.aten.amin.default,
}


def _along_first(func: Operator, args: Args, keywords: Keywords) -> Any:
    """Operators whose second argument is a dimension of the first; other tensors have as many dimensions as it."""
    if len(args) < 2 or not args[0].dim() or not isinstance(args[1], int):
        return NotImplemented
    tensors = [part for part in args if isinstance(part, torch.Tensor)]
    if any(tensor.dim() != args[0].dim() for tensor in tensors):
        return NotImplemented
    trials = next(len(part.rows) for part in tensors if hasattr(part, "rows"))
    rows = [_expand_rows(part, trials) if isinstance(part, torch.Tensor) else part for part in args]
    return func(rows[0], _dim(args[1], args[0].dim()), *rows[2:], **keywords)


def _expand_rows(tensor: torch.Tensor, trials: int) -> torch.Tensor:
    """Rows of a tensor; of one that is the same in all trials, so many views of it."""
    rows: torch.Tensor | None = getattr(tensor, "rows", None)
    return tensor.unsqueeze(0).expand(trials, *tensor.shape) if rows is None else rows


def _join(func: Operator, args: Args, keywords: Keywords) -> Any:
    """`cat` and `stack`: a list of tensors along one dimension."""
    tensors, dim = args[0], args[1] if len(args) > 1 else keywords.get("dim", 0)
    trials = next(len(part.rows) for part in tensors if hasattr(part, "rows"))
    if len({tensor.dim() for tensor in tensors}) > 1:
        return NotImplemented  # an empty tensor of one dimension among others
    dims = tensors[0].dim() + (func._schema.name == "aten::stack")
    return func([_expand_rows(tensor, trials) for tensor in tensors], _dim(dim, dims))


def _view(func: Operator, args: Args, keywords: Keywords) -> Any:
    rows = args[0].rows
    if len(args) < 2 or not isinstance(args[1], (list, tuple)):
        return NotImplemented  # the same bits as another dtype
    return func(rows, [len(rows), *args[1]])


def _flatten(func: Operator, args: Args, keywords: Keywords) -> Any:
    """From one dimension to another; a number becomes a line."""
    rows = args[0].rows
    if rows.dim() == 1:
        return rows.unsqueeze(1)
    first, last = args[1] if len(args) > 1 else 0, args[2] if len(args) > 2 else -1
    return rows.flatten(_dim(first, rows.dim() - 1), _dim(last, rows.dim() - 1))


def _expand(func: Operator, args: Args, keywords: Keywords) -> Any:
    rows, size = args[0].rows, list(args[1])
    for _ in range(len(size) - args[0].dim()):
        rows = rows.unsqueeze(1)
    return func(rows, [len(rows), *size], **keywords)


def _permute(func: Operator, args: Args, keywords: Keywords) -> Any:
    return func(args[0].rows, [0, *(_dim(dim, args[0].dim()) for dim in args[1])])


def _transpose(func: Operator, args: Args, keywords: Keywords) -> Any:
    if not args[0].dim() or not all(isinstance(dim, int) for dim in args[1:]):
        return NotImplemented
    return func(args[0].rows, _dim(args[1], args[0].dim()), _dim(args[2], args[0].dim()))


def _t(func: Operator, args: Args, keywords: Keywords) -> Any:
    return args[0].rows.transpose(1, 2) if args[0].dim() == 2 else args[0].rows.view_as(args[0].rows)


def _squeeze(func: Operator, args: Args, keywords: Keywords) -> Any:
    rows = args[0].rows
    chosen = _dims(args[1], rows.dim() - 1) if len(args) > 1 else range(1, rows.dim())
    for dim in sorted(chosen, reverse=True):
        rows = rows.squeeze(dim)
    return rows.view_as(rows) if rows is args[0].rows else rows


def _unsqueeze(func: Operator, args: Args, keywords: Keywords) -> Any:
    return func(args[0].rows, _dim(args[1], args[0].dim() + 1))


def _parts(func: Operator, args: Args, keywords: Keywords) -> Any:
    """`split` and `unbind`, of which the dimension comes last."""
    place = 1 if func._schema.name == "aten::unbind" else 2
    if not args[0].dim():
        return NotImplemented
    dim = args[place] if len(args) > place else keywords.get("dim", 0)
    return list(func(args[0].rows, *args[1:place], _dim(dim, args[0].dim())))


def _flip(func: Operator, args: Args, keywords: Keywords) -> Any:
    return func(args[0].rows, _dims(list(args[1]), args[0].dim()) if args[1] else [])


def _pad(func: Operator, args: Args, keywords: Keywords) -> Any:
    return func(args[0].rows, *args[1:], **keywords)


def _repeat(func: Operator, args: Args, keywords: Keywords) -> Any:
    rows, counts = args[0].rows, list(args[1])
    for _ in range(len(counts) - args[0].dim()):
        rows = rows.unsqueeze(1)
    return func(rows, [1, *counts])


def _product(func: Operator, args: Args, keywords: Keywords) -> Any:
    """`mm` and `bmm`."""
    return torch.matmul(_rows(args[0]), _rows(args[1]))


_RULES: Dict[str, Rule] = {
    **dict.fromkeys(ELEMENTWISE, _elementwise),
    **dict.fromkeys(LIKE, _like),
    **dict.fromkeys(["new_empty", "new_full", "new_ones", "new_zeros"], _new),
    **dict.fromkeys(_OVER_DIMS, _reduction),
    **dict.fromkeys(["gather", "scatter", "scatter_add", "select", "slice", "cumsum"], _along_first),
    **dict.fromkeys(["cat", "stack"], _join),
    **dict.fromkeys(["view", "_unsafe_view", "reshape"], _view),
    "flatten": _flatten,
    "expand": _expand,
    "permute": _permute,
    "transpose": _transpose,
    "t": _t,
    "squeeze": _squeeze,
    "unsqueeze": _unsqueeze,
    **dict.fromkeys(["split", "split_with_sizes", "unbind"], _parts),
    "flip": _flip,
    "constant_pad_nd": _pad,
    "repeat": _repeat,
    **dict.fromkeys(["mm", "bmm"], _product),
}
