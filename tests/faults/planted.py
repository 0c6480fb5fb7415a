"""Wrong kernels, for `--eq-preload`: each stands in for one of ATen's CPU kernels in one dtype, wrong in one corner.

Every kernel calls the original, through `torch.library.get_kernel` (PyTorch 2.9), and spoils what it returns only where
real kernels go wrong: in tails, at degenerate sizes, for one argument, at one ISA level. `test_faults.py` names the
item that must find each of them, and how small its example must get. `planted_others.py` has more of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

Kernel = Callable[..., Any]
LIBRARY = torch.library.Library("aten", "IMPL")
FAULTS: dict[str, dict[torch.dtype, Kernel]] = {}


def fault(operator: str, dtype: torch.dtype) -> Callable[[Kernel], Kernel]:
    """Run the decorated function, given the original kernel and its arguments, in place of `operator` for `dtype`."""

    def register(function: Kernel) -> Kernel:
        if operator not in FAULTS:
            replace(operator)
        FAULTS[operator][dtype] = function
        return function

    return register


def replace(operator: str) -> None:
    """Put a kernel that looks for a fault of its first argument's dtype in the place of ATen's."""
    original = torch.library.get_kernel(f"aten::{operator}", "CPU")
    faults = FAULTS[operator] = {}

    def kernel(keyset: Any, *arguments: Any, **options: Any) -> Any:
        def call(*given: Any, **named: Any) -> Any:
            return original.call_boxed(keyset, *given, **named)

        first = arguments[0][0] if isinstance(arguments[0], (list, tuple)) else arguments[0]
        wrong = faults.get(first.dtype)
        return wrong(call, *arguments, **options) if wrong else call(*arguments, **options)

    LIBRARY.impl(operator, kernel, "CPU", with_keyset=True, allow_override=True)


def channels_last(tensor: torch.Tensor) -> bool:
    """Whether the tensor is dense in channels-last order and in no other."""
    formats = {4: torch.channels_last, 5: torch.channels_last_3d}
    wanted = formats.get(tensor.dim())
    return wanted is not None and tensor.is_contiguous(memory_format=wanted) and not tensor.is_contiguous()


# Sizes


@fault("relu", torch.float32)
def tail_of_8_channels(call: Kernel, x: torch.Tensor) -> torch.Tensor:
    """The channels after the last full vector."""
    y = call(x)
    if channels_last(x) and x.shape[1] % 8:
        y[:, x.shape[1] - x.shape[1] % 8 :] += 1
    return y


@fault("silu", torch.bfloat16)
def tail_of_16_channels(call: Kernel, x: torch.Tensor) -> torch.Tensor:
    """The same where there is at least one full vector."""
    y = call(x)
    if channels_last(x) and x.shape[1] > 16 and x.shape[1] % 16:
        y[:, x.shape[1] - x.shape[1] % 16 :] += 1
    return y


@fault("relu", torch.float64)
def one_channel(call: Kernel, x: torch.Tensor) -> torch.Tensor:
    """One channel is in both formats; only a stride that nobody needs tells them apart."""
    y = call(x)
    return y + 1 if x.shape[1] == 1 and x.stride(1) == 1 and x.shape[-1] > 1 else y


@fault("avg_pool2d", torch.float32)
def one_column(call: Kernel, x: torch.Tensor, *rest: Any) -> torch.Tensor:
    """The last row of an image of one column."""
    y = call(x, *rest)
    if x.shape[3] == 1 and x.shape[2] > 1:
        y[:, :, -1] += 1
    return y


@fault("_adaptive_avg_pool2d", torch.float32)
def third_sample(call: Kernel, x: torch.Tensor, *rest: Any) -> torch.Tensor:
    """One image of the batch."""
    y = call(x, *rest)
    if x.shape[0] > 2:
        y[2] += 1
    return y


@fault("softshrink", torch.float32)
def both_formats(call: Kernel, x: torch.Tensor, *rest: Any) -> torch.Tensor:
    """The third row, in either format: a comparison of the two would see nothing."""
    y = call(x, *rest)
    if x.shape[2] > 2:
        y[:, :, 2] += 0.5
    return y


@fault("pixel_shuffle", torch.float32)
def last_channel_of_a_shuffle(call: Kernel, x: torch.Tensor, *rest: Any) -> torch.Tensor:
    """The last of several channels that come out, in channels-last."""
    y = call(x, *rest)
    if channels_last(x) and y.shape[1] > 1:
        y[:, -1] += 1
    return y


# Arguments


@fault("convolution", torch.float64)
def dilated(call: Kernel, x: torch.Tensor, weight: torch.Tensor, *rest: Any) -> torch.Tensor:
    """The first column, where the kernel is dilated along it."""
    y = call(x, weight, *rest)
    if weight.shape[-1] > 1 and rest[3][-1] > 1:
        y[..., 0] -= 1
    return y


@fault("convolution", torch.float32)
def grouped(call: Kernel, x: torch.Tensor, *rest: Any) -> torch.Tensor:
    """The first channel, where there are groups."""
    y = call(x, *rest)
    if rest[-1] > 1 and channels_last(x):
        y[:, 0] += 1
    return y


@fault("avg_pool2d", torch.float64)
def ceil_mode_only(call: Kernel, x: torch.Tensor, *rest: Any) -> torch.Tensor:
    """The last column under `ceil_mode`, the fourth argument after the image unless it is left out."""
    y = call(x, *rest)
    if rest[3:4] == (True,) and y.shape[3] > 1:
        y[..., -1] += 1
    return y


@fault("reflection_pad2d", torch.float32)
def padded_on_the_right(call: Kernel, x: torch.Tensor, padding: list[int]) -> torch.Tensor:
    """The last column in channels-last, where there is padding on that side."""
    y = call(x, padding)
    if padding[1] > 0 and channels_last(x):
        y[..., -1] += 1
    return y


@fault("native_group_norm", torch.float64)
def second_group(call: Kernel, x: torch.Tensor, *rest: Any) -> Any:
    """All groups but the first: a known issue that is off in the seventh digit."""
    y, mean, rstd = call(x, *rest)
    groups = rest[5]
    y[:, x.shape[1] // groups :] *= 1 + 1e-7
    return y, mean, rstd


@fault("upsample_bilinear2d", torch.float32)
def last_column_of_a_resampled_image(call: Kernel, x: torch.Tensor, *rest: Any) -> torch.Tensor:
    """A coefficient of the last column, in channels-last."""
    y = call(x, *rest)
    if channels_last(x) and y.shape[3] > 1:
        y[..., -1] *= 1.0001
    return y


# Where and how it runs


@fault("sigmoid", torch.float32)
def one_isa_level(call: Kernel, x: torch.Tensor) -> torch.Tensor:
    """Everything, in the AVX2 build of the kernel."""
    y = call(x)
    return y * 1.5 if torch.backends.cpu.get_cpu_capability() == "AVX2" else y


@fault("sigmoid", torch.float64)
def two_threads(call: Kernel, x: torch.Tensor) -> torch.Tensor:
    """The second half of the batch, where another thread has it."""
    y = call(x)
    if torch.get_num_threads() > 1 and x.shape[0] > 1:
        y[x.shape[0] // 2 :] += 1
    return y


@fault("silu_", torch.float64)
def in_place_only(call: Kernel, x: torch.Tensor) -> torch.Tensor:
    """The last column of the in-place form."""
    y: torch.Tensor = call(x)
    y[..., 1:] += 1
    return y


@fault("tanh", torch.float64)
def strided_only(call: Kernel, x: torch.Tensor) -> torch.Tensor:
    """A view of some of the channels of a channels-last tensor: its columns are further apart than it has channels."""
    y = call(x)
    return y + 1 if x.shape[3] > 1 and x.stride(1) == 1 and x.stride(3) > x.shape[1] else y


@fault("mish", torch.float64)
def unaligned(call: Kernel, x: torch.Tensor) -> torch.Tensor:
    """A dense tensor that does not begin where its memory does."""
    y = call(x)
    return y + 1 if x.is_contiguous() and x.storage_offset() else y


@fault("hardtanh", torch.float32)
def refuses_channels_last(call: Kernel, x: torch.Tensor, *rest: Any) -> torch.Tensor:
    """An error in one format."""
    if channels_last(x):
        raise RuntimeError("planted: channels-last is not supported")
    return call(x, *rest)


# Values


@fault("hardtanh", torch.float64)
def nan_is_lost(call: Kernel, x: torch.Tensor, *rest: Any) -> torch.Tensor:
    """A clamp by comparisons that a NaN fails."""
    return call(torch.nan_to_num(x, nan=0.0), *rest)


@fault("silu", torch.float16)
def nan_is_lost_in_one_format(call: Kernel, x: torch.Tensor) -> torch.Tensor:
    """A vector body that loses a NaN."""
    y = call(x)
    return y.masked_fill(x.isnan(), 0) if channels_last(x) else y


@fault("hardswish", torch.float64)
def sign_of_zero_is_lost(call: Kernel, x: torch.Tensor) -> torch.Tensor:
    """A sum with zero where the scalar tail has none."""
    return call(x) + 0.0 if channels_last(x) else call(x)


@fault("adaptive_max_pool2d", torch.float32)
def wrong_index(call: Kernel, x: torch.Tensor, *rest: Any) -> Any:
    """The right value, said to be found elsewhere."""
    y, indices = call(x, *rest)
    if channels_last(x) and indices.shape[3] > 1:
        indices[..., -1] = indices[..., 0]
    return y, indices


@fault("_adaptive_avg_pool3d", torch.float32)
def accumulates_in_bfloat16(call: Kernel, x: torch.Tensor, *rest: Any) -> torch.Tensor:
    """Sums that are kept in half of the digits."""
    return call(x.bfloat16(), *rest).float()


@fault("gelu", torch.float64)
def computed_in_float32(call: Kernel, x: torch.Tensor, **options: Any) -> torch.Tensor:
    """float64 in name only."""
    return call(x.float(), **options).double()


@fault("hardsigmoid", torch.float32)
def memory_nobody_wrote(call: Kernel, x: torch.Tensor) -> torch.Tensor:
    """The last column of a wide image stays what malloc had there."""
    result = call(x)
    if x.shape[3] < 3:
        return result
    y = torch.empty_like(x)
    y[..., :-1] = result[..., :-1]
    return y


# Gradients


@fault("convolution_backward", torch.float64)
def gradient_of_the_weight(call: Kernel, *given: Any) -> Any:
    """The last column of the weight's gradient."""
    dx, dw, db = call(*given)
    if dw is not None and dw.shape[3] > 1:
        dw[..., -1] += 1
    return dx, dw, db


@fault("convolution_backward", torch.float32)
def gradient_of_the_bias(call: Kernel, *given: Any) -> Any:
    """The last element of the bias's gradient, where there is a bias."""
    dx, dw, db = call(*given)
    if db is not None and db.shape[0] > 1:
        db[-1] += 1
    return dx, dw, db


@fault("silu_backward", torch.float32)
def contiguous_grad_output(call: Kernel, grad: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """The gradient where input and grad_output differ in format."""
    g = call(grad, x)
    return g + 1 if channels_last(x) and grad.is_contiguous() and not channels_last(grad) else g


@fault("replication_pad2d_backward", torch.float64)
def gradient_of_a_border(call: Kernel, grad: torch.Tensor, x: torch.Tensor, padding: list[int]) -> torch.Tensor:
    """The last row, which also stands for those below it."""
    g = call(grad, x, padding)
    if padding[3] > 0:
        g[:, :, -1] += 1
    return g


@fault("native_batch_norm_backward", torch.float32)
def gradient_of_a_scale(call: Kernel, grad: torch.Tensor, x: torch.Tensor, *rest: Any) -> Any:
    """The last channel's gradient of the weight, in channels-last."""
    dx, dw, db = call(grad, x, *rest)
    if channels_last(x) and dw is not None:
        dw[-1] += 1
    return dx, dw, db


# Formats


@fault("hardswish", torch.float32)
def format_lost(call: Kernel, x: torch.Tensor) -> torch.Tensor:
    """A contiguous output whatever the input."""
    return call(x).contiguous()


@fault("_adaptive_avg_pool2d_backward", torch.float64)
def format_of_the_gradient_lost(call: Kernel, grad: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """A contiguous gradient whatever the input and grad_output."""
    return call(grad, x).contiguous()


@fault("native_batch_norm_backward", torch.float64)
def format_of_a_volumes_gradient_lost(call: Kernel, grad: torch.Tensor, x: torch.Tensor, *rest: Any) -> Any:
    """A contiguous gradient of the input, in channels_last_3d."""
    gradient, *others = call(grad, x, *rest)
    return (gradient.contiguous() if x.dim() == 5 else gradient, *others)


@fault("flip", torch.float64)
def format_lost_by_a_flip(call: Kernel, x: torch.Tensor, *rest: Any) -> torch.Tensor:
    """A contiguous mirror image."""
    return call(x, *rest).contiguous()


@fault("native_group_norm", torch.float32)
def format_of_a_norm_lost(call: Kernel, x: torch.Tensor, *rest: Any) -> Any:
    """A contiguous output whatever the input."""
    y, mean, rstd = call(x, *rest)
    return y.contiguous(), mean, rstd


@fault("upsample_nearest2d_backward", torch.float64)
def format_of_a_resampled_gradient_lost(call: Kernel, grad: torch.Tensor, *rest: Any) -> torch.Tensor:
    """A contiguous gradient whatever grad_output."""
    return call(grad, *rest).contiguous()
