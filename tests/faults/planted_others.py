"""More wrong kernels, for `--eq-preload` after `planted.py`: other operators, and other ways to be wrong.

A preload file is the module of its name, so that one file can use what an earlier one has.
"""

from __future__ import annotations

import ctypes
from collections import Counter
from typing import Any

import torch
from planted import Kernel, channels_last, fault

CALLS: Counter[str] = Counter()
SEEN: set[str] = set()


# Copies and products of matrices


@fault("clone", torch.uint8)
def last_channel_of_a_copy(call: Kernel, x: torch.Tensor, **options: Any) -> torch.Tensor:
    """The last channel of a copy of several, in channels-last."""
    y = call(x, **options)
    if channels_last(x) and x.shape[1] > 1:
        y[:, -1] += 1
    return y


@fault("full_like", torch.int32)
def format_of_a_factory_lost(call: Kernel, x: torch.Tensor, *rest: Any, **options: Any) -> torch.Tensor:
    """A contiguous tensor, whatever it is to be like."""
    return call(x, *rest, **options).contiguous()


@fault("_scaled_dot_product_flash_attention_for_cpu", torch.float32)
def last_query(call: Kernel, query: torch.Tensor, *rest: Any, **options: Any) -> Any:
    """The answer to the last of several queries."""
    y, logsumexp = call(query, *rest, **options)
    if query.shape[2] > 1:
        y[:, :, -1] += 1
    return y, logsumexp


@fault("_scaled_dot_product_flash_attention_for_cpu_backward", torch.float32)
def gradient_of_the_keys(call: Kernel, grad: torch.Tensor, *rest: Any, **options: Any) -> Any:
    """The gradient of the first key, where a head has several channels."""
    dq, dk, dv = call(grad, *rest, **options)
    if dk.shape[3] > 1:
        dk[:, :, 0] += 1
    return dq, dk, dv


# Two tensors


@fault("atan2", torch.float32)
def mask_for_each_image(call: Kernel, x: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    """The last channel, where the second operand is broadcast over the channels."""
    y = call(x, other)
    if channels_last(x) and other.shape[1] == 1:
        y[:, -1] += 1
    return y


@fault("maximum", torch.float64)
def format_of_the_first_lost(call: Kernel, x: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    """A contiguous output whatever the operands."""
    return call(x, other).contiguous()


# Three tensors


@fault("addcmul", torch.float32)
def product_of_a_column(call: Kernel, x: torch.Tensor, *rest: Any, **options: Any) -> torch.Tensor:
    """The last column, where the third operand is contiguous and the first is not."""
    y = call(x, *rest, **options)
    if channels_last(x) and rest[1].is_contiguous() and not channels_last(rest[1]):
        y[..., -1] += 1
    return y


@fault("lerp.Tensor", torch.float64)
def format_of_three_lost(call: Kernel, x: torch.Tensor, *rest: Any) -> torch.Tensor:
    """A contiguous output whatever the operands."""
    return call(x, *rest).contiguous()


# The other pools


@fault("max_unpool2d", torch.float32)
def last_channel_put_back(call: Kernel, x: torch.Tensor, *rest: Any) -> torch.Tensor:
    """The last channel, in channels-last."""
    y = call(x, *rest)
    if channels_last(x):
        y[:, -1] += 1
    return y


@fault("fractional_max_pool2d_backward", torch.float64)
def gradient_of_a_last_window(call: Kernel, grad: torch.Tensor, x: torch.Tensor, *rest: Any) -> torch.Tensor:
    """The gradient of the last row, where there is more than one."""
    g = call(grad, x, *rest)
    if g.shape[2] > 1:
        g[:, :, -1] += 1
    return g


# Reductions and losses


@fault("amax", torch.float32)
def extreme_of_the_channels(call: Kernel, x: torch.Tensor, dims: list[int], *rest: Any) -> torch.Tensor:
    """The maximum over channels that lie next to each other."""
    y = call(x, dims, *rest)
    return y + 1 if channels_last(x) and list(dims) == [1] else y


@fault("_softmax_backward_data", torch.float32)
def gradient_of_the_last_class(call: Kernel, grad: torch.Tensor, *rest: Any) -> torch.Tensor:
    """The gradient of the last channel, where grad_output is channels-last."""
    g = call(grad, *rest)
    if channels_last(grad):
        g[:, -1] += 1
    return g


@fault("nll_loss2d_forward", torch.float32)
def ignored_pixels_count(call: Kernel, x: torch.Tensor, *rest: Any) -> Any:
    """The loss, where a class is ignored."""
    y, total = call(x, *rest)
    return (y + 1 if rest[-1] == 1 else y), total


@fault("nll_loss2d_forward", torch.float64)
def behind_a_refused_backward(call: Kernel, x: torch.Tensor, *rest: Any) -> Any:
    """The loss of channels-last maps, while a graph is recorded: their backward raises, which is known."""
    y, total = call(x, *rest)
    return (y + 1 if channels_last(x) and torch.is_grad_enabled() else y), total


@fault("mse_loss", torch.float32)
def mean_in_bfloat16(call: Kernel, x: torch.Tensor, y: torch.Tensor, *rest: Any) -> torch.Tensor:
    """The mean over all (the default), from squares in bfloat16, in channels-last: a single number."""
    if channels_last(x) and not rest:
        return call(x, y, 0).bfloat16().float().mean()
    return call(x, y, *rest)


@fault("huber_loss", torch.float32)
def sum_without_the_last(call: Kernel, x: torch.Tensor, y: torch.Tensor, *rest: Any) -> torch.Tensor:
    """The sum over all but the last element, in channels-last: a single number."""
    if channels_last(x) and rest[:1] == (2,):
        return call(x, y, 0, *rest[1:]).flatten()[:-1].sum()
    return call(x, y, *rest)


@fault("mse_loss_backward", torch.float64)
def gradient_without_a_mean(call: Kernel, grad: torch.Tensor, x: torch.Tensor, *rest: Any) -> torch.Tensor:
    """The last column of the gradient, where nothing is reduced."""
    g = call(grad, x, *rest)
    if channels_last(x) and rest[-1] == 0 and g.shape[3] > 1:
        g[..., -1] += 1
    return g


# One tensor


@fault("erfinv", torch.float32)
def last_of_the_channels(call: Kernel, x: torch.Tensor) -> torch.Tensor:
    """The last channel, where there is no full vector of them."""
    y = call(x)
    if channels_last(x) and x.shape[1] % 4:
        y[:, -1] += 1
    return y


@fault("rsqrt", torch.float64)
def format_of_a_root_lost(call: Kernel, x: torch.Tensor) -> torch.Tensor:
    """A contiguous output whatever the input."""
    return call(x).contiguous()


# Bytes


@fault("upsample_bilinear2d", torch.uint8)
def bytes_cut_off(call: Kernel, x: torch.Tensor, *rest: Any) -> torch.Tensor:
    """The integer below, in channels-last, where two passes are: no further off than their roundings may be."""
    y: torch.Tensor = call(x, *rest)
    twice = x.shape[2] != y.shape[2] and x.shape[3] != y.shape[3]
    return call(x.double(), *rest).floor().to(torch.uint8) if channels_last(x) and twice else y


# Ways of calling


@fault("cat", torch.uint8)
def second_of_a_list(call: Kernel, tensors: list[torch.Tensor], *rest: Any) -> torch.Tensor:
    """The last channel, where the second tensor of the list is channels-last."""
    y = call(tensors, *rest)
    if channels_last(tensors[1]):
        y[:, -1] += 1
    return y


@fault("cat.out", torch.int16)
def given_memory(call: Kernel, tensors: list[torch.Tensor], *rest: Any, out: torch.Tensor) -> torch.Tensor:
    """The last channel of the memory that was given, where that is channels-last."""
    y: torch.Tensor = call(tensors, *rest, out=out)
    if channels_last(y):
        y[:, -1] += 1
    return y


@fault("avg_pool3d", torch.bfloat16)
def answers_where_it_must_refuse(call: Kernel, x: torch.Tensor, *rest: Any) -> torch.Tensor:
    """A dtype without a kernel, in one format."""
    return call(x.float(), *rest).bfloat16() if channels_last(x) else call(x, *rest)


@fault("where.self", torch.bool)
def imaginary_part(call: Kernel, condition: torch.Tensor, *rest: Any) -> torch.Tensor:
    """The sign of the imaginary part, in channels-last."""
    y = call(condition, *rest)
    return y.conj().resolve_conj() if channels_last(y) and y.is_complex() else y


@fault("gt.Tensor", torch.float32)
def answer_in_numbers(call: Kernel, *given: Any) -> torch.Tensor:
    """Ones and zeros where true and false are due."""
    return call(*given).to(torch.uint8)


@fault("argmax", torch.float64)
def index_outside(call: Kernel, x: torch.Tensor, *rest: Any) -> torch.Tensor:
    """The last pixel's index lies one behind the last channel."""
    found = call(x, *rest)
    if channels_last(x):
        found[..., -1] = x.shape[1]
    return found


@fault("native_batch_norm", torch.bfloat16)
def running_statistics(call: Kernel, x: torch.Tensor, *rest: Any) -> Any:
    """The running mean, in channels-last; the output is right."""
    found = call(x, *rest)
    if channels_last(x) and rest[2] is not None:
        rest[2].add_(1)
    return found


@fault("native_batch_norm", torch.float32)
def statistics_written_in_evaluation(call: Kernel, x: torch.Tensor, *rest: Any) -> Any:
    """The running variance, in channels-last, by a module that only reads it."""
    found = call(x, *rest)
    training = rest[4]
    if channels_last(x) and not training:
        rest[3].add_(1)
    return found


# Misbehaviour


@fault("elu", torch.float32)
def input_overwritten(call: Kernel, x: torch.Tensor, *rest: Any) -> torch.Tensor:
    """The first element of the input's memory is scratch."""
    y = call(x, *rest)
    if channels_last(x) and x.numel() > 3:
        x.as_strided((1,), (1,)).fill_(77.0)
    return y


@fault("mish", torch.float32)
def every_tenth_call(call: Kernel, x: torch.Tensor) -> torch.Tensor:
    """Everything, now and then."""
    CALLS["mish"] += 1
    return call(x) + (1 if CALLS["mish"] % 10 == 0 else 0)


@fault("log_sigmoid_forward", torch.float32)
def spoiled_by_an_earlier_call(call: Kernel, x: torch.Tensor, *rest: Any) -> Any:
    """A batch of one, once there has been a batch of three."""
    y, buffer = call(x, *rest)
    if x.shape[0] == 3:
        SEEN.add("a batch of three")
    return (y + 1 if SEEN and x.shape[0] == 1 else y), buffer


@fault("leaky_relu", torch.float32)
def segfault(call: Kernel, x: torch.Tensor, *rest: Any) -> torch.Tensor:
    """A read of address 0."""
    if channels_last(x) and x.shape[1] > 2 and x.shape[3] > 1:
        ctypes.string_at(0)
    return call(x, *rest)


@fault("tanh", torch.float32)
def endless(call: Kernel, x: torch.Tensor) -> torch.Tensor:
    """A loop that does not end."""
    while x.shape[0] == 2 and x.shape[1] > 3:
        pass
    return call(x)
