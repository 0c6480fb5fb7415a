"""Each worker runs this before its first kernel: the kernel, its gradient, and what it should compute."""

from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional
from torch.utils.cpp_extension import load

HERE = Path(__file__).resolve().parent
load("fused_depthwise", [str(HERE / "depthwise.cpp")], extra_cflags=["-O2", "-fopenmp"], is_python_module=False)


def composition(image: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    """What the kernel fuses, in operators of PyTorch: the float64 reference runs this."""
    return functional.relu6(functional.conv2d(image, weight, bias, padding=1, groups=weight.shape[0]))


def _keep(ctx: Any, inputs: tuple[torch.Tensor, torch.Tensor, torch.Tensor, str], output: torch.Tensor) -> None:
    *operands, ctx.mistake = inputs
    ctx.save_for_backward(output, *operands)


def _backward(ctx: Any, grad_output: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
    output, image, weight, bias = ctx.saved_tensors
    if torch.is_grad_enabled():  # this gradient is to be differentiated again, and PyTorch's operators can be
        ends, leaves = composition(image, weight, bias), (image, weight, bias)
        return (*torch.autograd.grad(ends, leaves, grad_output, create_graph=True), None)
    gradients = torch.ops.fused.depthwise_relu6_backward(grad_output, output, image, weight, ctx.mistake)
    return (*gradients, None)


torch.library.register_autograd("fused::depthwise_relu6", _backward, setup_context=_keep)


def __getattr__(mistake: str) -> Any:
    """The operator with that mistake; `right` is none of them."""
    return partial(torch.ops.fused.depthwise_relu6.default, mistake=mistake)
