"""Each worker runs this before its first kernel: it builds scale.cpp once, and gives the operator its gradient."""

from pathlib import Path
from typing import Any

import torch
from torch.utils.cpp_extension import load

HERE = Path(__file__).resolve().parent
load("tutorial_scale", [str(HERE / "scale.cpp")], is_python_module=False)


def scale(image: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """What the operator computes, in operators of PyTorch: the float64 reference runs this."""
    return image * weight.reshape(-1, 1, 1)


def _backward(ctx: Any, grad_output: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    input, weight = ctx.saved_tensors
    wide = torch.promote_types(input.dtype, torch.float32)  # else each product is rounded before it is added
    summed = (grad_output.to(wide) * input.to(wide)).sum((0, 2, 3))
    return torch.ops.tutorial.scale(grad_output, weight), summed.to(weight.dtype)


def _keep(ctx: Any, inputs: tuple[torch.Tensor, torch.Tensor], output: torch.Tensor) -> None:
    del output
    ctx.save_for_backward(*inputs)


torch.library.register_autograd("tutorial::scale", _backward, setup_context=_keep)
