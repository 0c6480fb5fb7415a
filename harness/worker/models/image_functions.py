"""What functions of torch do with images: which work on pixels, and what their results are of an image."""

from __future__ import annotations

import math
from typing import Dict, List, Mapping, Sequence, Tuple

import torch

from ...portable.model_protocol import FunctionCallData, ImageFunctionKind
from .. import pytree
from . import image_axes
from .function_calls import argument_data, describe_function_call
from .function_mode import Function
from .image_axes import Axes
from .image_format import shares_memory

KINDS: Dict[ImageFunctionKind, Tuple[str, ...]] = {
    "convolution": ("conv2d", "conv3d", "conv_transpose2d", "conv_transpose3d", "deform_conv2d", "convolution"),
    "normalisation": ("batch_norm", "group_norm", "instance_norm", "local_response_norm"),
    "pooling": (
        *(f"{kind}_pool{rank}d" for kind in ("max", "avg", "lp", "fractional_max") for rank in (2, 3)),
        *(f"adaptive_{kind}_pool{rank}d" for kind in ("max", "avg") for rank in (2, 3)),
        *(f"{kind}_pool{rank}d_with_indices" for kind in ("max", "fractional_max", "adaptive_max") for rank in (2, 3)),
    ),
    "resampling": ("interpolate", "upsample", "upsample_nearest", "upsample_bilinear", "grid_sample", "pad",
                   "pixel_shuffle", "pixel_unshuffle", "channel_shuffle"),
}  # fmt: skip
"""Functions whose first tensor is an image, (N, C, pixels...), and whose first result is one."""

_KIND_BY_NAME: Dict[str, ImageFunctionKind] = {name: kind for kind, names in KINDS.items() for name in names}

_TRANSPOSED = ("conv_transpose2d", "conv_transpose3d")
_RESHAPES = ("reshape", "view", "flatten", "unflatten", "squeeze", "unsqueeze", "view_as", "reshape_as")
_PERMUTATIONS = ("permute", "transpose", "swapaxes", "swapdims", "movedim", "moveaxis")
_CONTRACTIONS = ("einsum", "tensordot", "outer", "kron")
_REDUCTIONS = ("sum", "mean", "amax", "amin", "prod", "norm", "logsumexp", "std", "var", "all", "any")


class TorchCall:
    """A call of a function of torch, by its `dotted` name.

    `name` is the last part of that without the underscores of an in-place or private function, `inputs` are the tensors
    among the arguments, in order.
    """

    def __init__(self, function: Function, args: Sequence[object], keywords: Mapping[str, object]) -> None:
        dotted = torch.overrides.resolve_name(function) or getattr(function, "__name__", str(function))
        self.dotted = str(dotted)
        self.name = self.dotted.rpartition(".")[2].strip("_")
        self.kind: ImageFunctionKind = _KIND_BY_NAME.get(self.name, "")
        self.inputs = pytree.flatten([*args, *keywords.values()])
        self._function = function
        self._args = args
        self._keywords = keywords

    @property
    def dimension(self) -> object:
        """The argument that says over which dimensions the function works; None where there is none."""
        return self._keywords.get("dim", self._args[1] if len(self._args) > 1 else None)

    @property
    def is_unbatched(self) -> bool:
        """Whether it works on one image without a batch axis, (C, H, W)."""
        has_rank = self.kind in ("convolution", "pooling") and "2d" in self.name
        return has_rank and bool(self.inputs) and self.inputs[0].dim() == 3

    @property
    def asks_for_channels_last(self) -> bool:
        """Whether it is told to give channels-last, as ``contiguous``, ``to`` and ``clone`` can be."""
        return self._keywords.get("memory_format") in (torch.channels_last, torch.channels_last_3d)

    def describe(self, output: torch.Tensor) -> FunctionCallData:
        """The call with all its arguments, and the one result that is wanted of it."""
        named = {name: argument_data(value) for name, value in self._keywords.items()}
        positional = list(map(argument_data, self._args))
        return describe_function_call(self._function, positional, named, [argument_data(output)])

    @property
    def kernel(self) -> Tuple[int, ...]:
        """The sides of the kernel of a convolution, whose tensors are the image, the weight, perhaps a bias; or ()."""
        return tuple(self.inputs[1].shape[2:]) if self.kind == "convolution" and len(self.inputs) > 1 else ()


def multiply_adds(call: TorchCall, output: torch.Tensor | None) -> int:
    """How many multiplications and additions a convolution needs; 0 for any other function.

    A weight of shape (K, C/groups, kernel...) is applied at each element of the output; one of a transposed
    convolution, (C, K/groups, kernel...), at each of the input.
    """
    if output is None or not call.kernel:
        return 0
    image, weight = call.inputs[:2]
    return int(math.prod(weight.shape[1:]) * (image if call.name in _TRANSPOSED else output).numel())


def result_axes(call: TorchCall, known: Sequence[Tuple[torch.Tensor, Axes]], output: torch.Tensor) -> Axes | None:
    """What a result is of the image whose axes are known of some arguments; None where that cannot be told."""
    tensor, axes = next(((each, axes) for each, axes in known if each.shape == output.shape), known[0])
    if call.name in _CONTRACTIONS:
        return None
    if call.name in _RESHAPES:
        return image_axes.reshape_axes(axes, output.shape)
    if shares_memory(output, [tensor]):
        view = image_axes.of_view(axes, _extents(tensor), _extents(output))
        if view is not None or call.name in _PERMUTATIONS:
            return view
    return _computed_axes(call, (tensor, axes), output)


def _computed_axes(call: TorchCall, of: Tuple[torch.Tensor, Axes], output: torch.Tensor) -> Axes | None:
    """The same for a result with memory of its own."""
    tensor, axes = of
    if call.name == "stack":
        return _stack_axes(axes, call.dimension or 0, output)
    if call.name in _REDUCTIONS and output.dim() < tensor.dim():
        return _reduce_axes(axes, call.dimension)
    return image_axes.resize_axes(axes, tensor.shape, output.shape) if output.dim() == tensor.dim() else None


def _extents(tensor: torch.Tensor) -> List[Tuple[int, int]]:
    return list(zip(tensor.shape, tensor.stride()))


def _stack_axes(axes: Axes, dimension: object, output: torch.Tensor) -> Axes | None:
    """A new dimension, which is one more batch."""
    if not isinstance(dimension, int) or output.dim() != len(axes) + 1:
        return None
    at = dimension % output.dim()
    return (*axes[:at], (image_axes.Atom(image_axes.BATCH, output.shape[at]),), *axes[at:])


def _reduce_axes(axes: Axes, dimensions: object) -> Axes | None:
    """The dimensions that are left."""
    gone = [dimensions] if isinstance(dimensions, int) else dimensions
    if not isinstance(gone, (tuple, list)) or not all(isinstance(index, int) for index in gone):
        return None
    indices = {index % len(axes) for index in gone}
    return tuple(dimension for index, dimension in enumerate(axes) if index not in indices)
