"""ImageCall: one call of a function of torch that works on an image in a converted model, or loses its format."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from harness.models.function_call import FunctionCall, read_function_call
from harness.portable.model_protocol import ImageCallData, ImageFunctionKind
from harness.portable.source_line import line_name


class LayoutLoss(StrEnum):
    """How a call loses channels-last, in the worker's words. `GETS`: it is a convolution, and who lost it is not known.

    `PUT_BACK`: it gave NCHW for NHWC, and the only call that takes the result has put that into NHWC again: what is
    lost is the time of a copy. `RAISES`: it was given NHWC and raised, perhaps for its strides.
    """

    NONE = ""
    GIVES = "gives nchw"
    PUT_BACK = "put back"
    GETS = "gets nchw"
    RAISES = "raises"


@dataclass(frozen=True)
class ImageCall:
    """The fields are those of `ImageCallData`; `line` is ``file:line``, empty where it is not known."""

    function: str
    kind: ImageFunctionKind
    loses: LayoutLoss
    module: str
    class_name: str
    input_formats: tuple[str, ...]
    output_formats: tuple[str, ...]
    input_shape: tuple[int, ...]
    input_axes: tuple[str, ...]
    multiply_adds: int = 0
    line: str = ""
    function_call: FunctionCall | None = field(default=None, repr=False, compare=False)

    @property
    def keeps_channels_last(self) -> bool:
        """Whether it got NHWC and gave NHWC, or something that is in both formats at once, such as a single pixel."""
        return "nhwc" in self.input_formats and not {"nchw", "other"} & {*self.input_formats, *self.output_formats}

    @property
    def is_unbatched(self) -> bool:
        """Whether it works on an image without a batch axis, (C, H, W), which has no channels-last format."""
        return bool(self.kind) and len(self.input_shape) == 3

    @property
    def is_to_change(self) -> bool:
        """Whether the model should be changed there for channels-last to stay."""
        return self.loses not in (LayoutLoss.NONE, LayoutLoss.PUT_BACK)

    @property
    def image_rank(self) -> int:
        """The dimensions of the image that it is given: a stack of images has one more."""
        return 2 + self.input_axes.count("P")

    @property
    def title(self) -> str:
        """The module whose forward makes the call, in words."""
        name = self.module or "the model's own forward"
        return f"{name} ({self.class_name})" if self.class_name else name


def image_calls(data: Sequence[ImageCallData]) -> tuple[ImageCall, ...]:
    """The calls as the worker tells them."""
    return tuple(
        ImageCall(
            function=call["function"],
            kind=call["kind"],
            loses=LayoutLoss(call["loses"]),
            module=call["module"],
            class_name=call["class_name"],
            input_formats=tuple(call["input_formats"]),
            output_formats=tuple(call["output_formats"]),
            input_shape=tuple(call["input_shape"]),
            input_axes=tuple(call["input_axes"]),
            multiply_adds=call["multiply_adds"],
            line=line_name(call["line"]) if call["line"] is not None else "",
            function_call=read_function_call(call["function_call"]) if call["function_call"] is not None else None,
        )
        for call in data
    )
