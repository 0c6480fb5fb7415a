"""The two kernels of scaled_dot_product_attention, of which the format of its operands picks one.

aten/src/ATen/native/transformers/sdp_utils_cpp.cpp: the fused one takes operands whose last dimension is dense, and
goes back from the logarithms of the denominators. The other is made of matrix products and a softmax, whose weights it
keeps, in float32 at least. The fused one has more roundings, so a bound that is to hold in every format looks at it.
"""

from __future__ import annotations

from typing import Callable, Mapping, Sequence, Tuple

import torch
from torch.overrides import TorchFunctionMode

FUNCTION = getattr(torch.nn.functional, "scaled_dot_product_attention", None)


class AttentionKernel(TorchFunctionMode):  # type: ignore[misc] # torch is not there where types are checked
    """Notes in `was_unfused` whether attention was not fused; with `fused` it always is."""

    def __init__(self, fused: bool = False) -> None:
        super().__init__()
        self._fused = fused
        self.was_unfused = False

    def __torch_function__(
        self,
        func: Callable[..., object],
        types: Sequence[type],
        args: Tuple[torch.Tensor, ...] = (),
        kwargs: Mapping[str, object] | None = None,
    ) -> object:
        """Run a function; attention on dense operands if it is to be fused."""
        if FUNCTION is not None and func is FUNCTION:
            self.was_unfused |= any(operand.stride(-1) != 1 for operand in args[:3])
            if self._fused:
                args = (*(operand.contiguous() for operand in args[:3]), *args[3:])
        return func(*args, **(kwargs or {}))
