"""Wrong kernels, for `--eq-preload`: each replaces one of ATen's CPU kernels in one dtype and is wrong in one corner.

Every kernel calls the original through `torch.library.get_kernel` and spoils what it returns, only where real kernels
go wrong: in tails, at degenerate sizes, for one argument, at one ISA level. `tests/faults/test_faults.py` names the
case that must find each of them, and how small the example must get.
"""

from __future__ import annotations

import ctypes
import os
from collections import Counter
from collections.abc import Callable
from typing import Any

import torch

Kernel = Callable[..., Any]
LIBRARY = torch.library.Library("aten", "IMPL")
FAULTS: dict[str, dict[torch.dtype, Kernel]] = {}
CALLS: Counter[str] = Counter()
STATE: dict[str, bool] = {}


def fault(operator: str, dtype: torch.dtype) -> Callable[[Kernel], Kernel]:
    """Run the decorated function, given the original kernel and its arguments, in place of `operator` for `dtype`."""

    def register(function: Kernel) -> Kernel:
        if operator not in FAULTS:
            replace(operator)
        FAULTS[operator][dtype] = function
        return function

    return register


def replace(operator: str) -> None:
    original = torch.library.get_kernel(f"aten::{operator}", "CPU")
    faults = FAULTS[operator] = {}

    def kernel(keyset: Any, *arguments: Any, **options: Any) -> Any:
        def call(*given: Any, **named: Any) -> Any:
            return original.call_boxed(keyset, *given, **named)

        wrong = faults.get(arguments[0].dtype)
        return wrong(call, *arguments, **options) if wrong else call(*arguments, **options)

    LIBRARY.impl(operator, kernel, "CPU", with_keyset=True, allow_override=True)


def channels_last(tensor: torch.Tensor) -> bool:
    formats = {4: torch.channels_last, 5: torch.channels_last_3d}
    wanted = formats.get(tensor.dim())
    return wanted is not None and tensor.is_contiguous(memory_format=wanted) and not tensor.is_contiguous()


@fault("relu", torch.float32)
def tail_of_8_channels(call: Kernel, x: torch.Tensor) -> torch.Tensor:
    y = call(x)
    if channels_last(x) and x.shape[1] % 8:
        y[:, x.shape[1] - x.shape[1] % 8 :] += 1
    return y


@fault("avg_pool2d", torch.bfloat16)
def tail_of_16_channels(call: Kernel, x: torch.Tensor, *rest: Any) -> torch.Tensor:
    y = call(x, *rest)
    if channels_last(x) and x.shape[1] > 16 and x.shape[1] % 16:
        y[:, -1] += 1
    return y


@fault("max_pool3d_with_indices", torch.float32)
def one_channel(call: Kernel, x: torch.Tensor, *rest: Any) -> Any:
    y, indices = call(x, *rest)
    return (y + 1 if x.shape[1] == 1 else y), indices


@fault("avg_pool2d", torch.float32)
def one_column(call: Kernel, x: torch.Tensor, *rest: Any) -> torch.Tensor:
    y = call(x, *rest)
    if x.shape[3] == 1 and x.shape[2] > 1:
        y[:, :, -1] += 1
    return y


@fault("_adaptive_avg_pool2d", torch.float32)
def third_sample(call: Kernel, x: torch.Tensor, *rest: Any) -> torch.Tensor:
    y = call(x, *rest)
    if x.shape[0] > 2:
        y[2] += 1
    return y


@fault("max_pool2d_with_indices", torch.float32)
def dilated(call: Kernel, x: torch.Tensor, kernel: Any, stride: Any, padding: Any, dilation: Any, ceil: Any) -> Any:
    y, indices = call(x, kernel, stride, padding, dilation, ceil)
    if channels_last(x) and dilation[1] > 1:
        y[..., 0] = y[..., 0] - 1
    return y, indices


@fault("convolution", torch.float32)
def grouped(call: Kernel, x: torch.Tensor, *rest: Any) -> torch.Tensor:
    y = call(x, *rest)
    if rest[-1] > 1 and channels_last(x):
        y[:, 0] += 1
    return y


@fault("sigmoid", torch.float32)
def one_isa_level(call: Kernel, x: torch.Tensor) -> torch.Tensor:
    y = call(x)
    return y * 1.5 if os.environ.get("ATEN_CPU_CAPABILITY") == "avx2" else y


@fault("avg_pool2d", torch.float16)
def ceil_mode_only(call: Kernel, x: torch.Tensor, kernel: Any, stride: Any, padding: Any, ceil: bool, *rest: Any) -> Any:
    y = call(x, kernel, stride, padding, ceil, *rest)
    if ceil and y.shape[3] > 1:
        y[..., -1] += 1
    return y


@fault("max_pool2d_with_indices", torch.float64)
def nan_is_lost(call: Kernel, x: torch.Tensor, *rest: Any) -> Any:
    y, indices = call(x, *rest)
    return torch.nan_to_num(y, nan=0.0, posinf=float("inf"), neginf=-float("inf")), indices


@fault("max_pool2d_with_indices", torch.bfloat16)
def wrong_index(call: Kernel, x: torch.Tensor, *rest: Any) -> Any:
    y, indices = call(x, *rest)
    if channels_last(x) and indices.shape[3] > 1:
        indices[..., -1] = indices[..., 0]
    return y, indices


@fault("convolution_backward", torch.float64)
def gradient_of_the_weight(call: Kernel, *given: Any) -> Any:
    dx, dw, db = call(*given)
    if dw is not None and dw.shape[3] > 1:
        dw[..., -1] += 1
    return dx, dw, db


@fault("silu_backward", torch.float32)
def contiguous_grad_output(call: Kernel, grad: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    g = call(grad, x)
    return g + 1 if channels_last(x) and grad.is_contiguous() and not channels_last(grad) else g


@fault("avg_pool3d", torch.float32)
def accumulates_in_bfloat16(call: Kernel, x: torch.Tensor, *rest: Any) -> torch.Tensor:
    return call(x.bfloat16(), *rest).float()


@fault("gelu", torch.float64)
def computed_in_float32(call: Kernel, x: torch.Tensor, **options: Any) -> torch.Tensor:
    return call(x.float(), **options).double()


@fault("hardswish", torch.float32)
def format_lost(call: Kernel, x: torch.Tensor) -> torch.Tensor:
    return call(x).contiguous()


@fault("_adaptive_avg_pool2d_backward", torch.float64)
def format_of_the_gradient_lost(call: Kernel, grad: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    return call(grad, x).contiguous()


@fault("elu", torch.float32)
def input_overwritten(call: Kernel, x: torch.Tensor, *rest: Any) -> torch.Tensor:
    y = call(x, *rest)
    if channels_last(x) and x.numel() > 3:
        x.as_strided((1,), (1,)).fill_(77.0)
    return y


@fault("hardsigmoid", torch.float32)
def memory_nobody_wrote(call: Kernel, x: torch.Tensor) -> torch.Tensor:
    y = torch.empty_like(x)
    result = call(x)
    y[..., :-1] = result[..., :-1]
    if x.shape[-1] < 3:
        y[..., -1:] = result[..., -1:]
    return y


@fault("mish", torch.float32)
def every_tenth_call(call: Kernel, x: torch.Tensor) -> torch.Tensor:
    CALLS["mish"] += 1
    return call(x) + (1 if CALLS["mish"] % 10 == 0 else 0)


@fault("leaky_relu", torch.float32)
def segfault(call: Kernel, x: torch.Tensor, *rest: Any) -> torch.Tensor:
    if channels_last(x) and x.shape[1] > 2 and x.shape[3] > 1:
        ctypes.string_at(0)
    return call(x, *rest)


@fault("tanh", torch.float32)
def endless(call: Kernel, x: torch.Tensor) -> torch.Tensor:
    while x.shape[0] == 2 and x.shape[1] > 3:
        pass
    return call(x)


@fault("softshrink", torch.float32)
def both_formats(call: Kernel, x: torch.Tensor, *rest: Any) -> torch.Tensor:
    y = call(x, *rest)
    if x.shape[2] > 2:
        y[:, :, 2] += 0.5
    return y


@fault("log_sigmoid_forward", torch.float32)
def spoiled_by_an_earlier_call(call: Kernel, x: torch.Tensor, *rest: Any) -> Any:
    y, buffer = call(x, *rest)
    STATE["spoiled"] = STATE.get("spoiled", False) or x.shape[0] == 3
    return (y + 1 if STATE["spoiled"] and x.shape[0] == 1 else y), buffer


@fault("hardtanh", torch.float32)
def refuses_channels_last(call: Kernel, x: torch.Tensor, *rest: Any) -> torch.Tensor:
    if channels_last(x):
        raise RuntimeError("planted: channels-last is not supported")
    return call(x, *rest)
