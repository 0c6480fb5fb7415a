"""Calls of functions on images, written down."""

from __future__ import annotations

from harness.models.image_call import ImageCall, LayoutLoss
from harness.portable.model_protocol import ImageFunctionKind


def image_call(  # noqa: PLR0913 - all but the first have a default, and go by name
    module: str,
    kind: ImageFunctionKind = "convolution",
    *,
    function: str = "torch.nn.functional.conv2d",
    loses: LayoutLoss = LayoutLoss.NONE,
    got: str = "nhwc",
    gave: str = "nhwc",
    multiply_adds: int = 0,
    shape: tuple[int, ...] = (1, 3, 8, 8),
    axes: str = "",
    line: str = "",
) -> ImageCall:
    """One call with one image in and one out."""
    parts = tuple(axes or "NCPPP"[: len(shape)])
    return ImageCall(function, kind, loses, module, "Module", (got,), (gave,), shape, parts, multiply_adds, line)
