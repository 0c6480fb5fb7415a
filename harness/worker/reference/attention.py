"""The two kernels of scaled_dot_product_attention, of which the format of its operands picks one.

aten/src/ATen/native/transformers/sdp_utils_cpp.cpp: the fused one takes operands whose last dimension is dense, and
goes back from the logarithms of the denominators. The other is made of matrix products and a softmax, whose weights it
keeps, in float32 at least. The fused one has more roundings, so a bound that is to hold in every format looks at it.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.overrides import TorchFunctionMode

FUNCTION = getattr(torch.nn.functional, "scaled_dot_product_attention", None)


class Attention(TorchFunctionMode):  # type: ignore[misc] # torch is not there where types are checked
    """Notes in `apart` whether attention was not fused; with `fused` it always is."""

    def __init__(self, fused: bool = False) -> None:
        super().__init__()
        self.fused = fused
        self.apart = False

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run a function; attention on dense operands if it is to be fused."""
        if FUNCTION is not None and func is FUNCTION:
            self.apart |= any(operand.stride(-1) != 1 for operand in args[:3])
            if self.fused:
                args = (*(operand.contiguous() for operand in args[:3]), *args[3:])
        return func(*args, **(kwargs or {}))
